import { merge, subtract, type Window } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wipeBars } from '../../../test/support/wipe.ts'
import {
  barsAt,
  claimed,
  coverageOf,
  eachSeries,
  empty,
  fill,
  filled,
  minutes,
  NOW,
  queue,
  type Subject,
  T0,
  taken,
  windowOf,
} from './fixture.ts'

/** The one statement: rows, coverage, the chunk's end and the outbox, all or nothing. */
export function describeCommit({ database, store }: Subject): void {
  const series = eachSeries(store)
  const ten = windowOf(T0, 10)
  const stored = (window: Window = windowOf(T0 - 6000, 1000), limit = 100_000) => store.bars(series.id, window, limit)
  const restatements = () => database.rows(sql`select old, new from restatements order by ts, id`)

  describe('a commit', () => {
    it('stores rows as they came, to the digit, what is absent as null, a price of −1 as a price', async () => {
      const bars = barsAt(minutes(T0, 4))
      Object.assign(bars, {
        o: [0.1 + 0.2, 1e-12, -1, 123456789.123456],
        h: [5e-324, 1.7976931348623157e308, -1, -1234567.875],
        l: [-0.1, 1 / 3, -1, 1.005],
        c: [1.1, 2.2, -1, 9007199254740991],
        v: [null, 0, 9007199254740991, 12.5],
        w: [null, 1 / 3, 2.5, 0],
        n: [null, 0, 4_000_000_000, 1],
      })
      expect(await fill(store, series.id, ten, filled(ten, bars))).toEqual({ held: true, written: 4, restated: 0 })
      expect(await stored()).toEqual(bars)
    })

    it('writes nothing, nothing at all, under a fence that is no longer held', async () => {
      const claim = await claimed(store, series.id, ten)
      await taken(store, claim.chunkId, NOW + 61)
      const before = await store.outbox(100)
      const answer = filled(ten, barsAt(minutes(T0, 10)))
      expect(await store.commit(claim, answer, NOW)).toEqual({ held: false, written: 0, restated: 0 })
      expect((await stored()).t).toEqual([])
      expect(await coverageOf(database, series.id)).toEqual({})
      expect(await restatements()).toEqual([])
      expect(await store.outbox(100)).toEqual(before)
      expect((await store.run(claim.runId))?.chunks).toMatchObject({ leased: 1, done: 0 })
    })

    it('twice at once writes once', async () => {
      const claim = await claimed(store, series.id, ten)
      const answer = filled(ten, barsAt(minutes(T0, 10)))
      const results = await Promise.all([1, 2, 3].map(() => store.commit(claim, answer, NOW)))
      expect(results.filter((result) => result.held)).toEqual([{ held: true, written: 10, restated: 0 }])
      expect((await store.outbox(10)).map((entry) => entry.kind)).toEqual(['chunk-queued', 'chunk-settled'])
    })

    it('of twenty thousand bars is one statement', async () => {
      const day = windowOf(T0, 20_000)
      const bars = barsAt(minutes(T0, 20_000))
      expect(await fill(store, series.id, day, filled(day, bars))).toMatchObject({ held: true, written: 20_000 })
      expect(await stored(day)).toEqual(bars)
    })

    it('again with the same rows writes none; with others it keeps what stood there', async () => {
      const bars = barsAt(minutes(T0, 3))
      await fill(store, series.id, ten, filled(ten, bars))
      expect(await fill(store, series.id, ten, filled(ten, bars))).toEqual({ held: true, written: 0, restated: 0 })
      const more = { ...bars, v: [null, 1000, 1001] }
      expect(await fill(store, series.id, ten, filled(ten, more))).toEqual({ held: true, written: 2, restated: 0 })
      const dearer = { ...more, c: [101, 107.25, 101] }
      expect(await fill(store, series.id, ten, filled(ten, dearer))).toEqual({ held: true, written: 1, restated: 1 })
      expect(await restatements()).toEqual([{ old: [100, 102, 99, 101], new: [100, 102, 99, 107.25] }])
      expect(await stored()).toEqual(dearer)
    })

    it('covers only the part that is settled, or nothing, and ends the chunk all the same', async () => {
      const part = windowOf(T0, 4)
      const claim = await claimed(store, series.id, ten)
      await store.commit(claim, filled(part, barsAt([T0])), NOW)
      expect(await coverageOf(database, series.id)).toEqual({ filled: [[T0, T0 + 240]] })
      const other = await claimed(store, series.id, windowOf(T0 + 240, 6))
      expect(await store.commit(other, empty(undefined), NOW)).toMatchObject({ held: true })
      expect(await store.gaps([{ seriesId: series.id, window: ten }])).toMatchObject([
        { windows: [windowOf(T0 + 240, 6)] },
      ])
    })

    it('flags bars that do not look right, until they come back otherwise', async () => {
      const flagged = () =>
        database.rows(
          sql`select extract(epoch from ts)::float8 as t, why from flagged_bars where series_id = ${series.id} order by ts`,
        )
      const bars = barsAt(minutes(T0, 4))
      const flags = [
        { t: T0, why: 'off the grid' },
        { t: T0 + 60, why: 'close 1 outside' },
      ]
      await fill(store, series.id, ten, { ...filled(ten, bars), flags })
      expect(await flagged()).toEqual(flags)
      expect((await stored()).t).toEqual(bars.t)
      // A later answer holds one of them, and it is right now; the other it does not speak of.
      const part = windowOf(T0 + 60, 1)
      await fill(store, series.id, part, filled(part, barsAt([T0 + 60])))
      expect(await flagged()).toEqual([flags[0]])
      await fill(store, series.id, ten, { ...filled(ten, bars), flags: [{ t: T0, why: 'high' }] })
      expect(await flagged()).toEqual([{ t: T0, why: 'high' }])
    })

    it('merges what touches, and moves a window that was empty to filled, and back', async () => {
      await fill(store, series.id, windowOf(T0, 30), empty(windowOf(T0, 30)))
      await fill(store, series.id, windowOf(T0 + 600, 10), filled(windowOf(T0 + 600, 10), barsAt([T0 + 600])))
      expect(await coverageOf(database, series.id)).toEqual({
        empty: [
          [T0, T0 + 600],
          [T0 + 1200, T0 + 1800],
        ],
        filled: [[T0 + 600, T0 + 1200]],
      })
      await fill(store, series.id, windowOf(T0 + 1200, 5), filled(windowOf(T0 + 1200, 5), barsAt([T0 + 1200])))
      expect(await coverageOf(database, series.id)).toEqual({
        empty: [
          [T0, T0 + 600],
          [T0 + 1500, T0 + 1800],
        ],
        filled: [[T0 + 600, T0 + 1500]],
      })
      const unavailable = { ...empty(windowOf(T0, 30)), state: 'unavailable' as const }
      await fill(store, series.id, windowOf(T0, 30), unavailable)
      expect(await coverageOf(database, series.id)).toEqual({ unavailable: [[T0, T0 + 1800]] })
      expect(await store.gaps([{ seriesId: series.id, window: windowOf(T0, 30) }])).toMatchObject([{ windows: [] }])
    })

    it.each([
      ['a bar outside what it covers', filled(windowOf(T0, 5), barsAt([T0, T0 + 300]))],
      ['a bar before the window', filled(ten, barsAt([T0 - 60]))],
      ['bars and no coverage', { ...filled(ten, barsAt([T0])), covered: undefined }],
      ['coverage before what was asked for', empty({ start: T0 - 1, end: T0 + 60 })],
      ['coverage behind what was asked for', empty({ start: T0, end: T0 + 601 })],
      ['coverage of nothing', empty({ start: T0, end: T0 })],
      ['bars in a window it calls empty', { ...filled(ten, barsAt([T0])), state: 'empty' as const }],
      ['bars out of order', filled(ten, barsAt([T0 + 60, T0]))],
      ['a bar twice', filled(ten, barsAt([T0, T0]))],
      ['a price that is no number', filled(ten, { ...barsAt([T0]), o: [Number.NaN] })],
      ['a volume without end', filled(ten, { ...barsAt([T0]), v: [Number.POSITIVE_INFINITY] })],
      ['a count with a fraction', filled(ten, { ...barsAt([T0]), n: [1.5] })],
      ['a flag on a bar that it has not', { ...filled(ten, barsAt([T0])), flags: [{ t: T0 + 60, why: '' }] }],
      ['a column too short', filled(ten, { ...barsAt([T0, T0 + 60]), c: [1] })],
    ])('refuses %s and writes nothing', async (_, answer) => {
      const claim = await claimed(store, series.id, ten)
      const before = await store.outbox(10)
      await expect(store.commit(claim, answer, NOW)).rejects.toMatchObject({ kind: 'internal' })
      expect((await stored()).t).toEqual([])
      expect(await coverageOf(database, series.id)).toEqual({})
      expect(await store.outbox(10)).toEqual(before)
      expect(await store.commit(claim, empty(ten), NOW)).toMatchObject({ held: true })
    })

    it('of many chunks of a series at once loses no coverage', async () => {
      const windows = Array.from({ length: 40 }, (_, i) => windowOf(T0 + i * 600, 10))
      const ids = await queue(store, series.id, windows)
      await Promise.all(
        ids.map(async (id, i) => {
          const claim = await taken(store, id)
          const { window } = claim
          await store.commit(claim, i % 2 ? empty(window) : filled(window, barsAt(minutes(window.start, 10))), NOW)
        }),
      )
      const all = windowOf(T0, 400)
      expect(await store.gaps([{ seriesId: series.id, window: all }])).toMatchObject([{ windows: [] }])
      const { filled: full = [], empty: none = [] } = await coverageOf(database, series.id)
      expect(full.concat(none).reduce((sum, [start, end]) => sum + end - start, 0)).toBe(all.end - all.start)
    })
  })

  it('coverage and gaps follow the model, whatever comes in whatever order', async () => {
    const minute = fc.integer({ min: 0, max: 40 })
    const step = fc.record({
      at: minute,
      length: fc.integer({ min: 1, max: 12 }),
      covered: fc.integer({ min: 0, max: 12 }),
      state: fc.constantFrom('filled', 'empty', 'unavailable'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), minute, minute, async (steps, a, b) => {
        await wipeBars(database)
        const model = { filled: [] as Window[], empty: [] as Window[], unavailable: [] as Window[] }
        const times = new Set<number>()
        for (const { at, length, covered, state } of steps) {
          const window = windowOf(T0 + at * 60, length)
          const part = covered === 0 ? undefined : windowOf(window.start, Math.min(covered, length))
          const bars = part && state === 'filled' ? barsAt([part.start]) : barsAt([])
          await fill(store, series.id, window, { bars, state, covered: part })
          for (const time of bars.t) times.add(time)
          if (!part) continue
          for (const name of ['filled', 'empty', 'unavailable'] as const) {
            model[name] = name === state ? merge([...model[name], part]) : subtract(model[name], [part])
          }
        }
        const asPairs = (windows: readonly Window[]) => windows.map(({ start, end }) => [start, end])
        const expected = Object.entries(model).filter(([, windows]) => windows.length > 0)
        expect(await coverageOf(database, series.id)).toEqual(
          Object.fromEntries(expected.map(([name, windows]) => [name, asPairs(windows)])),
        )
        const all = merge(Object.values(model).flat())
        expect((await store.series()).map((s) => s.covered)).toEqual([all])
        expect((await stored()).t).toEqual([...times].sort((x, y) => x - y))
        if (a === b) return
        const wanted = { start: T0 + Math.min(a, b) * 60, end: T0 + Math.max(a, b) * 60 }
        expect(await store.gaps([{ seriesId: series.id, window: wanted }])).toMatchObject([
          { windows: subtract([wanted], all) },
        ])
      }),
      { numRuns: 6 },
    )
  })
}
