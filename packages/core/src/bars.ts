import type { Window } from './window.ts'

/**
 * Bars as columns: the shape they have from the gateway's socket to the database. All columns are equally long.
 * `t` is a bar's start in epoch seconds (a daily or longer bar's: 00:00 UTC of the date IBKR gives it).
 * `v` volume, `w` wap and `n` count are null where IBKR has none (it sends −1).
 */
export interface BarColumns {
  readonly t: number[]
  readonly o: number[]
  readonly h: number[]
  readonly l: number[]
  readonly c: number[]
  readonly v: (number | null)[]
  readonly w: (number | null)[]
  readonly n: (number | null)[]
}

const PUSHED_AT_ONCE = 10_000

/** No bars yet. */
export function emptyBars(): BarColumns {
  return { t: [], o: [], h: [], l: [], c: [], v: [], w: [], n: [] }
}

/** Puts `more` behind `bars`, in place. */
export function appendBars(bars: BarColumns, more: BarColumns): void {
  for (const key of COLUMNS) {
    const into = bars[key] as (number | null)[]
    const from = more[key]
    // Every bar passes here: one at a time takes three times as long, and too many arguments are no call.
    if (from.length <= PUSHED_AT_ONCE) into.push(...from)
    else for (let i = 0; i < from.length; i += PUSHED_AT_ONCE) into.push(...from.slice(i, i + PUSHED_AT_ONCE))
  }
}

/** Bars `[from, to)` by position, as new columns. */
export function sliceBars(bars: BarColumns, from: number, to: number): BarColumns {
  return {
    t: bars.t.slice(from, to),
    o: bars.o.slice(from, to),
    h: bars.h.slice(from, to),
    l: bars.l.slice(from, to),
    c: bars.c.slice(from, to),
    v: bars.v.slice(from, to),
    w: bars.w.slice(from, to),
    n: bars.n.slice(from, to),
  }
}

/** The bars, in order of time, that start within the window, as new columns. */
export function barsWithin(bars: BarColumns, { start, end }: Window): BarColumns {
  return sliceBars(bars, firstFrom(bars.t, start), firstFrom(bars.t, end))
}

/** The position of the bar, of some in order of time, that starts at `sec`; undefined where none does. */
export function positionAt({ t }: Pick<BarColumns, 't'>, sec: number): number | undefined {
  const position = firstFrom(t, sec)
  return t[position] === sec ? position : undefined
}

/** The position of the first of these instants, in order, that is not before `sec`; behind the last where there is none. */
export function firstFrom(t: readonly number[], sec: number): number {
  let [low, high] = [0, t.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((t[middle] ?? 0) < sec) low = middle + 1
    else high = middle
  }
  return low
}

/** The bars whose start `keep` takes, as new columns. */
export function keepBars(bars: BarColumns, keep: (t: number) => boolean): BarColumns {
  const kept = bars.t.flatMap((t, i) => (keep(t) ? [i] : []))
  return pickBars(bars, kept)
}

/** The bars at these positions, in this order, as new columns. */
export function pickBars(bars: BarColumns, positions: readonly number[]): BarColumns {
  const pick = <T>(column: readonly T[]) => positions.map((i) => column[i] as T)
  return {
    t: pick(bars.t),
    o: pick(bars.o),
    h: pick(bars.h),
    l: pick(bars.l),
    c: pick(bars.c),
    v: pick(bars.v),
    w: pick(bars.w),
    n: pick(bars.n),
  }
}

/** What does not look right about the bar at a position: its high or low leaves out its open or close. Undefined when nothing does. */
export function flawOf({ o, h, l, c }: Pick<BarColumns, 'o' | 'h' | 'l' | 'c'>, i: number): string | undefined {
  const [open, high, low, close] = [o, h, l, c].map((column) => column[i] ?? Number.NaN) as [
    number,
    number,
    number,
    number,
  ]
  if (low > high) return `low ${low} above high ${high}`
  if (open > high || open < low) return `open ${open} outside low ${low} and high ${high}`
  if (close > high || close < low) return `close ${close} outside low ${low} and high ${high}`
  return undefined
}

export const COLUMNS = ['t', 'o', 'h', 'l', 'c', 'v', 'w', 'n'] as const
