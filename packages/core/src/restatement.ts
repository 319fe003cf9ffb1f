import { type BarColumns, positionAt } from './bars.ts'

/** What IBKR says now of bars that are stored. */
export type Comparison =
  /** `agreeing`: how many bars both have; of none, nothing is known. */
  | { readonly kind: 'same'; readonly agreeing: number }
  /** Bars that differ without one ratio between them: their starts, epoch seconds, in order; and how many agree beside them. */
  | { readonly kind: 'changed'; readonly at: readonly number[]; readonly agreeing: number }
  /**
   * Every bar that differs does so by one ratio, new price ÷ old. `first` and `last` are the starts of the first and last of
   * them; `agreesFrom` is the start of the first bar behind them that agrees, undefined where none was compared.
   */
  | {
      readonly kind: 'split'
      readonly ratio: number
      readonly first: number
      readonly last: number
      readonly agreesFrom: number | undefined
    }

type Prices = readonly [open: number, high: number, low: number, close: number]

interface Pair {
  readonly t: number
  readonly old: Prices
  readonly now: Prices
}

/** Splits are of few shares for few: 2:1, 3:2, 1:10; the odd one of up to 100 for 1. */
const MOST_FEW = 10
const MOST_FOR_ONE = 100
/** So many bars prove a split in small whole numbers; any other ratio must be proven by more, and change more than noise. */
const PROOF = { few: 2, any: 5 }
const LEAST_CHANGE = 0.005

/**
 * Compares stored bars with those that came, both in order of time, by the bars that both have: whether they have the same prices, others, or
 * prices in one ratio, as after a split. Of a split at least two bars must speak, each changed by more than rounding
 * explains, and all that differ must stand together. A ratio that is none of small whole numbers, as a spin-off leaves, counts
 * where five bars agree on it. `tick` is what prices are rounded to. Volumes do not count: IBKR adds late trades to them.
 * Bars without any price, all zeros, say nothing.
 */
export function compareBars(stored: BarColumns, came: BarColumns, tick: number): Comparison {
  const pairs = pairsOf(stored, came)
  const differs = pairs.map(({ old, now }) => old.some((price, i) => price !== now[i]))
  const first = differs.indexOf(true)
  const agreeing = differs.filter((one) => !one).length
  if (first < 0) return { kind: 'same', agreeing }
  const last = differs.lastIndexOf(true)
  const changed = pairs.filter((_, i) => differs[i])
  const standTogether = changed.length === last - first + 1
  const ratio = standTogether ? ratioOf(changed, tick) : undefined
  if (ratio === undefined) return { kind: 'changed', at: changed.map(({ t }) => t), agreeing }
  return {
    kind: 'split',
    ratio,
    first: pairs[first]?.t ?? 0,
    last: pairs[last]?.t ?? 0,
    agreesFrom: pairs[last + 1]?.t,
  }
}

/** The one ratio by which all of these bars changed; undefined where there is none. */
function ratioOf(changed: readonly Pair[], tick: number): number | undefined {
  const sum = (prices: (pair: Pair) => Prices) =>
    changed.reduce((total, pair) => total + prices(pair).reduce((a, b) => a + b, 0), 0)
  const measured = sum(({ now }) => now) / sum(({ old }) => old)
  if (!Number.isFinite(measured) || measured <= 0) return undefined
  const explains = (ratio: number, proof: number) =>
    changed.every(({ old, now }) => old.every((price, i) => fits(price, now[i] ?? 0, ratio, tick))) &&
    changed.filter(({ old }) => old.some((price) => isPlain(price, ratio, tick))).length >= proof
  const few = nearestFew(measured)
  if (few !== undefined && explains(few, PROOF.few)) return few
  return Math.abs(measured - 1) >= LEAST_CHANGE && explains(measured, PROOF.any) ? measured : undefined
}

/** Whether the ratio explains the new price: both prices were rounded to a tick. */
function fits(old: number, now: number, ratio: number, tick: number): boolean {
  return Math.abs(now - old * ratio) <= roundingOf(ratio, tick) + Math.abs(now) * 1e-9
}

/** Whether the ratio moves a price by so much more than rounding does that it proves something. */
function isPlain(old: number, ratio: number, tick: number): boolean {
  return Math.abs(old * ratio - old) > 4 * roundingOf(ratio, tick)
}

function roundingOf(ratio: number, tick: number): number {
  return (tick / 2) * (1 + ratio)
}

/** The ratio of small whole numbers that is next to the measured one; undefined where that is 1. */
function nearestFew(measured: number): number | undefined {
  const up = measured >= 1 ? measured : 1 / measured
  let best = up > MOST_FEW ? Math.min(Math.round(up), MOST_FOR_ONE) : 1
  if (up <= MOST_FEW) {
    for (let m = 1; m <= MOST_FEW; m++) {
      const ratio = Math.round(up * m) / m
      if (up * m <= MOST_FEW && Math.abs(ratio - up) < Math.abs(best - up) - 1e-9) best = ratio
    }
  }
  if (best === 1) return undefined
  return measured >= 1 ? best : 1 / best
}

function pairsOf(stored: BarColumns, came: BarColumns): Pair[] {
  return stored.t.flatMap((t, i) => {
    const j = positionAt(came, t)
    if (j === undefined) return []
    const pair = { t, old: pricesAt(stored, i), now: pricesAt(came, j) }
    return [...pair.old, ...pair.now].some((price) => price !== 0) ? [pair] : []
  })
}

function pricesAt({ o, h, l, c }: BarColumns, i: number): Prices {
  return [o[i] ?? Number.NaN, h[i] ?? Number.NaN, l[i] ?? Number.NaN, c[i] ?? Number.NaN]
}
