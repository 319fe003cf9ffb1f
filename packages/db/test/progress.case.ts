import { expect, it } from 'vitest'
import {
  anySeries,
  barsAt,
  claimed,
  empty,
  fill,
  filled,
  held,
  minutes,
  NOW,
  queue,
  type Subject,
  T0,
  taken,
  windowOf,
} from './fixture.ts'

/** What has come of runs, what is stored, and what is to be told of it. */
export function describeProgress({ store }: Subject): void {
  it('a run tells of each of its series what is settled, its bars and its newest failure', async () => {
    const [apple, msft] = [await anySeries(store, 'AAPL'), await anySeries(store, 'MSFT')]
    const id = 'run of two'
    const { chunkIds } = await store.createRun({
      id,
      source: 'test',
      now: NOW,
      chunks: [apple, apple, apple, msft].map((series, i) => ({
        seriesId: series.id,
        window: windowOf(T0 + i * 600, 10),
      })),
    })
    expect(chunkIds).toHaveLength(4)
    const [first, second, third] = await Promise.all(chunkIds.map((chunk) => taken(store, chunk)))
    const done = held(first)
    await store.commit(done, filled(done.window, barsAt(minutes(done.window.start, 7))), NOW)
    await store.giveUp(held(second), 'parked', { kind: 'no-permission', message: 'subscribe', code: 354 }, NOW)
    await store.requeue(held(third), { kind: 'busy', message: 'later', retryAfterMs: 5 }, NOW)
    const run = await store.run(id)
    expect(run).toMatchObject({ id, state: 'open', createdAt: NOW, finishedAt: undefined, bars: 7 })
    expect(run?.chunks).toEqual({ queued: 1, leased: 1, done: 1, failed: 0, parked: 1, cancelled: 0 })
    expect(run?.series).toEqual([
      {
        seriesId: apple.id,
        instrumentId: 'AAPL.NASDAQ',
        spec: '1-MINUTE-LAST',
        hours: 'regular',
        total: 3,
        settled: 2,
        bars: 7,
        error: { kind: 'busy', message: 'later', retryAfterMs: 5 },
      },
      {
        seriesId: msft.id,
        instrumentId: 'MSFT.NASDAQ',
        spec: '1-MINUTE-LAST',
        hours: 'regular',
        total: 1,
        settled: 0,
        bars: 0,
        error: undefined,
      },
    ])
    expect(await store.run('no such run')).toBeUndefined()
  })

  it('runs are closed once all is settled, by what became of it', async () => {
    const series = await anySeries(store)
    const claims = []
    for (const i of [0, 1, 2]) claims.push(await claimed(store, series.id, windowOf(T0 + i * 600, 10)))
    const [good, bad, open] = claims
    await store.commit(held(good), empty(held(good).window), NOW)
    await store.giveUp(held(bad), 'failed', { kind: 'invalid', message: 'no' }, NOW)
    expect((await store.closeRuns(NOW + 9)).sort()).toEqual([good, bad].map((claim) => claim?.runId).sort())
    expect(await store.run(held(good).runId)).toMatchObject({ state: 'done', finishedAt: NOW + 9 })
    expect(await store.run(held(bad).runId)).toMatchObject({ state: 'failed', finishedAt: NOW + 9 })
    expect((await store.run(held(open).runId))?.state).toBe('open')
    expect(await store.closeRuns(NOW + 10)).toEqual([])
    await store.createRun({ id: 'empty', source: 'test', chunks: [], now: NOW })
    expect(await store.closeRuns(NOW)).toEqual(['empty'])
  })

  it('an outbox entry is told until it is delivered, and then never again', async () => {
    const series = await anySeries(store)
    const [chunkId = ''] = await queue(store, series.id, [windowOf(T0, 10)])
    await queue(store, series.id, [windowOf(T0 + 600, 10)])
    const claim = await taken(store, chunkId)
    await store.commit(claim, empty(claim.window), NOW)
    const entries = await store.outbox(10)
    expect(entries.map(({ kind }) => kind)).toEqual(['chunk-queued', 'chunk-queued', 'chunk-settled'])
    expect(entries.at(-1)?.chunkId).toBe(chunkId)
    expect(await store.outbox(2)).toEqual(entries.slice(0, 2))
    await store.delivered(
      entries.slice(0, 2).map(({ id }) => id),
      NOW,
    )
    await store.delivered([], NOW)
    expect(await store.outbox(10)).toEqual(entries.slice(2))
  })

  it('bars come from a half-open window, in order, no more than asked for', async () => {
    const series = await anySeries(store)
    const ten = windowOf(T0, 10)
    await fill(store, series.id, ten, filled(ten, barsAt(minutes(T0, 10))))
    const times = async (start: number, end: number, limit = 100) =>
      (await store.bars(series.id, { start, end }, limit)).t
    expect(await times(T0 + 60, T0 + 180)).toEqual([T0 + 60, T0 + 120])
    expect(await times(T0 + 61, T0 + 181)).toEqual([T0 + 120, T0 + 180])
    expect(await times(T0, T0 + 600, 3)).toEqual(minutes(T0, 3))
    expect(await store.bars(series.id, windowOf(T0 - 600, 10), 5)).toEqual(barsAt([]))
    expect(await store.bars(999, ten, 5)).toEqual(barsAt([]))
  })

  it('series tell their bars and what is covered, all of them or those asked for', async () => {
    const [msft, apple] = [await anySeries(store, 'MSFT'), await anySeries(store, 'AAPL')]
    const ten = windowOf(T0, 10)
    await fill(store, apple.id, ten, filled(ten, barsAt(minutes(T0, 8))))
    await fill(store, apple.id, windowOf(T0 + 600, 10), empty(windowOf(T0 + 600, 10)))
    await fill(store, apple.id, windowOf(T0 + 3000, 1), empty(windowOf(T0 + 3000, 1)))
    const summaries = await store.series()
    expect(summaries).toEqual([
      { ...apple, bars: 8, from: T0, to: T0 + 420, covered: [windowOf(T0, 20), windowOf(T0 + 3000, 1)] },
      { ...msft, bars: 0, from: undefined, to: undefined, covered: [] },
    ])
    expect(await store.series({ instrumentIds: ['MSFT.NASDAQ'] })).toEqual(summaries.slice(1))
    expect(await store.series({ specs: ['1-MINUTE-LAST'], instrumentIds: ['AAPL.NASDAQ', 'X'] })).toEqual(
      summaries.slice(0, 1),
    )
    expect(await store.series({ specs: ['1-DAY-LAST'] })).toEqual([])
    expect(await store.series({ instrumentIds: [] })).toEqual([])
  })
}
