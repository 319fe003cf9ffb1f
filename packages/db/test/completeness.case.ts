import { formatInstant, parseInstant, type Session, type Window } from '@tidegate/core'
import type { SeriesKey } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { beforeEach, describe, expect, it } from 'vitest'
import { barsAt, DEFINITION, details, empty, fill, filled, minutes, NOW, type Subject } from './fixture.ts'

const at = parseInstant
/** New York, the week of Thanksgiving: Thursday a holiday, Friday a half day. */
const WEEK: readonly Session[] = [
  ['2026-11-23', '21:00'],
  ['2026-11-24', '21:00'],
  ['2026-11-25', '21:00'],
  ['2026-11-27', '18:00'],
  ['2026-11-30', '21:00'],
].map(([date = '', close]) => ({ date, start: at(`${date}T14:30Z`), end: at(`${date}T${close}Z`), offsetSec: -18_000 }))
const SPAN: Window = { start: at('2026-11-23'), end: at('2026-12-01') }

/** How complete series are, by the sessions of their calendar. */
export function describeCompleteness({ database, store }: Subject): void {
  beforeEach(async () => {
    await store.putInstrument('AAPL.NASDAQ', details('AAPL'), NOW)
    const known = { start: at('2026-11-20T21:00Z'), end: at('2026-11-30T21:00Z') }
    await store.putSessions({
      calendar: 'STK NASDAQ',
      hours: 'regular',
      zone: 'US/Eastern',
      known,
      sessions: WEEK,
      askedAt: at('2026-12-01'),
    })
  })

  async function seriesOf(spec: string, more: Partial<SeriesKey> = {}): Promise<number> {
    const key = { instrumentId: 'AAPL.NASDAQ', hours: 'regular', spec, ...more } as const
    return (await store.ensureSeries([key]))[0]?.id ?? 0
  }
  const judged = async (seriesId: number, { start, end }: Window = SPAN, now = SPAN.end) =>
    (await store.completeness([{ seriesId, start, until: end }], now))[0]
  const rows = (seriesId: number, until = SPAN.end) =>
    store.sessionRows({ seriesId, start: SPAN.start, until }, SPAN.end, 100)

  describe('the sessions of a series', () => {
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
        flagged: 1,
      })
    })

    it('are for people in the view completeness, since what is declared or covered', async () => {
      const id = await seriesOf('1-MINUTE-LAST')
      await seriesOf('1-DAY-LAST')
      const dates = async () =>
        (
          await database.rows<{ date: string }>(sql`
          select to_char(date, 'YYYY-MM-DD') as date from completeness order by spec, date`)
        ).map(({ date }) => date)
      expect(await dates()).toEqual([])
      const friday = { start: at('2026-11-27T14:30Z'), end: at('2026-11-27T16:00Z') }
      await fill(store, id, friday, filled(friday, barsAt([friday.start])))
      expect(await dates()).toEqual(['2026-11-27', '2026-11-30'])
      await store.putDataset({ ...DEFINITION, specs: ['DAILY'], since: '2026-11-25' }, NOW)
      await store.linkDataset({ ...DEFINITION, specs: ['DAILY'], since: '2026-11-25' })
      expect(await dates()).toEqual(['2026-11-25', '2026-11-27', '2026-11-30', '2026-11-27', '2026-11-30'])
      const found = await database.rows(sql`
        select instrument_id, expected, stored, covered, state from completeness where series_id = ${id} and date = '2026-11-27'`)
      expect(found).toMatchObject([{ instrument_id: 'AAPL.NASDAQ', expected: 210, stored: 1, covered: false }])
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
      expect((await rows(id)).map(({ date }) => date)).toEqual(['2026-11-24', '2026-11-25'])
    })
  })

  describe('what is missing', () => {
    it('is a gap that holds a session that is over, and no other', async () => {
      const id = await seriesOf('1-MINUTE-LAST')
      const wednesday = { start: SPAN.start, end: at('2026-11-25T21:00Z') }
      await fill(store, id, wednesday, filled(wednesday, barsAt([at('2026-11-23T14:30Z')])))
      expect(await judged(id, { start: SPAN.start, end: at('2026-11-27T14:30Z') })).toMatchObject({ gaps: 0 })
      expect(await judged(id, { start: SPAN.start, end: at('2026-11-27T17:59Z') })).toMatchObject({
        gaps: 0,
        sessions: { open: 1, complete: 3, missing: 0 },
      })
      expect(await judged(id, { start: SPAN.start, end: at('2026-11-27T18:00Z') })).toMatchObject({
        gaps: 1,
        missing: [{ start: wednesday.end, end: at('2026-11-27T18:00Z') }],
        sessions: { open: 0, complete: 3, missing: 1 },
      })
      const friday = { start: at('2026-11-27T14:30Z'), end: at('2026-11-27T18:00Z') }
      await fill(store, id, friday, filled(friday, barsAt([friday.start])))
      expect(await judged(id, { start: SPAN.start, end: at('2026-11-30T14:00Z') })).toMatchObject({
        gaps: 0,
        missing: [],
      })
    })

    it('is time of which no sessions are known, a day later', async () => {
      const id = await seriesOf('1-MINUTE-LAST', { hours: 'all' })
      const monday = { start: at('2026-11-23'), end: at('2026-11-24') }
      await fill(store, id, monday, filled(monday, barsAt([monday.start])))
      const window = { start: monday.start, end: at('2026-11-24T12:00Z') }
      expect(await judged(id, window, window.end)).toMatchObject({ gaps: 0, sessions: { complete: 0, open: 0 } })
      expect(await judged(id, window, at('2026-11-25T12:00Z'))).toMatchObject({
        gaps: 1,
        missing: [{ start: monday.end, end: window.end }],
      })
    })

    it('is told of many series in the order asked, of those with nothing due as well, a hundred gaps each', async () => {
      const [days, hourly] = [await seriesOf('1-DAY-LAST'), await seriesOf('1-HOUR-LAST', { hours: 'all' })]
      await database.rows(sql`
        insert into coverage (series_id, state, windows) select ${hourly}::int, 'empty', range_agg(tstzrange(t, t + interval '1 hour'))
        from generate_series(timestamptz '2026-10-01Z', '2026-10-10 22:00Z', interval '2 hours') t`)
      const found = await store.completeness(
        [
          { seriesId: hourly, start: at('2026-10-01'), until: at('2026-10-11') },
          { seriesId: days, start: SPAN.start, until: SPAN.start },
          { seriesId: days, start: SPAN.start, until: SPAN.end },
        ],
        SPAN.end,
      )
      expect(found.map(({ seriesId, gaps }) => [seriesId, gaps])).toEqual([
        [hourly, 120],
        [days, 0],
        [days, 1],
      ])
      expect(found[0]?.missing).toHaveLength(100)
      expect(found[0]?.missing[0]).toEqual({ start: at('2026-10-01T01:00Z'), end: at('2026-10-01T02:00Z') })
    })
  })

  it('a series is judged since what is covered, or what a dataset declares where that is earlier', async () => {
    const id = await seriesOf('1-MINUTE-LAST')
    const other = await seriesOf('1-DAY-LAST')
    const page = { after: 0, limit: 10 }
    expect(await store.judgedSeries({}, page)).toMatchObject([
      { id, since: undefined, secType: 'STK', timeZoneId: 'US/Eastern' },
      { id: other, since: undefined },
    ])
    await fill(store, id, SPAN, empty(SPAN))
    expect(await store.judgedSeries({ specs: ['1-MINUTE-LAST'] }, page)).toMatchObject([{ id, since: SPAN.start }])
    expect(await store.judgedSeries({}, { after: id, limit: 1 })).toMatchObject([{ id: other }])
    expect(await store.judgedSeries({ hours: 'all' }, page)).toEqual([])
    expect(await store.judgedSeries({ instrumentIds: ['MSFT.NASDAQ'] }, page)).toEqual([])
  })
}
