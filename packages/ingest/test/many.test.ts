import type { Store } from '@tidegate/db'
import type { BarsRequest } from '@tidegate/relay'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at, backfill, DAY_SEC, eachSplit, HOURLY, isProbe, JANUARY, MARCH, requestFor, turned } from './splitting.ts'
import { coveredOf } from './world.ts'

const { world, split, open, fetched, adjustments, scales, drainWatching, slowed } = eachSplit()

/**
 * A store whose first answer is stored at once, and each later one when as many as `expected` are there to be stored beside it, or
 * after many turns of the loop. `most` tells how many there ever were.
 */
function slowCommits(store: Store) {
  const full = Promise.withResolvers<void>()
  let isFirst = true
  let waiting = 0
  const commits = {
    expected: 0,
    most: 0,
    store: {
      ...store,
      async commit(...answer: Parameters<Store['commit']>) {
        if (isFirst) {
          isFirst = false
          return await store.commit(...answer)
        }
        commits.most = Math.max(commits.most, ++waiting)
        if (waiting === commits.expected) full.resolve()
        await Promise.race([full.promise, turned(500)])
        waiting--
        return await store.commit(...answer)
      },
    },
  }
  return commits
}

describe('many at once', () => {
  it('fill a series with few requests that only prove it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(12)), async (turns) => {
        await open({ market: HOURLY })
        slowed(() => turns.next().value ?? 0)
        const ingest = world.another({ timeout: () => new AbortController().signal })
        const year = { start: at('2025-01-01'), end: at('2026-01-01') }
        const { chunks } = await ingest.start(backfill(year, '1-MINUTE-LAST'))
        const messages = world.queue.messages.splice(0)
        const work = async () => {
          for (let one = messages.shift(); one; one = messages.shift()) await ingest.work(one.chunkId)
        }
        await Promise.all(Array.from({ length: 16 }, work))
        expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([year])
        expect(chunks).toBe(37)
        expect(world.relay.asked.length).toBeLessThanOrEqual(chunks * 1.1)
      }),
      { numRuns: 1 },
    )
  })

  it('are proven by a neighbour that is proven and not yet stored: they are stored beside each other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(12)), async (turns) => {
        await open({ market: HOURLY })
        slowed(() => (world.relay.asked.length > 1 ? (turns.next().value ?? 0) : 0))
        const commits = slowCommits(world.store)
        const ingest = world.another({ store: commits.store, timeout: () => new AbortController().signal })
        const window = { start: at('2025-10-01'), end: at('2026-01-01') }
        const { chunks } = await ingest.start(backfill(window, '1-MINUTE-LAST'))
        commits.expected = chunks - 1
        await Promise.all(world.queue.messages.splice(0).map(({ chunkId }) => ingest.work(chunkId)))
        expect(chunks).toBeGreaterThan(5)
        expect(commits.most).toBe(chunks - 1)
        expect(world.relay.asked.filter(isProbe)).toEqual([])
        expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([window])
      }),
      { numRuns: 2 },
    )
  })

  it('that all find nothing stored are compared with the first all the same', async () => {
    const { tamper } = world.relay
    world.relay.tamper = (request, answer) => {
      if (world.relay.asked.length > 1) split.ratio = 2
      return tamper(request, answer)
    }
    for (const window of [JANUARY, MARCH]) await world.ingest.start(requestFor(window, '30-MINUTE-LAST'))
    await drainWatching(1800, [1, 2], 2)
    expect(await scales(1800, [1, 2])).toEqual([2])
    expect(await adjustments()).toHaveLength(1)
  })

  it('and the first to be asked comes last: what it was told may be of before what is stored', async () => {
    const { tamper } = world.relay
    world.relay.tamper = (request, answer) => {
      if (world.relay.asked.length > 1) split.ratio = 2
      return tamper(request, answer)
    }
    slowed(() => (split.ratio === 1 ? 500 : 0))
    for (const window of [JANUARY, MARCH]) await world.ingest.start(requestFor(window, '30-MINUTE-LAST'))
    await drainWatching(1800, [1, 2], 2)
    expect(await scales(1800, [1, 2])).toEqual([2])
    expect(await adjustments()).toEqual([])
    expect(await coveredOf(world.store, '30-MINUTE-LAST')).toEqual([JANUARY, MARCH])
  })

  it('never leave two scales, whenever it splits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(9)), fc.integer({ min: 1, max: 20 }), async (turns, splitsAt) => {
        await open({ market: HOURLY })
        slowed(() => turns.next().value ?? 0)
        const { tamper } = world.relay
        world.relay.tamper = (request, answer) => {
          if (world.relay.asked.length >= splitsAt) split.ratio = 2
          return tamper(request, answer)
        }
        const window = { start: at('2025-10-01'), end: at('2026-01-01') }
        await world.ingest.start(requestFor(window, '1-MINUTE-LAST'))
        await drainWatching(60, [1, 2], 6)
        expect(await scales(60, [1, 2])).toEqual([split.ratio])
        expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([window])
      }),
      { numRuns: 3 },
    )
  })

  it('share what proves them: one such request is under way at a time', async () => {
    await open({ market: HOURLY })
    await fetched(JANUARY, '1-MINUTE-LAST')
    const asked = world.relay.asked.length
    const isShared = (request: BarsRequest) => isProbe(request) && (request.end ?? JANUARY.start) <= JANUARY.end
    let open_ = 0
    let most = 0
    const { bars } = world.relay
    world.relay.bars = async (request, signal) => {
      if (!isShared(request)) return bars(request, signal)
      most = Math.max(most, ++open_)
      await turned(50)
      open_--
      return bars(request, signal)
    }
    // Eight days apart, so that none touches another.
    for (let n = 0; n < 6; n++) {
      const start = MARCH.start - n * 10 * DAY_SEC
      await world.ingest.start(backfill({ start, end: start + DAY_SEC }, '1-MINUTE-LAST'))
    }
    await drainWatching(60, [1], 6)
    const probes = world.relay.asked.slice(asked).filter(isProbe)
    const shared = probes.filter(isShared)
    expect(most).toBe(1)
    expect(shared.length).toBeLessThanOrEqual(3)
    expect(new Set(shared.map(({ end }) => end)).size).toBe(shared.length)
    // What each came with, of the four that are no weekend, is asked once more on its own.
    expect(probes.length - shared.length).toBe(4)
  })
})
