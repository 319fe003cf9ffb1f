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

/**
 * The exclusive end of what is final at `asOf` (epoch seconds): every bar that starts before it has closed.
 * Timed bars start on whole minutes (bars under a minute on their own grid), wherever their venue's hours begin.
 * A dated bar is final once its venue's calendar date is over: sessions carry the date they close on.
 */
export function finalUntil(spec: BarSpec, asOf: number, timeZoneId: string): number {
  if (!isDated(spec)) {
    const { sec } = barSize(spec)
    const grid = Math.min(sec, 60)
    return Math.floor((asOf - sec) / grid) * grid + grid
  }
  const today = localDateSec(asOf, timeZoneId)
  if (spec.unit === 'DAY') return today
  if (spec.unit === 'WEEK') return Math.floor((today - MONDAY_SEC) / (7 * DAY_SEC)) * 7 * DAY_SEC + MONDAY_SEC
  const date = new Date(today * 1000)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / 1000
}

/**
 * The part of a chunk's window that an answer settles for good, or undefined.
 * Up to the last final bar the answer is contiguous and proves itself; the silence behind it counts only once it is old.
 * `lastBar` is the start of the last final bar in the window, if any. All in epoch seconds.
 */
export function settledPart(
  window: Window,
  spec: BarSpec,
  answer: { readonly asOf: number; readonly timeZoneId: string; readonly lastBar: number | undefined },
): Window | undefined {
  const final = finalUntil(spec, answer.asOf, answer.timeZoneId)
  const believed = final - (isDated(spec) ? TRUST_SILENCE_SEC.dated : TRUST_SILENCE_SEC.timed)
  const proven = answer.lastBar === undefined ? believed : Math.max(believed, answer.lastBar + barSize(spec).sec)
  const end = Math.min(window.end, final, proven)
  return end > window.start ? { start: window.start, end } : undefined
}
