import type { SecType } from './contract.ts'
import { type BarSpec, barSize, isDated } from './spec.ts'
import type { Window } from './window.ts'
import { localDateSec } from './zone.ts'

const DAY_SEC = 86_400
/** Epoch seconds of a Monday, 00:00 UTC: weeks and the planner's grid are counted from it. */
export const MONDAY_SEC = 4 * DAY_SEC

/**
 * How long silence behind the last bar is not yet believed: IBKR's history servers can lag the market by minutes,
 * and a bar that is merely late must not be recorded as missing for good.
 */
const TRUST_SILENCE_SEC = { timed: 30 * 60, dated: DAY_SEC }

/** The close of a future's dated bar may be its settlement: hours late, Friday's sometimes on Saturday (ibkr-rules, "Times"). */
const SETTLED: ReadonlySet<SecType> = new Set(['FUT', 'CONTFUT', 'FOP'])

/** Where and what an instrument is, as far as its bars' finality hangs on it. `timeZoneId` is IBKR's name of its zone. */
export interface Listed {
  readonly secType: SecType
  readonly timeZoneId: string
}

/** What bars start on, seconds: whole minutes, bars under a minute on their own grid, dated bars on dates. */
export function gridSec(spec: BarSpec): number {
  return isDated(spec) ? DAY_SEC : Math.min(60, barSize(spec).sec)
}

/**
 * The exclusive end of what is final at `asOf` (epoch seconds): every bar that starts before it has closed.
 * Timed bars start on their grid, wherever their venue's hours begin. A dated bar is final once its venue's calendar
 * date is over, since sessions carry the date they close on; a future's a day later, when it is settled.
 */
export function finalUntil(spec: BarSpec, asOf: number, { secType, timeZoneId }: Listed): number {
  if (!isDated(spec)) {
    const grid = gridSec(spec)
    return Math.floor((asOf - barSize(spec).sec) / grid) * grid + grid
  }
  const today = localDateSec(asOf, timeZoneId) - (SETTLED.has(secType) ? DAY_SEC : 0)
  return periodStart(spec, today)
}

/** Start of the period of a dated spec that holds this date: the date itself, its Monday, the first of its month. */
export function periodStart(spec: BarSpec, dateSec: number): number {
  if (spec.unit === 'DAY') return dateSec
  if (spec.unit === 'WEEK') return Math.floor((dateSec - MONDAY_SEC) / (7 * DAY_SEC)) * 7 * DAY_SEC + MONDAY_SEC
  const date = new Date(dateSec * 1000)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / 1000
}

/**
 * The part of a chunk's window that an answer settles for good, or undefined.
 * Up to its last bar an answer is contiguous and proves itself; the silence behind that bar's start counts only once it
 * is old, for the next bar can start any moment later: the first hour of a US stock is half an hour long.
 * `lastBar` is the start of the answer's last bar, forming or not, if any. All in epoch seconds.
 */
export function settledPart(
  window: Window,
  spec: BarSpec,
  answer: Listed & { readonly asOf: number; readonly lastBar: number | undefined },
): Window | undefined {
  const final = finalUntil(spec, answer.asOf, answer)
  const believed = final - (isDated(spec) ? TRUST_SILENCE_SEC.dated : TRUST_SILENCE_SEC.timed)
  const proven = answer.lastBar === undefined ? believed : Math.max(believed, answer.lastBar + gridSec(spec))
  const end = Math.min(window.end, final, proven)
  return end > window.start ? { start: window.start, end } : undefined
}
