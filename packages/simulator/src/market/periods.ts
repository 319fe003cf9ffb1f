import type { Zone } from '../zone.ts'
import { DAY_SEC } from './days.ts'
import { type DatedSize, isDated, secondsOf } from './sizes.ts'
import type { Session } from './types.ts'

/** Is led through a window's bars: the stretches of trading each is made of, then its time. All in epoch seconds. */
export interface Visitor {
  /** `[fromSec, toSec)` of this session belongs to the bar. */
  take(session: Session, fromSec: number, toSec: number): void
  /** The bar is complete, or ends now. */
  close(timeSec: number): void
}

/** Sessions of a listing that intersect `[fromSec, toSec)`, oldest first. */
export type SessionsBetween = (fromSec: number, toSec: number) => readonly Session[]

export interface Walk {
  readonly sessions: SessionsBetween
  readonly zone: Zone
  readonly barSize: string
  /** Bars whose trading begins in `[startSec, endSec)`, each whole. */
  readonly startSec: number
  readonly endSec: number
  /** Nothing from here on exists yet. */
  readonly nowSec: number
}

/** No month reaches further from its first session to its last. */
const MONTH_REACH_SEC = 33 * DAY_SEC
const DAY_REACH_SEC = 5 * DAY_SEC

export function visitBars(walk: Walk, visitor: Visitor): void {
  if (isDated(walk.barSize)) visitDated(walk, walk.barSize, visitor)
  else visitTimed(walk, secondsOf(walk.barSize), visitor)
}

/**
 * Bars below a day begin on the clock of the venue, counted from midnight: where a session opens off that grid, its
 * first bar is a stub (FX at 17:15, an hour of US stocks at 09:30), and no bar reaches over its session's end.
 */
function visitTimed({ sessions, zone, startSec, endSec, nowSec }: Walk, size: number, visitor: Visitor): void {
  for (const session of sessions(startSec, Math.min(endSec, nowSec))) {
    const offset = zone.offsetSec(session.startSec)
    const gridBefore = (sec: number) => Math.floor((sec + offset) / size) * size - offset
    const until = Math.min(session.endSec, nowSec)
    const first = startSec <= session.startSec ? session.startSec : gridBefore(startSec - 1) + size
    for (let from = first; from < endSec && from < until; ) {
      const next = gridBefore(from) + size
      visitor.take(session, from, Math.min(next, until))
      visitor.close(from)
      from = next
    }
  }
}

/**
 * A day is the sessions of one trade date; weeks run from Monday, months by the calendar. The bar is dated by its last
 * session so far, as IBKR dates weeks and months by their last trading day
 * (seen: https://github.com/stoqey/ibkr/issues/149).
 */
function visitDated({ sessions, startSec, endSec, nowSec }: Walk, size: DatedSize, visitor: Visitor): void {
  const reach = size === '1 day' ? DAY_REACH_SEC : MONTH_REACH_SEC
  let key = Number.NaN
  let day = 0
  let taken = false
  for (const session of sessions(startSec - reach, Math.min(endSec + reach, nowSec))) {
    const date = dayOfDate(session.date)
    const own = periodOf(date, size)
    if (own !== key) {
      if (taken) visitor.close(day * DAY_SEC)
      key = own
      taken = session.startSec >= startSec
      if (session.startSec >= endSec) return
    }
    if (!taken) continue
    day = date
    visitor.take(session, session.startSec, Math.min(session.endSec, nowSec))
  }
  if (taken) visitor.close(day * DAY_SEC)
}

/** Days since 1970 of `yyyymmdd`. */
export function dayOfDate(date: string): number {
  return Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6))) / (DAY_SEC * 1000)
}

function periodOf(day: number, size: DatedSize): number {
  if (size === '1 day') return day
  // 1970-01-05, day 4, was a Monday.
  if (size === '1 week') return Math.floor((day - 4) / 7)
  const date = new Date(day * DAY_SEC * 1000)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}
