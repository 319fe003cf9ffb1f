import type { Window } from '@tidegate/core'
import type { Claim } from '@tidegate/db'
import { describe, expect, it } from 'vitest'
import {
  barsAt,
  claimed,
  eachSeries,
  empty,
  fill,
  filled,
  LEASE,
  minutes,
  NOW,
  newRunId,
  queue,
  type Subject,
  T0,
  taken,
  windowOf,
} from './fixture.ts'

const ERROR = { kind: 'not-found', message: 'IBKR has nothing of it' } as const
const ROUNDS = { failed: 2, refused: 2 }

/** A series that IBKR tells anew: found, collected beside what readers see, put in its place, or given up. */
export function describeAdjustments({ store }: Subject): void {
  const series = eachSeries(store)
  const first = windowOf(T0, 10)
  const second = windowOf(T0 + 600, 10)
  const third = windowOf(T0 + 1200, 10)
  const old = async () => {
    for (const window of [first, second])
      await fill(store, series.id, window, filled(window, barsAt(minutes(window.start, 10))))
  }
  const closes = async () => (await store.bars(series.id, { start: 0, end: 4e9 }, 1000)).c
  const split = { ratio: 0.5, since: undefined, before: NOW }
  const all = async () => (await store.adjustments({ limit: 9 })).map(({ state, since }) => ({ state, since }))
  /** Found by the chunk of the third window, which waits from then on. */
  async function found(): Promise<{ finder: Claim; id: number }> {
    await old()
    const finder = await claimed(store, series.id, third)
    const { adjustmentId } = await store.openAdjustment(finder, split, NOW)
    return { finder, id: adjustmentId ?? expect.fail() }
  }
  async function collectors(id: number, windows: readonly Window[], now = NOW): Promise<Claim[]> {
    const chunks = windows.map((window) => ({ seriesId: series.id, window }))
    const run = { id: newRunId(), source: 'adjustment', adjustmentId: id, chunks, now }
    const { chunkIds } = await store.createRun(run)
    const claims: Claim[] = []
    for (const chunkId of chunkIds.toReversed()) claims.push(await taken(store, chunkId, now))
    return claims.sort((a, b) => a.window.start - b.window.start)
  }
  const halved = (window: Window) => barsAt(minutes(window.start, 10), 50)

  describe('an adjustment', () => {
    it('is opened once, only under the fence, and puts back every chunk of the series that is worked on', async () => {
      await old()
      const finder = await claimed(store, series.id, third)
      const other = await claimed(store, series.id, windowOf(T0 + 1800, 10))
      const stale = { ...finder, fence: finder.fence + 1 }
      expect(await store.openAdjustment(stale, split, NOW)).toEqual({ held: false, adjustmentId: undefined })
      expect(await all()).toEqual([])
      const opened = await Promise.all([1, 2].map(() => store.openAdjustment(finder, split, NOW)))
      expect(opened.filter(({ held: isHeld }) => isHeld)).toHaveLength(1)
      expect(await all()).toEqual([{ state: 'collecting', since: undefined }])
      const answer = filled(other.window, barsAt([other.window.start]))
      expect(await store.commit(other, answer, NOW)).toMatchObject({ held: false })
      for (const { chunkId } of [finder, other]) expect(await store.claim(chunkId, LEASE)).toBeUndefined()
    })

    it('is put in place at once when all of it has come, and not before', async () => {
      const { finder, id } = await found()
      expect(await store.collecting(NOW)).toMatchObject([{ id, missing: [{ start: first.start, end: second.end }] }])
      const [a, b] = await collectors(id, [first, second])
      if (!a || !b) throw new Error('They were not claimed.')
      expect(await store.stage({ ...a, fence: a.fence + 1 }, halved(first), NOW)).toBe(false)
      expect(await store.stage(a, halved(first), NOW)).toBe(true)
      expect(await store.stage(a, halved(first), NOW)).toBe(false)
      expect(await store.applyAdjustments(NOW)).toBe(0)
      expect(new Set(await closes())).toEqual(new Set([101]))
      // What IBKR has no more is gone.
      expect(await store.stage(b, barsAt(minutes(second.start, 9), 50), NOW)).toBe(true)
      expect(await store.applyAdjustments(NOW)).toBe(1)
      expect(await closes()).toEqual(Array.from({ length: 19 }, () => 51))
      expect(await store.applyAdjustments(NOW)).toBe(0)
      expect(await store.claim(finder.chunkId, LEASE)).toBeDefined()
      expect(await store.scaleSince(series.id)).toBeUndefined()
    })

    it('that is abandoned drops what was collected; left as it was, its bars are compared with nothing more', async () => {
      const { finder, id } = await found()
      const [a, b] = await collectors(id, [first, second])
      if (!a || !b) throw new Error('They were not claimed.')
      await store.stage(a, halved(first), NOW)
      expect(await store.abandonAdjustment(id, NOW)).toBe(true)
      expect(await store.abandonAdjustment(id, NOW)).toBe(false)
      expect(await store.stage(b, halved(second), NOW)).toBe(false)
      expect(await all()).toEqual([{ state: 'abandoned', since: undefined }])
      expect(await store.scaleSince(series.id)).toBeUndefined()
      expect((await store.nearest(series.id, third, { count: 3, from: 0 })).t).toHaveLength(3)
      const again = await store.openAdjustment(await taken(store, finder.chunkId), split, NOW)
      expect(await store.abandonAdjustment(again.adjustmentId ?? 0, NOW, { leaving: true })).toBe(true)
      expect(await store.scaleSince(series.id)).toBe(split.before)
      expect((await store.nearest(series.id, third, { count: 3, from: 0 })).t).toEqual([])
      expect(new Set(await closes())).toEqual(new Set([101]))
    })

    it.each([
      ['failed', { kind: 'invalid', message: 'no' } as const],
      ['parked', ERROR],
    ] as const)('of which a window has %s so often is narrowed to what is behind it', async (state, error) => {
      const { id } = await found()
      const [b] = await collectors(id, [second])
      await store.stage(b ?? expect.fail(), halved(second), NOW)
      for (const round of [1, 2]) {
        const [a] = await collectors(id, [first])
        await store.giveUp(a ?? expect.fail(), state, error, NOW)
        expect(await store.narrowAdjustment(id, first, ROUNDS, NOW)).toBe(round < 2 ? undefined : 'narrowed')
      }
      expect(await store.narrowAdjustment(id, first, ROUNDS, NOW)).toBeUndefined()
      expect(await all()).toEqual([{ state: 'collecting', since: first.end }])
      expect(await store.applyAdjustments(NOW)).toBe(1)
      expect(await closes()).toEqual([
        ...Array.from({ length: 10 }, () => 101),
        ...Array.from({ length: 10 }, () => 51),
      ])
      expect(await store.scaleSince(series.id)).toBe(first.end)
      expect((await store.nearest(series.id, third, { count: 20, from: 0 })).t).toEqual(minutes(second.start, 10))
      expect(await store.adjustments({ id, limit: 1 })).toMatchObject([{ id, state: 'applied', error }])
    })

    it('narrowed past what was collected leaves that as it was, and stops what is asked of it', async () => {
      const { id } = await found()
      const middle = { start: second.start, end: second.start + 300 }
      const rest = { start: middle.end, end: second.end }
      const [a, c] = await collectors(id, [first, rest])
      await store.stage(a ?? expect.fail(), halved(first), NOW)
      for (const _ of [1, 2]) {
        const [b] = await collectors(id, [middle])
        await store.giveUp(b ?? expect.fail(), 'parked', ERROR, NOW)
      }
      const older = await queue(store, series.id, [windowOf(T0 - 600, 10)])
      expect(older).toHaveLength(1)
      expect(await store.narrowAdjustment(id, middle, ROUNDS, NOW)).toBe('narrowed')
      expect(await store.stage(c ?? expect.fail(), barsAt(minutes(rest.start, 5), 50), NOW)).toBe(true)
      expect(await store.applyAdjustments(NOW)).toBe(1)
      expect(await closes()).toEqual([...Array.from({ length: 15 }, () => 101), ...Array.from({ length: 5 }, () => 51)])
    })

    it('of which nothing is left is abandoned, and what waited goes on', async () => {
      const { finder, id } = await found()
      const [a] = await collectors(id, [first])
      for (const _ of [1, 2]) {
        const [b] = await collectors(id, [second])
        await store.giveUp(b ?? expect.fail(), 'parked', ERROR, NOW)
      }
      expect(await store.narrowAdjustment(id, second, ROUNDS, NOW)).toBe('abandoned')
      expect(await store.stage(a ?? expect.fail(), halved(first), NOW)).toBe(false)
      expect(await all()).toEqual([{ state: 'abandoned', since: split.before }])
      expect(await store.adjustments({ limit: 1 })).toMatchObject([{ error: ERROR, endedAt: NOW }])
      const claim = await taken(store, finder.chunkId)
      expect(await store.commit(claim, empty(third), NOW)).toMatchObject({ held: true })
    })
  })

  it('the bars nearest to a window are on both sides of it, in order, from some instant on', async () => {
    await old()
    await fill(store, series.id, windowOf(T0 + 6000, 3), filled(windowOf(T0 + 6000, 3), barsAt(minutes(T0 + 6000, 3))))
    const near = (count: number, from = 0) => store.nearest(series.id, third, { count, from })
    expect((await near(2)).t).toEqual([T0 + 1080, T0 + 1140, T0 + 6000, T0 + 6060])
    expect((await near(5, T0 + 1100)).t).toEqual([T0 + 1140, T0 + 6000, T0 + 6060, T0 + 6120])
    expect((await near(1)).c).toEqual([101, 101])
    expect(await store.nearest(series.id + 1, third, { count: 2, from: 0 })).toEqual(barsAt([]))
  })
}
