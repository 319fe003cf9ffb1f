import type { Listing } from './types.ts'

/** IBKR keeps futures for two years past their expiry. Source: its list of unavailable historical data. */
const KEPT_MONTHS = 24

/** Whether the listing can be traded at an instant (epoch seconds): listed by then, and not expired yet. */
export function isTraded({ headSec, endSec }: Listing, atSec: number): boolean {
  return headSec <= atSec && (endSec === undefined || endSec > atSec)
}

/** Whether the listing's history can be asked for at an instant: traded, or, unless it is an option, expired at most two years before. */
export function isKept(listing: Listing, atSec: number): boolean {
  const { headSec, endSec, secType } = listing
  // Of expired options IBKR keeps nothing at all.
  if (secType === 'OPT' || secType === 'FOP') return isTraded(listing, atSec)
  return headSec <= atSec && (endSec === undefined || endSec > monthsBefore(atSec, KEPT_MONTHS))
}

/** Calendar months before an instant, in UTC; a day that the earlier month lacks is its last. */
function monthsBefore(sec: number, months: number): number {
  const date = new Date(sec * 1000)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() - months)
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, lastDay))
  return date.getTime() / 1000
}
