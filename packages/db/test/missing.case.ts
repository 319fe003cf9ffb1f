import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { barsAt, empty, fill, filled, type Subject } from './fixture.ts'
import { at, openWeek, SPAN } from './thanksgiving.ts'

/** What a series lacks of what it could have. */
export function describeMissing({ database, store }: Subject): void {
  const { judged, seriesOf } = openWeek({ store })

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

  it('is told apart from what IBKR never has, which is no share of what may be had', async () => {
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

  it('counts by its days where no sessions are known, and that is told', async () => {
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
