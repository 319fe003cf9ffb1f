import {
  alignWindow,
  type BarSpec,
  barSize,
  chunkSpanSec,
  chunksOf,
  countChunks,
  durationFor,
  finalUntil,
  isDated,
  merge,
  pacedSec,
  parseInstant,
  parseSpec,
  type SeriesShape,
  SPANS,
  type Spans,
  settledPart,
  subtract,
  type Window,
} from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const SPECS = [
  ...[
    '1-SECOND-LAST',
    '5-SECOND-BID',
    '10-SECOND-BID',
    '15-SECOND-ASK',
    '30-SECOND-MID',
    '1-MINUTE-LAST',
    '2-MINUTE-LAST',
    '3-MINUTE-LAST',
    '5-MINUTE-MID',
  ],
  ...[
    '15-MINUTE-MID',
    '30-MINUTE-LAST',
    '1-HOUR-LAST',
    '2-HOUR-LAST',
    '4-HOUR-LAST',
    '8-HOUR-LAST',
    '1-DAY-LAST',
    '1-WEEK-LAST',
    '1-MONTH-LAST',
  ],
].map(parseSpec)

const shapes: fc.Arbitrary<SeriesShape & { spans: Spans }> = fc.record({
  spans: fc.constantFrom(...SPANS),
  spec: fc.constantFrom(...SPECS),
  secType: fc.constantFrom('STK', 'CASH', 'FUT', 'CRYPTO'),
  hours: fc.constantFrom('regular', 'all'),
})

/** A few cells of the shape's grid, cut anywhere on the bars' own grid. */
const planned = shapes.chain((shape) => {
  const span = chunkSpanSec(shape, shape.spans)
  const at = fc.tuple(fc.integer({ min: 1_000_000_000, max: 1_900_000_000 }), fc.integer({ min: 1, max: 4 * span }))
  return at.map(([start, length]) => ({ shape, gap: alignWindow({ start, end: start + length }, shape.spec) }))
})

describe('chunks', () => {
  test('are exactly the gaps, none longer than a request may be', () => {
    fc.assert(
      fc.property(planned, ({ shape, gap }) => {
        if (!gap) return
        const span = chunkSpanSec(shape, shape.spans)
        const chunks = chunksOf([gap], span)
        expect(countChunks([gap], span)).toBe(chunks.length)
        expect(merge(chunks)).toEqual([gap])
        expect(chunks.reduce((sum, c) => sum + c.end - c.start, 0)).toBe(gap.end - gap.start)
        for (const chunk of chunks) expect(chunk.end - chunk.start).toBeLessThanOrEqual(span)
      }),
    )
  })

  test('of a part are cut where those of the whole are', () => {
    fc.assert(
      fc.property(planned, fc.integer({ min: 0, max: 100 }), ({ shape, gap }, percent) => {
        if (!gap) return
        const cut = alignWindow(
          { start: gap.start + Math.floor(((gap.end - gap.start) * percent) / 100), end: gap.end },
          shape.spec,
        )
        if (!cut) return
        const span = chunkSpanSec(shape, shape.spans)
        const ends = new Set(chunksOf([gap], span).map((c) => c.end))
        for (const chunk of chunksOf([cut], span)) expect(ends).toContain(chunk.end)
      }),
    )
  })
})

/** IBKR's longest durations, and the bar sizes of each unit by its unit table; step-table values are checked beside. */
const LONGEST = { S: 86_400, D: 365, W: 52, M: 12, Y: 68 } as const
const UNIT_SIZES_SEC = { S: [1, 60], D: [5, 3600], W: [10, 14_400], M: [30, 28_800], Y: [60, 31 * 86_400] } as const

describe('durations', () => {
  test('are ones IBKR takes, for every chunk of every size, also when asked further back', () => {
    fc.assert(
      fc.property(planned, fc.constantFrom(1, 2), ({ shape, gap }, reach) => {
        if (!gap) return
        for (const chunk of chunksOf([gap], chunkSpanSec(shape, shape.spans))) {
          const [count, unit] = (durationFor(chunk, shape, reach) ?? '').split(' ') as [string, keyof typeof LONGEST]
          const [least, most] = UNIT_SIZES_SEC[unit]
          expect(Number(count)).toBeLessThanOrEqual(LONGEST[unit])
          expect(barSize(shape.spec).sec).toBeGreaterThanOrEqual(least)
          expect(barSize(shape.spec).sec).toBeLessThanOrEqual(most)
        }
      }),
    )
  })

  test('in calendar units and in seconds are never shorter than the window', () => {
    const unitSec = { S: 1, W: 7 * 86_400, M: 28 * 86_400, Y: 365 * 86_400 } as const
    fc.assert(
      fc.property(planned, ({ shape, gap }) => {
        if (!gap) return
        for (const chunk of chunksOf([gap], chunkSpanSec(shape, shape.spans))) {
          const [count, unit] = (durationFor(chunk, shape) ?? '').split(' ') as [string, 'S' | 'D' | 'W' | 'M' | 'Y']
          if (unit !== 'D') expect(Number(count) * unitSec[unit]).toBeGreaterThanOrEqual(chunk.end - chunk.start)
        }
      }),
    )
  })

  test.each([
    // Monday to Friday of New York stocks: five sessions, and the Friday before, whose bars show that it reached so far.
    ['1-MINUTE-LAST', 'STK', 'regular', '2026-03-02', '2026-03-07', '6 D'],
    // An FX day runs from 17:15 to 17:00 New York, so a UTC day touches two, and one more in some zone.
    ['5-MINUTE-MID', 'CASH', 'regular', '2026-03-03', '2026-03-04', '3 D'],
    ['5-MINUTE-MID', 'CASH', 'regular', '2026-03-01T20:00Z', '2026-03-01T23:00Z', '2 D'],
    ['1-MINUTE-LAST', 'FUT', 'all', '2026-03-03T10:00Z', '2026-03-03T10:01Z', '60 S'],
    ['1-SECOND-LAST', 'STK', 'regular', '2026-03-03T15:00Z', '2026-03-03T15:30Z', '1800 S'],
    ['1-DAY-LAST', 'STK', 'regular', '2026-01-01', '2026-12-01', '1 Y'],
  ] as const)('%s of %s, %s hours, %s to %s: %s', (spec, secType, hours, start, end, duration) => {
    const window = { start: parseInstant(start), end: parseInstant(end) }
    expect(durationFor(window, { spec: parseSpec(spec), secType, hours })).toBe(duration)
  })
})

describe('finality', () => {
  const at = parseInstant
  const cases: [spec: string, zone: string, asOf: string, until: string][] = [
    ['1-MINUTE-LAST', 'US/Eastern', '2026-03-03T15:05:30Z', '2026-03-03T15:05:00Z'],
    ['1-MINUTE-LAST', 'US/Eastern', '2026-03-03T15:05:14Z', '2026-03-03T15:04:00Z'],
    // An hour bar may begin at any minute: the one from 14:30 is final at 15:30, the one from 14:31 is not.
    ['1-HOUR-LAST', 'US/Eastern', '2026-03-03T15:30:20Z', '2026-03-03T14:31:00Z'],
    ['5-SECOND-LAST', 'US/Eastern', '2026-03-03T15:05:22Z', '2026-03-03T15:05:05Z'],
    ['1-DAY-LAST', 'US/Eastern', '2026-03-04T04:59:59Z', '2026-03-03'],
    ['1-DAY-LAST', 'US/Eastern', '2026-03-04T05:00:00Z', '2026-03-04'],
    ['1-DAY-LAST', 'Japan', '2026-03-03T15:00:00Z', '2026-03-04'],
    ['1-DAY-LAST', 'No/Where', '2026-03-04T11:59:59Z', '2026-03-03'],
    ['1-WEEK-LAST', 'US/Eastern', '2026-03-06T20:00:00Z', '2026-03-02'],
    ['1-MONTH-LAST', 'US/Eastern', '2026-03-06T20:00:00Z', '2026-03-01'],
  ]
  test.each(cases)('%s in %s at %s is final until %s', (spec, zone, asOf, until) => {
    expect(finalUntil(parseSpec(spec), at(asOf), { secType: 'STK', timeZoneId: zone })).toBe(at(until))
  })

  const window: Window = { start: at('2026-03-03T14:30Z'), end: at('2026-03-03T21:00Z') }
  const minute: BarSpec = parseSpec('1-MINUTE-LAST')
  const newYork = { secType: 'STK', timeZoneId: 'US/Eastern' } as const

  test('the silence behind the last bar is not believed before it is old', () => {
    const lastBar = at('2026-03-03T15:00Z')
    const early = { asOf: at('2026-03-03T15:03Z'), ...newYork, lastBar }
    expect(settledPart(window, minute, early)).toEqual({ start: window.start, end: lastBar + 60 })
    expect(settledPart(window, minute, { ...early, asOf: at('2026-03-03T16:00:20Z') })).toEqual({
      start: window.start,
      end: at('2026-03-03T15:30Z'),
    })
    expect(settledPart(window, minute, { ...early, asOf: at('2026-03-04T00:00Z') })).toEqual(window)
  })

  test('a forming bar settles nothing, nor does an answer from before the window’s first bar closed', () => {
    expect(
      settledPart(window, minute, {
        asOf: at('2026-03-03T14:30:59Z'),
        ...newYork,
        lastBar: window.start,
      }),
    ).toBeUndefined()
    expect(
      settledPart(window, minute, { asOf: at('2026-03-03T14:40Z'), ...newYork, lastBar: undefined }),
    ).toBeUndefined()
  })

  test('nothing settled is ever forming', () => {
    const zones = ['US/Eastern', 'Japan', 'MET']
    fc.assert(
      fc.property(
        fc.constantFrom(...SPECS),
        fc.constantFrom(...zones),
        fc.integer({ min: 1e9, max: 1.9e9 }),
        (spec, zone, asOf) => {
          const until = finalUntil(spec, asOf, { secType: 'STK', timeZoneId: zone })
          if (isDated(spec)) expect(until % 86_400).toBe(0)
          else
            expect(until - 1 - ((until - 1) % Math.min(60, barSize(spec).sec)) + barSize(spec).sec).toBeLessThanOrEqual(
              asOf,
            )
          expect(subtract([{ start: asOf, end: asOf + 1 }], [{ start: 0, end: until }])).toHaveLength(
            until > asOf ? 0 : 1,
          )
        },
      ),
    )
  })
})

describe('the time that requests take', () => {
  const pace = { perSecond: 45, open: 16, answerSec: 2 }
  const of = (spec: string, count: number, contract = 'AAPL') => ({ contract, spec: parseSpec(spec), count })
  const many = (spec: string, count: number) =>
    Array.from({ length: count / 5 }, (_, i) => of(spec, 5, `contract ${i}`))

  test.each([
    ['nothing to ask', [], 0, undefined],
    ['open requests', [of('1-MINUTE-LAST', 90)], 11, 'open requests'],
    ['the small-bar budget, whose first 60 go at once', many('5-SECOND-LAST', 60), 7, 'open requests'],
    ['the small-bar budget, one more', [...many('5-SECOND-LAST', 60), of('5-SECOND-LAST', 1, 'B')], 600, 'small bars'],
    ['BID_ASK, which counts twice', [of('5-SECOND-BID_ASK', 61)], 1200, 'small bars'],
    ['one contract and type, fewer than six in two seconds', [of('5-SECOND-LAST', 51)], 20, 'one contract'],
    ['two types of one contract', [of('5-SECOND-BID', 25), of('5-SECOND-ASK', 25)], 8, 'one contract'],
  ] as const)('is that of %s', (_, requests, sec, boundBy) => {
    expect(pacedSec(requests, pace)).toEqual({ sec, boundBy })
  })

  test('is that of the messages where answers come at once', () => {
    expect(pacedSec([of('1-MINUTE-LAST', 90)], { ...pace, answerSec: 0 })).toEqual({ sec: 2, boundBy: 'messages' })
  })
})
