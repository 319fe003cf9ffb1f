import { fromLocal, zoneOf } from '../zone.ts'
import { DAY_SEC, type Day, dateText, yearOf } from './days.ts'
import { type HolidayRule, holidays, isWeekday } from './holidays.ts'
import type { Session } from './types.ts'

/** Minutes from midnight of the session's date by the venue's clock; negative: the evening before. */
type Hours = readonly (readonly [openMin: number, closeMin: number])[]

interface Venue {
  readonly zone: string
  readonly holidays: HolidayRule
  readonly everyDay?: boolean
  readonly regular: Hours
  readonly all: Hours
  /** When the venue closes on an early day, and on one next to a holiday. */
  readonly early?: Close
  readonly eve?: Close
}

interface Close {
  readonly regular: number
  readonly all: number
}

const at = (hour: number, minute = 0) => hour * 60 + minute

/** Trading hours as the venues publish them. */
const VENUES = {
  /** 13:00 on early days; what is after hours then ends at 17:00. */
  us: {
    zone: 'US/Eastern',
    holidays: 'usEquities',
    regular: [[at(9, 30), at(16)]],
    all: [[at(4), at(20)]],
    early: { regular: at(13), all: at(17) },
  },
  /** Indices are computed in regular hours only. */
  usIndex: {
    zone: 'US/Eastern',
    holidays: 'usEquities',
    regular: [[at(9, 30), at(16)]],
    all: [[at(9, 30), at(16)]],
    early: { regular: at(13), all: at(13) },
  },
  globex: {
    zone: 'US/Central',
    holidays: 'globex',
    regular: [[at(8, 30), at(15)]],
    all: [[at(-7), at(16)]],
    early: { regular: at(12), all: at(12) },
    eve: { regular: at(12, 15), all: at(12, 15) },
  },
  /** 17:15 to 17:00 New York, from Sunday evening. */
  forex: { zone: 'US/Eastern', holidays: 'forex', regular: [[at(-6, -45), at(17)]], all: [[at(-6, -45), at(17)]] },
  xetra: { zone: 'MET', holidays: 'germany', regular: [[at(9), at(17, 30)]], all: [[at(9), at(17, 30)]] },
  eurex: { zone: 'MET', holidays: 'germany', regular: [[at(8), at(22)]], all: [[at(1, 10), at(22)]] },
  london: {
    zone: 'GB-Eire',
    holidays: 'london',
    regular: [[at(8), at(16, 30)]],
    all: [[at(8), at(16, 30)]],
    early: { regular: at(12, 30), all: at(12, 30) },
  },
  tokyo: {
    zone: 'Japan',
    holidays: 'tokyo',
    regular: [
      [at(9), at(11, 30)],
      [at(12, 30), at(15)],
    ],
    all: [
      [at(9), at(11, 30)],
      [at(12, 30), at(15)],
    ],
  },
  /** Never closes: a session is a UTC day. */
  crypto: { zone: 'Etc/UTC', holidays: 'none', everyDay: true, regular: [[0, at(24)]], all: [[0, at(24)]] },
} as const satisfies Record<string, Venue>

export type VenueName = keyof typeof VENUES

/** IBKR's name of the venue's zone. */
export function zoneIdOf(venue: VenueName): string {
  return VENUES[venue].zone
}

/** Whether the venue trades outside its regular hours. */
export function hasOffHours(venue: VenueName): boolean {
  const { regular, all } = VENUES[venue]
  return String(regular) !== String(all)
}

const cache = new Map<string, readonly Session[]>()
/** Twenty years of days at a venue are 5,000; some 200 bytes each. */
const MAX_CACHED = 60_000

/** The sessions of one date, in order; none on a day the venue is closed. */
export function sessionsOf(venue: VenueName, useRTH: boolean, day: Day): readonly Session[] {
  const key = `${venue}${useRTH ? 'r' : 'a'}${day}`
  const found = cache.get(key)
  if (found) return found
  if (cache.size >= MAX_CACHED) cache.clear()
  const made = compute(VENUES[venue], useRTH, day)
  cache.set(key, made)
  return made
}

function compute(venue: Venue, useRTH: boolean, day: Day): Session[] {
  if (!venue.everyDay && !isWeekday(day)) return []
  const { closed, early, eve } = holidays(venue.holidays, yearOf(day))
  if (closed.has(day)) return []
  const zone = zoneOf(venue.zone)
  const close = eve.has(day) ? venue.eve : early.has(day) ? venue.early : undefined
  const limit = close ? close[useRTH ? 'regular' : 'all'] : Number.POSITIVE_INFINITY
  const instant = (minute: number) => fromLocal(zone, day * DAY_SEC + minute * 60)
  return (useRTH ? venue.regular : venue.all)
    .filter(([open]) => open < limit)
    .map(([open, close]) => ({ date: dateText(day), startSec: instant(open), endSec: instant(Math.min(close, limit)) }))
}

/** Sessions that intersect `[fromSec, toSec)`, oldest first. */
export function sessionsBetween(venue: VenueName, useRTH: boolean, fromSec: number, toSec: number): Session[] {
  const found: Session[] = []
  const last = Math.floor(toSec / DAY_SEC) + 1
  for (let day = Math.floor(fromSec / DAY_SEC) - 1; day <= last; day++) {
    for (const session of sessionsOf(venue, useRTH, day)) {
      if (session.startSec < toSec && session.endSec > fromSec) found.push(session)
    }
  }
  return found
}
