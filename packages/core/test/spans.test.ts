import {
  alignWindow,
  barSize,
  chunkSpanSec,
  chunksOf,
  countChunks,
  gridSec,
  halfSpanSec,
  halvesOf,
  joinClosed,
  longestSec,
  merge,
  newestChunks,
  OVERLAP_BARS,
  parseInstant,
  parseSpec,
  SPANS,
  subtract,
  type Window,
} from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const DAY_SEC = 86_400
const TEXTS =
  '1-SECOND-LAST 5-SECOND-BID 10-SECOND-BID 30-SECOND-MID 1-MINUTE-LAST 5-MINUTE-MID 1-HOUR-LAST 2-HOUR-LAST 8-HOUR-LAST 1-DAY-LAST 1-WEEK-LAST 1-MONTH-LAST'
const shapes = fc.record({
  spec: fc.constantFrom(...TEXTS.split(' ').map(parseSpec)),
  secType: fc.constantFrom('STK', 'CASH', 'CRYPTO'),
  hours: fc.constantFrom('regular', 'all'),
})
const spans = fc.constantFrom(...SPANS)
const shape = (spec: string, secType: 'STK' | 'CASH' = 'STK') =>
  ({ spec: parseSpec(spec), secType, hours: 'regular' }) as const

describe('spans', () => {
  test.each([
    ['1-SECOND-LAST', 'STK', 1800, 2000 - 10],
    ['5-SECOND-LAST', 'STK', 3600 - 50, 4 * DAY_SEC],
    ['5-SECOND-MID', 'CASH', 3600 - 50, DAY_SEC - 50],
    ['30-SECOND-MID', 'CASH', 28_800 - 300, 6 * DAY_SEC],
    ['1-MINUTE-LAST', 'STK', 10 * DAY_SEC, 51 * DAY_SEC],
    ['1-MINUTE-MID', 'CASH', 2 * DAY_SEC, 13 * DAY_SEC],
    ['1-HOUR-LAST', 'STK', 300 * DAY_SEC, 300 * DAY_SEC],
    ['1-DAY-LAST', 'STK', 360 * DAY_SEC, 7280 * DAY_SEC],
  ] as const)('of %s of %s: %i s as documented, %i s in practice', (spec, secType, documented, practical) => {
    expect(SPANS.map((one) => chunkSpanSec(shape(spec, secType), one))).toEqual([documented, practical])
  })

  test('are never shorter in practice, and on the bars’ grid', () => {
    fc.assert(
      fc.property(shapes, (one) => {
        const [documented = 0, practical = 0] = SPANS.map((how) => chunkSpanSec(one, how))
        expect(practical).toBeGreaterThanOrEqual(documented)
        for (const sec of [documented, practical]) expect(sec % gridSec(one.spec)).toBe(0)
      }),
    )
  })

  test('leave room for the bars on either side by which requests overlap, within what IBKR documents', () => {
    fc.assert(
      fc.property(shapes, spans, (one, how) => {
        const { sec } = barSize(one.spec)
        const span = chunkSpanSec(one, how)
        const longest = longestSec(sec, how)
        if (span <= longest) expect(span + 2 * OVERLAP_BARS * sec).toBeLessThanOrEqual(longest)
        else expect([how, span % DAY_SEC]).toEqual(['practical', 0])
      }),
    )
  })

  test('are halved down to what makes a request shorter, in few steps', () => {
    fc.assert(
      fc.property(shapes, spans, (one, how) => {
        let sec = chunkSpanSec(one, how)
        for (let steps = 0; ; steps++) {
          expect(steps).toBeLessThan(12)
          const half = halfSpanSec(one, sec)
          if (half === undefined) break
          expect(half).toBeLessThanOrEqual(sec / 2)
          expect(half).toBeGreaterThanOrEqual(Math.min(60 * barSize(one.spec).sec, DAY_SEC))
          expect(half % gridSec(one.spec)).toBe(0)
          sec = half
        }
      }),
    )
  })
})

describe('halves', () => {
  test('are the whole, cut on the bars’ grid, as near the middle as requests go', () => {
    fc.assert(
      fc.property(
        shapes,
        spans,
        fc.integer({ min: 1e9, max: 1.9e9 }),
        fc.double({ min: 0.01, max: 1 }),
        (one, how, start, part) => {
          const raw = { start, end: start + Math.ceil(chunkSpanSec(one, how) * part) }
          const window = alignWindow(raw, one.spec)
          if (!window) return
          const halves = halvesOf(window, one)
          if (!halves) {
            expect(halfSpanSec(one, window.end - window.start)).toBeUndefined()
            return
          }
          const [older, newer] = halves
          expect([older.start, newer.end]).toEqual([window.start, window.end])
          expect(older.end).toBe(newer.start)
          expect(older.end % gridSec(one.spec)).toBe(0)
          for (const half of halves)
            expect(half.end - half.start).toBeGreaterThanOrEqual((window.end - window.start) / 4)
        },
      ),
    )
  })

  test('are none of what IBKR answers up to now only, and none of what is short', () => {
    const year = { start: parseInstant('2025-01-01'), end: parseInstant('2026-01-01') }
    expect(halvesOf(year, shape('1-HOUR-LAST'))).toBeDefined()
    expect(halvesOf(year, shape('1-HOUR-ADJUSTED_LAST'))).toBeUndefined()
    expect(halvesOf({ start: year.start, end: year.start + 1.9 * DAY_SEC }, shape('1-HOUR-LAST'))).toBeUndefined()
  })
})

/** Windows apart, in order. */
const apart = (most: number, gap: number) =>
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: gap }), fc.integer({ min: 1, max: gap })), { maxLength: most })
    .map((pairs) => {
      let at = 1_700_000_000
      return pairs.map(([before, length]): Window => {
        const start = at + before * 300
        at = start + length * 300
        return { start, end: at }
      })
    })

describe('chunks of any span', () => {
  test('are exactly the gaps, apart and in order; the newest come first where they are taken one by one', () => {
    fc.assert(
      fc.property(apart(6, 400), fc.integer({ min: 1, max: 100 }), (gaps, cells) => {
        const spanSec = cells * 300
        const chunks = chunksOf(gaps, spanSec)
        expect(merge(chunks)).toEqual(merge(gaps))
        for (const [i, { start, end }] of chunks.entries()) {
          expect(end).toBeGreaterThan(start)
          expect(end - start).toBeLessThanOrEqual(spanSec)
          expect(start).toBeGreaterThanOrEqual(chunks[i - 1]?.end ?? 0)
        }
        expect(countChunks(gaps, spanSec)).toBe(chunks.length)
        expect([...newestChunks(gaps, spanSec)]).toEqual(chunks.toReversed())
      }),
    )
  })

  test('with a closed market’s put together are the same instants, fewer requests, and none too long', () => {
    const limits = { spanSec: 3600, mostSec: DAY_SEC }
    fc.assert(
      fc.property(apart(4, 400), apart(6, 200), apart(2, 2000), (gaps, sessions, known) => {
        const chunks = chunksOf(gaps, limits.spanSec)
        const joined = joinClosed(chunks, { known, sessions }, limits)
        expect(merge(joined.map(({ start, end }) => ({ start, end })))).toEqual(merge(gaps))
        expect(joined.length).toBeLessThanOrEqual(chunks.length)
        for (const [i, { start, end, closed }] of joined.entries()) {
          expect(start).toBeGreaterThanOrEqual(joined[i - 1]?.end ?? 0)
          expect(end - start).toBeLessThanOrEqual(closed ? limits.mostSec : limits.spanSec)
          const provenClosed = subtract(subtract([{ start, end }], sessions), known).length === 0
          const touched = sessions.some((one) => one.start < end && start < one.end)
          expect(closed).toBe(provenClosed && !touched)
        }
      }),
    )
  })

  test('of a day of five-second bars: a request an hour of the session, and the night for none', () => {
    const day = { start: parseInstant('2026-03-03'), end: parseInstant('2026-03-04') }
    const session = { start: parseInstant('2026-03-03T14:30Z'), end: parseInstant('2026-03-03T21:00Z') }
    const limits = { spanSec: 3600, mostSec: DAY_SEC }
    const joined = joinClosed(chunksOf([day], 3600), { known: [day], sessions: [session] }, limits)
    expect(joined.map(({ start, end, closed }) => [(end - start) / 3600, closed])).toEqual([
      [14, true],
      ...Array.from({ length: 7 }, () => [1, false]),
      [3, true],
    ])
  })
})
