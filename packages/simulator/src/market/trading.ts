import { hasOffHours, sessionsBetween, type VenueName } from './calendar.ts'
import type { Listing, Session } from './types.ts'

/** When a listing trades. */
export interface Trading {
  /** Whether regular hours are fewer than all hours. */
  readonly hasOffHours: boolean
  /** Sessions that intersect `[fromSec, toSec)`, oldest first; regular hours, or all hours. */
  sessions(useRTH: boolean, fromSec: number, toSec: number): readonly Session[]
}

/** The venue's hours from the listing's first instant to its last trade. */
export function createTrading(venue: VenueName, listing: Listing): Trading {
  const { headSec, endSec = Number.POSITIVE_INFINITY } = listing
  return {
    hasOffHours: hasOffHours(venue),
    sessions(useRTH, fromSec, toSec) {
      const sessions = sessionsBetween(venue, useRTH, Math.max(fromSec, headSec), Math.min(toSec, endSec))
      return sessions.map((session) => {
        if (session.startSec >= headSec && session.endSec <= endSec) return session
        const { startSec, endSec: until } = session
        return { ...session, startSec: Math.max(startSec, headSec), endSec: Math.min(until, endSec) }
      })
    },
  }
}
