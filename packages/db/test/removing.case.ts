import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { DAY_SEC, HOUR_SEC, openDatasets } from './declared.ts'
import {
  barsAt,
  coverageOf,
  DEFINITION,
  fill,
  filled,
  NOW,
  newRunId,
  type Subject,
  T0,
  taken,
  windowOf,
} from './fixture.ts'

/** What removing a dataset stops, and what it leaves. */
export function describeRemoving({ database, store }: Subject): void {
  const { declared, state } = openDatasets({ store })

  /** A dataset with an hour stored and an hour open. */
  async function busy(name: string): Promise<{ id: number; chunkId: string; runId: string }> {
    await declared({ name })
    const id = (await state(name))?.series[0]?.id ?? 0
    const hour = windowOf(T0, 60)
    await fill(store, id, hour, filled(hour, barsAt([T0])))
    const chunks = [{ seriesId: id, window: windowOf(T0 + HOUR_SEC, 60) }]
    const run = { id: newRunId(), source: 'tick', dataset: name, chunks, now: NOW }
    const [chunkId = ''] = (await store.createRun(run)).chunkIds
    expect((await state(name))?.lastRun).toMatchObject({ id: run.id, source: 'tick', state: 'open' })
    return { id, chunkId, runId: run.id }
  }

  it('cancels what is under way and keeps what is stored', async () => {
    const { id, chunkId, runId } = await busy('stocks')
    const { fence } = await taken(store, chunkId)
    expect(await store.removeDataset('stocks', { dropData: false }, NOW)).toBe(true)
    expect(await store.datasets()).toEqual([])
    const hour = windowOf(T0 + HOUR_SEC, 60)
    const late = { chunkId, fence, window: hour }
    expect(await store.commit(late, filled(hour, barsAt([hour.start])), NOW)).toMatchObject({ held: false })
    expect((await store.bars(id, windowOf(T0, 120), 10)).t).toEqual([T0])
    expect(await coverageOf(database, id)).toMatchObject({ filled: [[T0, T0 + HOUR_SEC]] })
    expect(await store.run(runId)).toMatchObject({
      state: 'cancelled',
      chunks: { cancelled: 1, queued: 0, leased: 0 },
    })
    expect(await store.closeRuns(NOW)).not.toContain(runId)
    // Its runs keep its name; they are not those of another one of that name.
    expect(await store.runs({ limit: 1, dataset: 'stocks' })).toMatchObject([{ id: runId, dataset: 'stocks' }])
    await store.putDataset(DEFINITION, NOW + 1)
    expect((await state('stocks'))?.lastRun).toBeUndefined()
    await store.removeDataset('stocks', { dropData: false }, NOW + 1)
    expect(await store.removeDataset('stocks', { dropData: false }, NOW)).toBe(false)
  })

  it('cancels what waits for a login, of runs that have ended too', async () => {
    const { chunkId, runId } = await busy('stocks')
    const { fence } = await taken(store, chunkId)
    const login = { kind: 'login-required', message: 'log in' } as const
    await store.giveUp({ chunkId, fence }, 'parked', login, NOW)
    await store.closeRuns(NOW)
    expect(await store.run(runId)).toMatchObject({ state: 'failed', chunks: { parked: 1 } })
    await store.removeDataset('stocks', { dropData: false }, NOW)
    expect(await store.run(runId)).toMatchObject({ state: 'cancelled', chunks: { parked: 0, cancelled: 1 } })
    expect(await store.resume(NOW + 999, 10)).toBe(0)
  })

  it('with its data drops what no other dataset wants, and the series', async () => {
    const { id, chunkId } = await busy('stocks')
    await declared({ name: 'other', specs: ['1MIN'] })
    expect(await store.removeDataset('stocks', { dropData: true }, NOW)).toBe(true)
    expect((await store.bars(id, windowOf(T0, 60), 10)).t).toEqual([T0])
    expect(await store.removeDataset('other', { dropData: true }, NOW)).toBe(true)
    expect((await store.bars(id, windowOf(T0, 60), 10)).t).toEqual([])
    expect(await coverageOf(database, id)).toEqual({})
    expect(await store.claim(chunkId, { now: NOW + DAY_SEC, leaseSec: 60 })).toBeUndefined()
    expect(await store.series()).toEqual([])
    await declared({ name: 'again' })
    expect((await state('again'))?.series).toMatchObject([{ gaps: [{ end: NOW }] }])
  })

  it('with its data leaves nothing of what was flagged, told anew or is collected again, whoever asks for it', async () => {
    const { id, runId } = await busy('stocks')
    const hour = windowOf(T0 + 4 * HOUR_SEC, 60)
    const flags = [{ t: hour.start, why: 'high below open' }]
    await fill(store, id, hour, { ...filled(hour, barsAt([hour.start])), flags })
    await fill(store, id, hour, { ...filled(hour, barsAt([hour.start], 90)), flags })
    const hand = newRunId()
    const asked = [windowOf(T0 + 9 * HOUR_SEC, 60), windowOf(T0 + 10 * HOUR_SEC, 60)]
    const chunks = asked.map((window) => ({ seriesId: id, window }))
    const { chunkIds } = await store.createRun({ id: hand, source: 'fetch', chunks, now: NOW })
    const [finder, other] = await Promise.all(chunkIds.map((chunk) => taken(store, chunk)))
    if (!finder || !other) throw new Error('Two chunks were made.')
    const split = { ratio: 0.25, since: undefined, before: T0 + 9 * HOUR_SEC }
    const { adjustmentId } = await store.openAdjustment(finder, split, NOW)
    const again = {
      source: 'adjustment',
      adjustmentId,
      now: NOW,
      chunks: [{ seriesId: id, window: windowOf(T0, 60) }],
    }
    const [collectId = ''] = (await store.createRun({ id: newRunId(), ...again })).chunkIds
    await store.stage(await taken(store, collectId), barsAt([T0], 25), NOW)
    expect(await rowsLeft()).toMatchObject({ staged_bars: 1, adjustments: 1, flagged_bars: 1, restatements: 1 })

    expect(await store.removeDataset('stocks', { dropData: true }, NOW)).toBe(true)
    const none = { bars: 0, coverage: 0, flagged_bars: 0, restatements: 0, adjustments: 0, staged_bars: 0 }
    expect(await rowsLeft()).toEqual({ ...none, chunks: 0, series: 0, dataset_series: 0 })
    expect(await store.commit(other, filled(other.window, barsAt([other.window.start])), NOW)).toMatchObject({
      held: false,
    })
    expect(await store.run(runId)).toMatchObject({ state: 'cancelled' })
    expect(await store.closeRuns(NOW)).toEqual(expect.arrayContaining([hand]))
  })

  /** How much is stored, whatever of. */
  async function rowsLeft(): Promise<Record<string, number> | undefined> {
    const tables = [
      'bars',
      'coverage',
      'flagged_bars',
      'restatements',
      'adjustments',
      'staged_bars',
      'chunks',
      'series',
    ]
    const counts = [...tables, 'dataset_series'].map(
      (name) => sql`(select count(*)::int from ${sql.identifier(name)}) as ${sql.identifier(name)}`,
    )
    return (await database.rows<Record<string, number>>(sql`select ${sql.join(counts, sql`, `)}`))[0]
  }
}
