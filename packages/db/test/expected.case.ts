import { formatInstant, type Window } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { barsAt, details, empty, fill, filled, minutes, NOW, type Subject } from './fixture.ts'
import { at, openWeek, SPAN, WEEK } from './thanksgiving.ts'

/** The sessions of a series: how many bars each expects, and how it stands. */
export function describeExpected({ database, store }: Subject): void {
  const { judged, series, seriesOf } = openWeek({ store })
  const rows = (seriesId: number, until = SPAN.end) =>
    store.sessionRows({ seriesId, start: SPAN.start, until }, SPAN.end, 100)

  it.each([
    ['1-MINUTE-LAST', [390, 390, 390, 210, 390]],
    ['30-SECOND-LAST', [780, 780, 780, 420, 780]],
    // The first hour is half an hour long.
    ['1-HOUR-LAST', [7, 7, 7, 4, 7]],
    ['4-HOUR-LAST', [2, 2, 2, 2, 2]],
    ['1-DAY-LAST', [1, 1, 1, 1, 1]],
  ])('%s expects bars by length and grid', async (spec, expected) => {
    expect((await rows(await seriesOf(spec))).map((row) => row.expected)).toEqual(expected)
  })

  it('of weeks and months are one a period, under its last date', async () => {
    const week = await rows(await seriesOf('1-WEEK-LAST'))
    expect(week.map(({ date, starts, ends }) => [date, formatInstant(starts), formatInstant(ends)])).toEqual([
      ['2026-11-27', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z'],
      ['2026-11-30', '2026-11-30T00:00:00Z', '2026-12-07T00:00:00Z'],
    ])
    const months = await store.sessionRows(
      { seriesId: await seriesOf('1-MONTH-LAST'), start: at('2026-11-01'), until: SPAN.end },
      SPAN.end,
      9,
    )
    expect(months).toMatchObject([
      { date: '2026-11-30', expected: 1, starts: at('2026-11-01'), ends: at('2026-12-01') },
    ])
  })

  it('count what is stored and flagged, and stand as the coverage has it', async () => {
    const id = await seriesOf('1-MINUTE-LAST')
    const day = (date: string, to: string): Window => ({ start: at(`${date}T14:30Z`), end: at(`${date}T${to}Z`) })
    const monday = day('2026-11-23', '21:00')
    await fill(store, id, monday, {
      ...filled(monday, barsAt(minutes(monday.start, 388))),
      flags: [{ t: monday.start + 60, why: 'high' }],
    })
    const tuesday = day('2026-11-24', '21:00')
    await fill(store, id, tuesday, empty(tuesday))
    const noon = day('2026-11-25', '17:00')
    await fill(store, id, noon, filled(noon, barsAt([noon.start])))
    expect(await rows(id, at('2026-11-30T21:00Z') - 1)).toMatchObject([
      { date: '2026-11-23', stored: 388, flagged: 1, covered: true, state: 'complete' },
      { date: '2026-11-24', stored: 0, flagged: 0, covered: true, state: 'empty' },
      { date: '2026-11-25', stored: 1, flagged: 0, covered: false, state: 'partial' },
      { date: '2026-11-27', stored: 0, flagged: 0, covered: false, state: 'missing' },
      { date: '2026-11-30', stored: 0, flagged: 0, covered: false, state: 'open' },
    ])
    expect(await judged(id)).toEqual({
      seriesId: id,
      sessions: { complete: 1, empty: 1, unavailable: 0, partial: 1, missing: 2, open: 0 },
      missing: [{ start: noon.end, end: SPAN.end }],
      gaps: 1,
      unavailable: [],
      unknown: [],
      share: { had: 2, due: 5 },
      flagged: 1,
    })
  })

  it('end with a contract, and begin with its data', async () => {
    const es = details('ES', {
      contract: {
        conId: 2,
        symbol: 'ES',
        localSymbol: 'ESX6',
        secType: 'FUT',
        exchange: 'CME',
        currency: 'USD',
        lastTradeDateOrContractMonth: '20261125',
      },
    })
    await store.putInstrument('ESX6.CME', es, NOW)
    await store.putSessions({
      calendar: 'FUT ES CME',
      hours: 'regular',
      zone: 'US/Central',
      known: SPAN,
      sessions: WEEK,
      askedAt: undefined,
    })
    const id = await seriesOf('1-DAY-LAST', { instrumentId: 'ESX6.CME' })
    expect((await rows(id)).map(({ date }) => date)).toEqual(['2026-11-23', '2026-11-24', '2026-11-25'])
    await database.rows(sql`update series set head = '2026-11-24T15:00Z' where id = ${id}`)
    await fill(store, id, SPAN, empty(SPAN))
    // The day of the first data counts whole: its bar stands at its beginning.
    expect(await series()).toMatchObject([{ id, window: { start: at('2026-11-24'), end: at('2026-11-28') } }])
    expect((await rows(id)).map(({ date }) => date)).toEqual(['2026-11-23', '2026-11-24', '2026-11-25'])
  })
}
