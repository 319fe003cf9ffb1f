import type { SecType } from './contract.ts'
import { MONDAY_SEC } from './finality.ts'
import { type BarSpec, barSize, type Hours, isDated } from './spec.ts'
import type { Window } from './window.ts'

const DAY_SEC = 86_400

/** What is known of a series when its requests are sized. */
export interface SeriesShape {
  readonly spec: BarSpec
  readonly secType: SecType
  readonly hours: Hours
}

/**
 * How long requests are: as IBKR's documentation advises ("a few thousand bars"), or as long as its tables allow and
 * gateways are seen to answer. What turns out too long is halved either way.
 */
export const SPANS = ['documented', 'practical'] as const
export type Spans = (typeof SPANS)[number]

/**
 * Bars a request aims at. IBKR's advice is a few thousand (TWS API documentation, "Historical Data Limitations"); users
 * have had 20,000 and more in one answer, which takes the gateway a minute at times.
 */
const TARGET_BARS: Readonly<Record<Spans, number>> = { documented: 4000, practical: 20_000 }

/** Longest durations by IBKR's step table that its unit table allows too (ibkr-rules, "Bar size and duration"), bars up to 30 s. */
const SECONDS_SPAN: Readonly<Record<number, number>> = { 1: 1800, 5: 3600, 10: 14_400, 15: 14_400, 30: 28_800 }
/** Stored bars that a request takes in on either side of its window, to be compared with. */
export const OVERLAP_BARS = 5

/** IBKR's longest for 1-second bars, and for any duration in seconds (ibkr-rules, "Bar size and duration"). */
const LONGEST_SECONDS = { one: 2000, any: DAY_SEC }

/** Dated bars, days: the step table's `1 Y` for daily ones; in practice decades of them come at once. Whole weeks where bars are weeks. */
const DATED_DAYS: Readonly<Record<Spans, { readonly daily: number; readonly longer: number }>> = {
  documented: { daily: 360, longer: 5 * 364 },
  practical: { daily: 20 * 364, longer: 60 * 364 },
}

/**
 * How much calendar time one chunk spans, seconds, in a duration that IBKR's tables allow for the bar size, with the bars
 * on either side by which it overlaps what is stored.
 */
export function chunkSpanSec({ spec, secType, hours }: SeriesShape, spans: Spans = 'documented'): number {
  const { sec } = barSize(spec)
  if (isDated(spec)) return DATED_DAYS[spans][spec.unit === 'DAY' ? 'daily' : 'longer'] * DAY_SEC
  const sessionSec = secType === 'STK' ? (hours === 'regular' ? 6.5 : 16) * 3600 : DAY_SEC
  const days = Math.min(Math.floor((TARGET_BARS[spans] * sec) / sessionSec), longestDays(sec))
  const small = SECONDS_SPAN[sec]
  if (small === undefined) return Math.max(1, days) * DAY_SEC
  // Of 1-second bars half an hour and the overlap are within IBKR's longest.
  if (spans === 'documented' && sec === 1) return small
  const longest = longestSec(sec, spans)
  if (spans === 'practical' && sec > 1 && days > 1) return days * DAY_SEC
  return Math.min(longest, TARGET_BARS[spans] * sec) - 2 * OVERLAP_BARS * sec
}

/**
 * The longest duration in seconds, seconds, for bars of `sec`, by the same tables. Infinite for bars of a minute and more:
 * what is long of them is asked in days.
 */
export function longestSec(sec: number, spans: Spans): number {
  const small = SECONDS_SPAN[sec]
  if (small === undefined) return Number.POSITIVE_INFINITY
  if (sec === 1) return LONGEST_SECONDS.one
  return spans === 'documented' ? small : LONGEST_SECONDS.any
}

/** Days that fit the longest duration of the unit used, with room for the sessions counted beyond the window's own. */
function longestDays(sec: number): number {
  return sec <= 3600 ? 300 : 40 * 7
}

/**
 * What spans are halved by, seconds: the shortest stretch that makes a request shorter. Dated bars are asked in years, and
 * bars of a minute and more in days or weeks or months, so less than one of them would ask the same again.
 */
function leastSpanSec(spec: BarSpec): number {
  const { sec } = barSize(spec)
  if (isDated(spec)) return 364 * DAY_SEC
  if (sec > 4 * 3600) return 28 * DAY_SEC
  if (sec > 3600) return 7 * DAY_SEC
  return sec >= 60 ? DAY_SEC : 60 * sec
}

/** The next shorter span after one that took too long, seconds; undefined where it would make no request shorter. */
export function halfSpanSec({ spec }: Pick<SeriesShape, 'spec'>, spanSec: number): number | undefined {
  const least = leastSpanSec(spec)
  const half = Math.floor(spanSec / 2 / least) * least
  return half >= least ? half : undefined
}

/**
 * The two halves of a window that took too long, the older first, cut where requests can be; undefined where halves would ask
 * for as much as the whole: it is too short, or IBKR answers up to now only.
 */
export function halvesOf(
  { start, end }: Window,
  { spec, secType }: Pick<SeriesShape, 'spec' | 'secType'>,
): readonly [Window, Window] | undefined {
  const least = leastSpanSec(spec)
  if (end - start < 2 * least || isToNow({ spec, secType })) return undefined
  const cut = Math.round(((start + end) / 2 - MONDAY_SEC) / least) * least + MONDAY_SEC
  return [
    { start, end: cut },
    { start: cut, end },
  ]
}

/** Whether IBKR answers up to now only: ADJUSTED_LAST and continuous futures (ibkr-rules, "whatToShow"; error 10339). */
export function isToNow({ spec, secType }: Pick<SeriesShape, 'spec' | 'secType'>): boolean {
  return spec.price === 'ADJUSTED_LAST' || secType === 'CONTFUT'
}

/**
 * How far back from now one request reaches, seconds, by IBKR's longest durations less what a request may wait for its
 * turn (some days; of 1-second bars minutes): 365 D count sessions, 52 W, 12 M and 68 Y calendar time.
 */
export function reachSec({ spec, secType }: Pick<SeriesShape, 'spec' | 'secType'>): number {
  const { sec } = barSize(spec)
  if (isDated(spec)) return 67 * 365 * DAY_SEC
  if (sec === 1) return 1800
  if (sec <= 3600) return (secType === 'CRYPTO' ? 355 : 490) * DAY_SEC
  return (sec <= 4 * 3600 ? 350 : 300) * DAY_SEC
}

/** How long a closed stretch may be that costs no answer worth its name, seconds: as far as one request reaches at most. */
export function closedSpanSec({ spec }: Pick<SeriesShape, 'spec'>, spanSec: number): number {
  const { sec } = barSize(spec)
  if (sec >= 60) return spanSec
  return Math.max(spanSec, sec === 1 ? LONGEST_SECONDS.one : LONGEST_SECONDS.any)
}
