import { DAY_SEC, dateText } from '../days.ts'
import type { Trading } from '../trading.ts'
import type { MarketBar, Session } from '../types.ts'

/** A stretch `[startSec, endSec)` in which a file has bars though the venue was closed. */
interface Outside {
  readonly startSec: number
  endSec: number
}

/** How far the nearest session is looked for. */
const REACH_SEC = 14 * DAY_SEC
/** Rows less than this apart are one stretch: no session of any venue fits between. */
const HOLE_SEC = 1800

/**
 * The venue's hours, made longer where a file has bars outside of them, for the file is the truth: its bars must lie in
 * some session for a duration to reach them. The nearest session is stretched; none is added, so that durations count
 * as many days as the venue had.
 * `starts` are the rows' times in order, `lengthSec` their length.
 */
export function stretchTrading(trading: Trading, starts: readonly number[], lengthSec: number): Trading {
  const stretched = stretch(trading, outsideOf(trading, starts, lengthSec))
  const all = (fromSec: number, toSec: number) =>
    trading
      .sessions(false, fromSec - REACH_SEC, toSec + REACH_SEC)
      .map((session) => stretched.get(session.startSec) ?? session)
      .filter((session) => session.startSec < toSec && session.endSec > fromSec)
  return {
    hasOffHours: trading.hasOffHours,
    sessions: (useRTH, fromSec, toSec) =>
      useRTH && trading.hasOffHours ? trading.sessions(true, fromSec, toSec) : all(fromSec, toSec),
  }
}

function outsideOf(trading: Trading, starts: readonly number[], lengthSec: number): Outside[] {
  const first = starts[0]
  const last = starts.at(-1)
  if (first === undefined || last === undefined) return []
  const sessions = trading.sessions(false, first, last + lengthSec)
  const outside: Outside[] = []
  let at = 0
  for (const startSec of starts) {
    while ((sessions[at]?.endSec ?? Number.POSITIVE_INFINITY) <= startSec) at++
    const session = sessions[at]
    if (session && session.startSec <= startSec) continue
    const run = outside.at(-1)
    const endSec = Math.min(startSec + lengthSec, session?.startSec ?? Number.POSITIVE_INFINITY)
    if (run && startSec - run.endSec < HOLE_SEC) run.endSec = endSec
    else outside.push({ startSec, endSec })
  }
  return outside
}

/** Sessions by their own start, as they are after stretching. */
function stretch(trading: Trading, outside: readonly Outside[]): ReadonlyMap<number, Session> {
  const stretched = new Map<number, Session>()
  for (const { startSec, endSec } of outside) {
    const near = trading.sessions(false, startSec - REACH_SEC, endSec + REACH_SEC)
    const before = near.findLast((session) => session.endSec <= startSec)
    const after = near.find((session) => session.startSec >= endSec)
    const wait = after ? after.startSec - endSec : Number.POSITIVE_INFINITY
    const nearer = before && startSec - before.endSec < wait ? before : after
    if (!nearer) continue
    const now = stretched.get(nearer.startSec) ?? nearer
    stretched.set(nearer.startSec, {
      ...now,
      startSec: Math.min(now.startSec, startSec),
      endSec: Math.max(now.endSec, endSec),
    })
  }
  return stretched
}

/** The venue's days, and those that a file of daily bars has besides them: each a session of its own, a UTC day long. */
export function addDays(trading: Trading, rows: readonly MarketBar[]): Trading {
  const [first, last] = [rows[0], rows.at(-1)]
  if (!first || !last) return trading
  const known = trading.sessions(false, first.timeSec - REACH_SEC, last.timeSec + REACH_SEC)
  const dates = new Set(known.map(({ date }) => date))
  const added = rows
    .map(({ timeSec }) => Math.floor(timeSec / DAY_SEC))
    .filter((day) => !dates.has(dateText(day)))
    .map((day) => ({ date: dateText(day), startSec: day * DAY_SEC, endSec: (day + 1) * DAY_SEC }))
  if (added.length === 0) return trading
  return {
    hasOffHours: trading.hasOffHours,
    sessions: (useRTH, fromSec, toSec) =>
      [
        ...trading.sessions(useRTH, fromSec, toSec),
        ...added.filter(({ startSec, endSec }) => startSec < toSec && endSec > fromSec),
      ].sort((a, b) => a.date.localeCompare(b.date) || a.startSec - b.startSec),
  }
}
