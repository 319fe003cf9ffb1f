import type { Session } from './sessions.ts'
import { type BarSpec, barSize, isDated } from './spec.ts'

const DAY_SEC = 86_400

/** What bars start on, seconds: whole minutes, bars under a minute on their own grid, dated bars on dates. */
export function gridSec(spec: BarSpec): number {
  return isDated(spec) ? DAY_SEC : Math.min(60, barSize(spec).sec)
}

/**
 * Whether a bar of the spec may start at `sec`. Timed bars start on the hours and minutes of the venue's clocks, and where
 * their session opens off those, which makes the first one short: FX reopens at 17:15 New York (ibkr-rules, "Times"), US
 * stocks at 09:30. Longer bars of some products count from the opening instead, which is as good. Without the session a bar
 * starts on a whole minute, or its own seconds.
 */
export function isOnGrid(sec: number, spec: BarSpec, session: Session | undefined): boolean {
  if (sec % gridSec(spec) !== 0) return false
  if (isDated(spec) || !session) return true
  const { sec: size } = barSize(spec)
  return (sec + session.offsetSec) % size === 0 || (sec - session.start) % size === 0
}

/** The first instant after a timed bar's start at which another one may start, if its session is known; epoch seconds. */
export function nextStart(sec: number, spec: BarSpec, session: Session | undefined): number {
  if (isDated(spec) || !session) return sec + gridSec(spec)
  const { sec: size } = barSize(spec)
  const byClock = (Math.floor((sec + session.offsetSec) / size) + 1) * size - session.offsetSec
  const byOpening = sec + size - ((sec - session.start) % size)
  return Math.min(byClock, byOpening, Math.max(session.end, sec + gridSec(spec)))
}
