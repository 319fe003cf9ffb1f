import { describe, expect, it } from 'vitest'
import {
  anySeries,
  barsAt,
  claimed,
  deliver,
  eachSeries,
  empty,
  fill,
  filled,
  LEASE,
  NOW,
  newRunId,
  queue,
  type Subject,
  T0,
  taken,
  windowOf,
} from './fixture.ts'

const BUSY = { kind: 'busy', message: 'later' } as const

/** Gaps, and the life of a chunk. */
export function describeChunks({ store }: Subject): void {
  const series = eachSeries(store)
  const gapsOf = async (window = windowOf(T0, 60), options = {}) =>
    (await store.gaps([{ seriesId: series.id, window }], options))[0]?.windows

  describe('gaps', () => {
    it('are the window while nothing is known, each want by itself, in the order asked', async () => {
      const other = await anySeries(store, 'MSFT')
      await fill(store, other.id, windowOf(T0, 10), empty(windowOf(T0, 10)))
      const wants = [other, series, other].map(({ id }) => ({ seriesId: id, window: windowOf(T0, 20) }))
      expect(await store.gaps(wants)).toEqual([
        { seriesId: other.id, windows: [windowOf(T0 + 600, 10)] },
        { seriesId: series.id, windows: [windowOf(T0, 20)] },
        { seriesId: other.id, windows: [windowOf(T0 + 600, 10)] },
      ])
      expect(await store.gaps([])).toEqual([])
    })

    it('are less what is covered, whatever its state, to the second', async () => {
      await fill(store, series.id, windowOf(T0 + 600, 10), filled(windowOf(T0 + 600, 10), barsAt([T0 + 600])))
      await fill(store, series.id, windowOf(T0 + 1800, 10), empty(windowOf(T0 + 1800, 10)))
      expect(await gapsOf()).toEqual([windowOf(T0, 10), windowOf(T0 + 1200, 10), windowOf(T0 + 2400, 20)])
      expect(await gapsOf({ start: T0 + 599, end: T0 + 1200 })).toEqual([{ start: T0 + 599, end: T0 + 600 }])
      expect(await gapsOf({ start: T0 + 600, end: T0 + 1201 })).toEqual([{ start: T0 + 1200, end: T0 + 1201 }])
      expect(await gapsOf(windowOf(T0 + 600, 10))).toEqual([])
    })

    it('are less what open chunks ask for, queued or leased', async () => {
      const [queued = ''] = await queue(store, series.id, [windowOf(T0, 10)])
      await claimed(store, series.id, windowOf(T0 + 600, 10))
      expect(await gapsOf()).toEqual([windowOf(T0 + 1200, 40)])
      const claim = await taken(store, queued)
      await store.giveUp(claim, 'failed', BUSY, NOW)
      expect(await gapsOf()).toEqual([windowOf(T0, 10), windowOf(T0 + 1200, 40)])
    })

    it('are less what was lately given up, where that is asked for', async () => {
      for (const [i, state] of (['failed', 'parked'] as const).entries()) {
        await store.giveUp(await claimed(store, series.id, windowOf(T0 + i * 600, 10)), state, BUSY, NOW)
      }
      expect(await gapsOf(undefined, { givenUpSince: NOW })).toEqual([windowOf(T0 + 1200, 40)])
      expect(await gapsOf(undefined, { givenUpSince: NOW + 1 })).toEqual([windowOf(T0, 60)])
      expect(await gapsOf()).toEqual([windowOf(T0, 60)])
    })
  })

  describe('a run', () => {
    it('leaves out chunks that overlap open ones of their series, and takes those that only touch', async () => {
      await queue(store, series.id, [windowOf(T0, 10)])
      const other = await anySeries(store, 'MSFT')
      const overlapping = [windowOf(T0 + 300, 10), windowOf(T0 - 60, 2), windowOf(T0 + 60, 1)]
      expect(await queue(store, series.id, overlapping)).toEqual([])
      expect(await queue(store, series.id, [windowOf(T0 - 60, 1), windowOf(T0 + 600, 1)])).toHaveLength(2)
      expect(await queue(store, other.id, [windowOf(T0, 10)])).toHaveLength(1)
    })

    it('begins with the newest window, and puts each chunk into the outbox', async () => {
      const windows = [windowOf(T0, 10), windowOf(T0 + 600, 10), windowOf(T0 + 1200, 10)]
      const ids = await queue(store, series.id, windows)
      expect(await store.outbox(10)).toMatchObject(ids.map((chunkId) => ({ kind: 'chunk-queued', chunkId })))
      const claims = []
      for (const id of await store.due(NOW, 10)) claims.push((await taken(store, id)).window)
      expect(claims).toEqual(windows.toReversed())
    })

    it('may be empty; a second one of the same id puts down nothing', async () => {
      const id = newRunId()
      expect((await store.createRun({ id, source: 'test', chunks: [], now: NOW })).chunkIds).toEqual([])
      const chunks = [{ seriesId: series.id, window: windowOf(T0, 1) }]
      expect((await store.createRun({ id, source: 'test', chunks, now: NOW })).chunkIds).toEqual([])
      expect(await gapsOf()).toEqual([windowOf(T0, 60)])
      expect(await store.outbox(10)).toEqual([])
    })

    it('of series that do not exist, or windows that are none, is refused whole', async () => {
      for (const chunk of [
        { seriesId: 999, window: windowOf(T0, 1) },
        { seriesId: series.id, window: { start: T0, end: T0 - 1 } },
        { seriesId: series.id, window: { start: Number.NaN, end: T0 } },
      ]) {
        const id = newRunId()
        const chunks = [{ seriesId: series.id, window: windowOf(T0, 1) }, chunk]
        await expect(store.createRun({ id, source: 'test', chunks, now: NOW })).rejects.toMatchObject({
          kind: 'internal',
        })
        expect(await store.run(id)).toBeUndefined()
      }
    })

    it('of which two at once want the same asks once, all windows together', async () => {
      const windows = Array.from({ length: 30 }, (_, i) => windowOf(T0 + i * 600, 10))
      const found = await Promise.all([
        queue(store, series.id, windows),
        queue(store, series.id, windows.toReversed()),
        queue(
          store,
          series.id,
          windows.map(({ start, end }) => ({ start: start + 300, end: end + 300 })),
        ),
      ])
      const ids = found.flat()
      const claims = []
      for (const id of ids) claims.push((await taken(store, id)).window)
      claims.sort((a, b) => a.start - b.start)
      for (const [i, claim] of claims.entries()) expect(claim.start).toBeGreaterThanOrEqual(claims[i - 1]?.end ?? 0)
    })
  })

  describe('a claim', () => {
    it('tells the worker all it needs, and counts its fence and its attempts', async () => {
      const [id = ''] = await queue(store, series.id, [windowOf(T0, 10)])
      const claim = await taken(store, id)
      expect(claim).toMatchObject({
        chunkId: id,
        fence: 1,
        attempt: 1,
        failed: undefined,
        priority: 'scheduled',
        window: windowOf(T0, 10),
        series,
        instrument: { id: 'AAPL.NASDAQ', details: { timeZoneId: 'US/Eastern' }, updatedAt: NOW },
      })
      expect(await store.requeue(claim, BUSY, NOW)).toBe(true)
      expect(await store.claim(id, LEASE)).toMatchObject({ fence: 2, attempt: 2, failed: { kind: 'busy', times: 1 } })
    })

    it('tells the worker what its run goes before or after', async () => {
      const chunks = [{ seriesId: series.id, window: windowOf(T0, 10) }]
      const run = { id: 'urgent', source: 'test', priority: 'interactive', chunks, now: NOW } as const
      const [id = ''] = (await store.createRun(run)).chunkIds
      expect(await store.claim(id, LEASE)).toMatchObject({ priority: 'interactive' })
    })

    it('counts failures of a kind in a row', async () => {
      const [id = ''] = await queue(store, series.id, [windowOf(T0, 10)])
      const seen = []
      let claim = await taken(store, id)
      for (const kind of ['busy', 'busy', 'timeout', 'busy'] as const) {
        await store.requeue(claim, { kind, message: '' }, NOW)
        claim = await taken(store, id)
        seen.push(claim.failed)
      }
      expect(seen).toEqual([
        { kind: 'busy', times: 1 },
        { kind: 'busy', times: 2 },
        { kind: 'timeout', times: 1 },
        { kind: 'busy', times: 1 },
      ])
    })

    it('is one of many at once', async () => {
      const [id = ''] = await queue(store, series.id, [windowOf(T0, 10)])
      const claims = await Promise.all(Array.from({ length: 8 }, () => store.claim(id, LEASE)))
      expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1)
    })

    it('holds until its lease has run out, and then another worker has it', async () => {
      const [id = ''] = await queue(store, series.id, [windowOf(T0, 10)])
      const first = await taken(store, id)
      expect(await store.claim(id, { now: NOW + 59, leaseSec: 60 })).toBeUndefined()
      expect(await store.due(NOW + 59, 10)).toEqual([])
      expect(await store.due(NOW + 60, 10)).toEqual([id])
      expect((await store.claim(id, { now: NOW + 60, leaseSec: 60 }))?.fence).toBe(first.fence + 1)
      expect(await store.requeue(first, BUSY, NOW)).toBe(false)
      expect(await store.giveUp(first, 'failed', BUSY, NOW)).toBe(false)
      expect((await store.commit(first, empty(windowOf(T0, 10)), NOW)).held).toBe(false)
    })

    it('waits until the chunk is due', async () => {
      const [id = ''] = await queue(store, series.id, [windowOf(T0, 10)])
      await store.requeue(await taken(store, id), BUSY, NOW + 30)
      expect(await store.claim(id, { now: NOW + 29, leaseSec: 60 })).toBeUndefined()
      expect(await store.due(NOW + 29, 10)).toEqual([])
      expect(await store.claim(id, { now: NOW + 30, leaseSec: 60 })).toBeDefined()
    })

    it('does not wait for what a clock that was ahead has made of it', async () => {
      const [waiting = '', worked = ''] = await queue(store, series.id, [windowOf(T0, 10), windowOf(T0 + 600, 10)])
      const ahead = NOW + 30 * 86_400
      await store.requeue(await taken(store, waiting, ahead), BUSY, ahead + 60)
      await taken(store, worked, ahead)
      await deliver(store)
      expect(await store.due(NOW, 10, 120)).toEqual(expect.arrayContaining([waiting, worked]))
      for (const id of [waiting, worked]) expect(await store.claim(id, LEASE)).toBeDefined()
      expect(await store.due(NOW, 10)).toEqual([])
    })

    it('finds nothing where there is no chunk, or where it has ended', async () => {
      expect(await store.claim('12345678', LEASE)).toBeUndefined()
      const claim = await claimed(store, series.id, windowOf(T0, 10))
      expect(await store.giveUp(claim, 'parked', BUSY, NOW)).toBe(true)
      expect(await store.claim(claim.chunkId, { now: NOW + 9999, leaseSec: 1 })).toBeUndefined()
      expect(await store.requeue(claim, BUSY, NOW)).toBe(false)
      expect(await store.giveUp(claim, 'failed', BUSY, NOW)).toBe(false)
    })

    it('is left alone for a while after it is due, and not after its lease', async () => {
      const [waiting = '', worked = ''] = await queue(store, series.id, [windowOf(T0, 10), windowOf(T0 + 600, 10)])
      await store.claim(worked, { now: NOW, leaseSec: 30 })
      await deliver(store)
      expect(await store.due(NOW + 30, 10, 120)).toEqual([worked])
      expect(await store.due(NOW + 120, 10, 120)).toEqual(expect.arrayContaining([waiting, worked]))
    })

    it('comes oldest due first, no more than asked for', async () => {
      const ids = await queue(store, series.id, [windowOf(T0, 1), windowOf(T0 + 60, 1), windowOf(T0 + 120, 1)])
      const [first = ''] = ids
      await store.requeue(await taken(store, first), BUSY, NOW + 5)
      expect(await store.due(NOW + 5, 10)).toEqual([...ids.slice(1), first])
      expect(await store.due(NOW + 5, 2)).toEqual(ids.slice(1))
    })
  })
}
