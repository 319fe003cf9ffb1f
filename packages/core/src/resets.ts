import { lastWeekly, localClock } from './zone.ts'

const NEW_YORK = 'America/New_York'
const DAY_MINUTES = 1440
const SUNDAY = 7
const FRIDAY = 5

interface Rule {
  readonly name: string
  readonly zone: string
  /** Weekdays on which it begins, Monday 1 to Sunday 7. */
  readonly days: readonly number[]
  /** Minutes of the day it begins at. */
  readonly start: number
  readonly minutes: number
}

/** When IBKR restarts its servers ("System Status", "Reset Times"): North America's and Europe's, in local time. */
const RESETS: readonly Rule[] = [
  { name: 'nightly', zone: NEW_YORK, days: [SUNDAY, 1, 2, 3, 4, 6], start: 23 * 60 + 45, minutes: 60 },
  { name: 'Friday’s', zone: NEW_YORK, days: [FRIDAY], start: 23 * 60, minutes: 240 },
  { name: 'European', zone: 'Europe/Paris', days: [1, 2, 3, 4, 5, 6, SUNDAY], start: 5 * 60 + 45, minutes: 60 },
]

/** A reset of IBKR's servers: `[startMs, endMs)`, epoch milliseconds. */
export interface Reset {
  readonly name: string
  readonly startMs: number
  readonly endMs: number
}

/** The reset of IBKR's servers that `atMs` falls in; undefined outside of all. Connections break within them. */
export function resetAt(atMs: number): Reset | undefined {
  for (const { name, zone, days, start, minutes } of RESETS) {
    const { weekday, minute } = localClock(Math.floor(atMs / 1000), zone)
    const yesterday = weekday === 1 ? SUNDAY : weekday - 1
    const into = days.includes(weekday) && minute >= start ? minute - start : undefined
    const over = days.includes(yesterday) ? minute + DAY_MINUTES - start : undefined
    const passed = [into, over].find((since) => since !== undefined && since < minutes)
    if (passed === undefined) continue
    const startMs = (Math.floor(atMs / 60_000) - passed) * 60_000
    return { name, startMs, endMs: startMs + minutes * 60_000 }
  }
  return undefined
}

/** The resets around `atSec` as one window, where several overlap or touch: epoch seconds; undefined outside of all. */
export function resetsAround(atSec: number): { readonly start: number; readonly end: number } | undefined {
  const found = resetAt(atSec * 1000)
  if (!found) return undefined
  let { startMs, endMs } = found
  for (let next = resetAt(endMs); next; next = resetAt(endMs)) endMs = next.endMs
  for (let before = resetAt(startMs - 1); before; before = resetAt(startMs - 1)) startMs = before.startMs
  return { start: startMs / 1000, end: endMs / 1000 }
}

/** The last time IBKR ended every login, epoch milliseconds: Sundays at 01:00 in New York a person must log in again. */
export function lastExpiryMs(atMs: number): number {
  return lastWeekly(Math.floor(atMs / 1000), NEW_YORK, SUNDAY, 1) * 1000
}
