import type { Listing, Market, Session } from '../market/types.ts'
import { fromLocal, zoneOf } from '../zone.ts'
import type { BarSize, Duration } from './limits.ts'

const DAY_SECONDS = 86_400
/** The longest run of days without a session anywhere is under this; the first look back is at least as far. */
const LONGEST_BREAK_DAYS = 14

/** `[startSec, endSec)` in epoch seconds. */
export interface Window {
  readonly startSec: number
  readonly endSec: number
}

export interface WindowQuery {
  readonly market: Market
  readonly listing: Listing
  readonly useRTH: boolean
  readonly size: BarSize
  readonly duration: Duration
  /** Exclusive; already capped at now. */
  readonly endSec: number
}

/**
 * The window a duration asks for, counted in trading time as IBKR's farms do: S in seconds of trading, D in
 * trade dates (that of the session which contains the end, or began last before it, is the first), W, M and Y by calendar.
 * Bars of a day and longer take whole sessions, weeks and months: a session that reaches into the window is in it.
 * Undefined where the listing had no session in it.
 */
export function windowOf(query: WindowQuery): Window | undefined {
  return query.size.intraday ? intradayWindow(query) : datedWindow(query)
}

/** The sessions a duration touches, oldest first: what a schedule lists, and what bars of a day are made of. */
export function sessionsOf(query: WindowQuery): readonly Session[] {
  const { market, listing, useRTH, duration, endSec } = query
  if (duration.unit === 'D') return lastSessions(query, duration.count)
  if (duration.unit === 'S') {
    const startSec = walkBack(query, duration.count)
    return startSec === undefined ? [] : market.sessions(listing, useRTH, startSec, endSec)
  }
  return market.sessions(listing, useRTH, Math.max(calendarStart(query), listing.headSec), endSec)
}

function intradayWindow(query: WindowQuery): Window | undefined {
  const { duration, endSec } = query
  const startSec =
    duration.unit === 'S'
      ? walkBack(query, duration.count)
      : duration.unit === 'D'
        ? lastSessions(query, duration.count)[0]?.startSec
        : calendarStart(query)
  return startSec === undefined || startSec >= endSec ? undefined : { startSec, endSec }
}

function datedWindow(query: WindowQuery): Window | undefined {
  const sessions = sessionsOf(query)
  const first = sessions[0]
  const last = sessions.at(-1)
  if (!first || !last) return undefined
  return { startSec: periodSessions(query, first)[0].startSec, endSec: periodSessions(query, last)[1].endSec }
}

/** The first and last session of the week or month a session lies in, by trade date; of a day, itself. */
function periodSessions(query: WindowQuery, session: Session): [first: Session, last: Session] {
  const { market, listing, useRTH, size } = query
  if (size.name === '1 day') return [session, session]
  const key = size.name === '1 week' ? weekKey : monthKey
  const around = market
    .sessions(listing, useRTH, session.startSec - 33 * DAY_SECONDS, session.endSec + 33 * DAY_SECONDS)
    .filter((other) => key(other.date) === key(session.date))
  return [around[0] ?? session, around.at(-1) ?? session]
}

const monthKey = (date: string): string => date.slice(0, 6)

/** Weeks run from Monday: the count of Mondays since 1970-01-05. */
function weekKey(date: string): number {
  const days = Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6))) / 86_400_000
  return Math.floor((days - 4) / 7)
}

/** The sessions of the last `days` trade dates that began before the end, fewer where history began later. */
function lastSessions(query: WindowQuery, days: number): readonly Session[] {
  const sessions = lookBack(query, days * 1.6, (found) => datesOf(found).length >= days)
  const first = datesOf(sessions).at(-days)
  return first === undefined ? sessions : sessions.slice(sessions.findIndex(({ date }) => date === first))
}

/** Each trade date once: a venue that closes for lunch has two sessions on it. */
function datesOf(sessions: readonly Session[]): string[] {
  return [...new Set(sessions.map(({ date }) => date))]
}

/** The instant from which `seconds` of trading lie before the end, or the first there is. */
function walkBack(query: WindowQuery, seconds: number): number | undefined {
  const { endSec } = query
  const traded = (session: Session) => Math.min(session.endSec, endSec) - session.startSec
  const enough = (sessions: readonly Session[]) => sessions.reduce((sum, one) => sum + traded(one), 0) >= seconds
  let left = seconds
  let startSec: number | undefined
  for (const session of lookBack(query, seconds / DAY_SECONDS, enough).toReversed()) {
    startSec = Math.max(session.startSec, Math.min(session.endSec, endSec) - left)
    left -= traded(session)
    if (left <= 0) break
  }
  return startSec
}

/** Sessions that began before the end, as far back as `enough` of them, or the head of history. */
function lookBack(
  { market, listing, useRTH, endSec }: WindowQuery,
  days: number,
  enough: (sessions: readonly Session[]) => boolean,
): readonly Session[] {
  // Nothing trades after the last trade: an expired future is searched from there, not from a later end.
  const lastSec = Math.min(endSec, listing.endSec ?? endSec)
  for (let back = days + LONGEST_BREAK_DAYS; ; back *= 2) {
    const fromSec = Math.max(lastSec - Math.ceil(back * DAY_SECONDS), listing.headSec)
    if (fromSec >= lastSec) return []
    const sessions = market.sessions(listing, useRTH, fromSec, lastSec)
    if (enough(sessions) || fromSec === listing.headSec) return sessions
  }
}

/** W, M and Y before the end, on the listing's own clock: the same time of day, the day cut to the month's length. */
function calendarStart({ listing, duration, endSec }: WindowQuery): number {
  const zone = zoneOf(listing.timeZoneId)
  const localSec = endSec + zone.offsetSec(endSec)
  if (duration.unit === 'W') return fromLocal(zone, localSec - duration.count * 7 * DAY_SECONDS)
  return fromLocal(zone, minusMonths(localSec, duration.count * (duration.unit === 'Y' ? 12 : 1)))
}

/** Calendar months before a time (seconds, read as UTC): 31 May less one month is 30 April. */
export function minusMonths(sec: number, months: number): number {
  const date = new Date(sec * 1000)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() - months)
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, lastDay))
  return date.getTime() / 1000
}
