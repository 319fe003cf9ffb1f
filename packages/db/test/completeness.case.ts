import { formatInstant, parseInstant, type Session, type Window } from '@tidegate/core'
import type { SeriesFilter, SeriesKey } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { beforeEach, describe, expect, it } from 'vitest'
import { barsAt, DEFINITION, details, empty, fill, filled, minutes, NOW, queue, type Subject } from './fixture.ts'

const at = parseInstant
const DAY_SEC = 86_400
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
  const series = (filter: SeriesFilter = {}, now = SPAN.end) =>
    store.judgedSeries(filter, { after: 0, limit: 10 }, { now })
  async function declare(name: string, since: string, specs: readonly string[] = ['1-DAY-LAST']): Promise<void> {
    const definition = { ...DEFINITION, name, since, specs }
    await store.putDataset(definition, NOW)
    await store.linkDataset(definition)
  }
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

  describe('what is judged of a series', () => {
    it('begins with what was asked or answered first, on the grid of its bars', async () => {
      const [id, other] = [await seriesOf('1-HOUR-LAST'), await seriesOf('1-DAY-LAST')]
      expect(await series()).toMatchObject([
        { id, window: undefined, secType: 'STK', datasets: [], wanted: true },
        { id: other, window: undefined },
      ])
      await queue(store, id, [{ start: at('2026-11-24T15:00:07Z'), end: at('2026-11-25') }])
      const answered = { start: at('2026-11-25T11:00Z'), end: at('2026-11-26') }
      await fill(store, other, answered, empty(answered))
      expect(await series()).toMatchObject([
        { id, window: { start: at('2026-11-24T15:00Z') } },
        { id: other, window: { start: at('2026-11-25') } },
      ])
    })

    it('begins with what datasets declare, whatever was asked before; of one alone with what that declares', async () => {
      const [id, other] = [await seriesOf('1-DAY-LAST'), await seriesOf('1-HOUR-LAST')]
      await fill(store, id, SPAN, empty(SPAN))
      await fill(store, other, SPAN, empty(SPAN))
      await declare('late', '2026-11-26T00:00Z')
      await declare('early', '2026-11-25T20:00Z')
      const found = await series()
      expect(found).toMatchObject([
        { id, datasets: ['early', 'late'], wanted: true, window: { start: at('2026-11-25') } },
        { id: other, datasets: [], wanted: false, window: { start: SPAN.start } },
      ])
      expect(await series({ dataset: 'late' })).toMatchObject([{ id, window: { start: at('2026-11-26') } }])
      expect(await series({ dataset: 'none' })).toEqual([])
      await declare('whole', 'head')
      expect(await series({ instrumentIds: ['AAPL.NASDAQ'], specs: ['1-DAY-LAST'] })).toMatchObject([
        { window: undefined },
      ])
    })

    it('ends where bars are final: by the venue’s clocks, a future’s day a day later, what expires with it', async () => {
      for (const spec of ['1-MINUTE-LAST', '1-HOUR-LAST', '1-DAY-LAST', '1-WEEK-LAST']) await seriesOf(spec)
      const ends = async (now: string) =>
        (await series({}, at(now))).map(({ until }) => formatInstant(until).slice(5, 16))
      expect(await ends('2026-12-01T04:59Z')).toEqual(['12-01T04:58', '12-01T03:59', '11-30T00:00', '11-30T00:00'])
      expect(await ends('2026-12-01T05:00Z')).toEqual(['12-01T04:59', '12-01T04:00', '12-01T00:00', '11-30T00:00'])
      await database.rows(sql`update instruments set details = jsonb_set(details, '{contract,secType}', '"FUT"')`)
      expect(await ends('2026-12-01T05:00Z')).toEqual(['12-01T04:59', '12-01T04:00', '11-30T00:00', '11-30T00:00'])
      await database.rows(
        sql`update instruments set details = jsonb_set(details, '{realExpirationDate}', '"20261120"')`,
      )
      expect(await ends('2026-12-01T05:00Z')).toEqual(['11-23T00:00', '11-23T00:00', '11-23T00:00', '11-23T00:00'])
    })

    it('is found by pages and filters, and cut where somebody asks for less', async () => {
      const [id, other] = [await seriesOf('1-MINUTE-LAST'), await seriesOf('1-DAY-LAST')]
      await fill(store, id, SPAN, empty(SPAN))
      const ids = async (filter: SeriesFilter, after = 0) =>
        (await store.judgedSeries(filter, { after, limit: 1 }, { now: SPAN.end })).map((one) => one.id)
      expect(await ids({ specs: ['1-DAY-LAST'] })).toEqual([other])
      expect(await ids({}, id)).toEqual([other])
      expect(await ids({ hours: 'all' })).toEqual([])
      expect(await ids({ instrumentIds: ['MSFT.NASDAQ'] })).toEqual([])
      const [start, end] = [at('2026-11-24T00:00:30Z'), at('2026-11-25')]
      const cut = await store.judgedSeries({}, { after: 0, limit: 9 }, { now: SPAN.end, start, end })
      expect(cut).toMatchObject([
        { window: { start: at('2026-11-24'), end } },
        { window: { start: at('2026-11-24'), end } },
      ])
    })
  })

  it('the view completeness, the counts and the rows of sessions say the same', async () => {
    const specs = ['1-MINUTE-LAST', '1-DAY-LAST', '1-WEEK-LAST', '1-HOUR-LAST']
    const ids: number[] = []
    for (const spec of specs) ids.push(await seriesOf(spec))
    const now = Math.floor(Date.now() / 1000)
    // Sessions of the last days, whatever the day: the view goes by the database's clock.
    const day = (ago: number) => Math.floor(now / DAY_SEC - ago) * DAY_SEC
    const recent = [9, 8, 6, 4, 3, 1].map((ago): Session => {
      const date = formatInstant(day(ago)).slice(0, 10)
      return { date, start: day(ago) + 14 * 3600, end: day(ago) + 21 * 3600, offsetSec: -18_000 }
    })
    const known = { start: day(9) + 14 * 3600, end: day(1) + 21 * 3600 }
    await store.putSessions({
      calendar: 'STK NASDAQ',
      hours: 'regular',
      zone: 'US/Eastern',
      known,
      sessions: recent,
      askedAt: now,
    })
    for (const id of ids) {
      const [older, newer] = [
        { start: day(12), end: day(7) },
        { start: day(5), end: day(3) + 15 * 3600 },
      ]
      await fill(store, id, older, filled(older, barsAt([day(8) + 15 * 3600])))
      await fill(store, id, newer, empty(newer))
    }
    await declare('d', formatInstant(day(14)), ['1-DAY-LAST', '1-HOUR-LAST'])
    const found = await store.judgedSeries({}, { after: 0, limit: 9 }, { now })
    const judged = found.flatMap(({ id, window }) =>
      window ? [{ seriesId: id, start: window.start, until: window.end }] : [],
    )
    const counts = await store.completeness(judged, now)
    expect(counts.map(({ gaps }) => gaps)).toEqual([expect.any(Number), 3, expect.any(Number), 3])
    const view = await database.rows<{ series_id: number; state: string; wanted: boolean }>(sql`
      select series_id, state, wanted from completeness where state not in ('open', 'unknown')`)
    for (const [i, { id, wanted }] of found.entries()) {
      const of = view.filter((row) => row.series_id === id)
      const states = ['complete', 'empty', 'unavailable', 'partial', 'missing'] as const
      const told = Object.fromEntries(states.map((state) => [state, of.filter((row) => row.state === state).length]))
      expect({ id, ...counts[i]?.sessions }).toMatchObject({ id, ...told })
      expect(of.every((row) => row.wanted === wanted)).toBe(true)
    }
    const unknown = await database.rows<{ spec: string; opens: string }>(sql`
      select spec, extract(epoch from opens)::float8 as opens from completeness where state = 'unknown' and opens < to_timestamp(${day(9)}::float8) order by 1`)
    expect(unknown).toEqual([
      { spec: '1-DAY-LAST', opens: day(14) },
      { spec: '1-HOUR-LAST', opens: day(14) },
    ])
    expect(await store.datasetCompleteness(now)).toEqual(
      counts.flatMap((one, i) => (found[i]?.wanted ? [{ ...one, dataset: 'd' }] : [])),
    )
  })

  it('what IBKR never has is told apart, and is no share of what may be had', async () => {
    const id = await seriesOf('1-DAY-LAST')
    const [never, rest] = [
      { start: SPAN.start, end: at('2026-11-25') },
      { start: at('2026-11-25'), end: at('2026-11-28') },
    ]
    await store.markUnavailable([{ seriesId: id, window: never }])
    await fill(store, id, rest, filled(rest, barsAt([rest.start])))
    const found = await judged(id)
    expect(found).toMatchObject({ unavailable: [never], sessions: { unavailable: 2, complete: 2, missing: 1 } })
    expect(found?.share).toEqual({ had: 2, due: 3 })
    const key = { instrumentId: 'AAPL.NASDAQ', hours: 'regular' } as const
    expect(
      await store.unavailable([
        { ...key, spec: '1-HOUR-LAST' },
        { ...key, spec: '1-DAY-LAST' },
      ]),
    ).toEqual([[], [never]])
  })

  it('time of which no sessions are known is told, and counts by its days', async () => {
    const id = await seriesOf('1-DAY-LAST')
    const [before, after] = [
      { start: at('2026-11-01'), end: at('2026-11-11') },
      { start: SPAN.start, end: SPAN.end },
    ]
    await fill(store, id, before, empty(before))
    await fill(store, id, after, empty(after))
    const found = await judged(id, { start: before.start, end: SPAN.end }, at('2026-12-05'))
    expect(found).toMatchObject({
      unknown: [{ start: before.start, end: at('2026-11-20T21:00Z') }],
      missing: [{ start: before.end, end: after.start }],
    })
    expect(found?.share.had).toBeCloseTo(5 + 10 + 3 / 24, 5)
    expect(found?.share.due).toBeCloseTo(5 + 19 + 21 / 24 + 3 / 24, 5)
  })
}
