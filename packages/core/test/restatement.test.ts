import { type BarColumns, compareBars, emptyBars, sliceBars } from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const TICK = 0.01
const T0 = 1_700_000_000 - (1_700_000_000 % 60)

function barsOf(closes: readonly number[]): BarColumns {
  const bars = emptyBars()
  closes.forEach((close, i) => {
    bars.t.push(T0 + i * 60)
    bars.o.push(close)
    bars.h.push(Number((close * 1.02).toFixed(2)))
    bars.l.push(Number((close * 0.98).toFixed(2)))
    bars.c.push(close)
    bars.v.push(100)
    bars.w.push(close)
    bars.n.push(1)
  })
  return bars
}

/** The bars before a position at another scale, rounded as IBKR rounds. */
function scaled(bars: BarColumns, ratio: number, before = bars.t.length, decimals = 2): BarColumns {
  const by = (column: readonly number[]) =>
    column.map((price, i) => (i < before ? Number((price * ratio).toFixed(decimals)) : price))
  return { ...bars, o: by(bars.o), h: by(bars.h), l: by(bars.l), c: by(bars.c) }
}

const closes = (minLength: number) =>
  fc.array(
    fc.integer({ min: 2000, max: 90_000 }).map((cents) => cents / 100),
    { minLength, maxLength: 40 },
  )
const ratios = fc.constantFrom(2, 3, 4, 5, 7, 10, 15, 20, 25, 50, 3 / 2, 4 / 3, 5 / 4, 5 / 2, 7 / 5)

describe('comparing bars', () => {
  it('finds a split whichever way it goes, and where it ends', () => {
    fc.assert(
      fc.property(closes(4), ratios, fc.boolean(), fc.nat(), (prices, up, reverse, cut) => {
        const stored = barsOf(prices)
        const ratio = reverse ? up : 1 / up
        const before = 2 + (cut % (prices.length - 1))
        const found = compareBars(stored, scaled(stored, ratio, before), TICK)
        expect(found).toMatchObject({ kind: 'split', first: T0, last: T0 + (before - 1) * 60 })
        expect(found.kind === 'split' && found.ratio).toBeCloseTo(ratio, 9)
        expect(found.kind === 'split' && found.agreesFrom).toBe(stored.t[before])
      }),
      { numRuns: 60 },
    )
  })

  it('calls the same what is the same, and compares only what both have', () => {
    fc.assert(
      fc.property(closes(3), (prices) => {
        const stored = barsOf(prices)
        const agreeing = prices.length
        expect(compareBars(stored, stored, TICK)).toEqual({ kind: 'same', agreeing })
        const others = scaled(sliceBars(stored, 1, 3), 2)
        expect(compareBars(sliceBars(stored, 0, 1), others, TICK)).toEqual({ kind: 'same', agreeing: 0 })
        expect(compareBars(stored, { ...stored, v: stored.v.map(() => 7) }, TICK)).toEqual({ kind: 'same', agreeing })
        const none = scaled(stored, 0)
        expect(compareBars(none, none, TICK)).toEqual({ kind: 'same', agreeing: 0 })
      }),
      { numRuns: 20 },
    )
  })

  it('takes bars that changed each in its own way for no split, and names exactly those', () => {
    fc.assert(
      fc.property(closes(6), fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 6 }), (prices, which) => {
        const stored = barsOf(prices)
        const came = { ...stored, c: stored.c.map((c, i) => (which.includes(i) ? c + 0.01 * (i + 1) : c)) }
        const at = which.toSorted((a, b) => a - b).map((i) => T0 + i * 60)
        const agreeing = prices.length - at.length
        expect(compareBars(stored, came, TICK)).toEqual({ kind: 'changed', at, agreeing })
      }),
      { numRuns: 40 },
    )
  })

  it('believes one bar alone in no split', () => {
    const stored = barsOf([100, 101, 102])
    expect(compareBars(stored, scaled(stored, 0.5, 1), TICK)).toEqual({ kind: 'changed', at: [T0], agreeing: 2 })
  })

  it('sees no split in what rounding explains', () => {
    const stored = barsOf([0.02, 0.02, 0.02])
    expect(compareBars(stored, scaled(stored, 0.5), TICK).kind).toBe('changed')
  })

  it('sees no split where bars between agree', () => {
    const stored = barsOf([100, 101, 102, 103])
    const half = scaled(stored, 0.5)
    const came = {
      ...half,
      ...Object.fromEntries((['o', 'h', 'l', 'c'] as const).map((k) => [k, half[k].with(1, stored[k][1] ?? 0)])),
    }
    expect(compareBars(stored, came, TICK)).toMatchObject({ kind: 'changed', at: [T0, T0 + 120, T0 + 180] })
  })

  it('takes an odd ratio only from five bars on', () => {
    const stored = barsOf([100, 101, 102, 103, 104, 105])
    expect(compareBars(stored, scaled(stored, 0.9237, 5), TICK)).toMatchObject({ kind: 'split', last: T0 + 240 })
    expect(compareBars(stored, scaled(stored, 0.9237, 4), TICK)).toMatchObject({ kind: 'changed' })
  })
})
