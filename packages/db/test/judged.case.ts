import { formatInstant } from '@tidegate/core'
import type { SeriesFilter } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { empty, fill, queue, type Subject } from './fixture.ts'
import { at, openWeek, SPAN } from './thanksgiving.ts'

/** Which series are judged, from when and until when. */
export function describeJudged({ database, store }: Subject): void {
  const { declare, series, seriesOf } = openWeek({ store })

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
    await database.rows(sql`update instruments set details = jsonb_set(details, '{realExpirationDate}', '"20261120"')`)
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
}
