import { sessionsOf } from '../calendar.ts'
import { DAY_SEC, type Day, nthWeekday, weekday, yearOf } from '../days.ts'
import type { OptionRoot } from './roots.ts'

const FRIDAY = 5
/** How long before its end a week's or a month's expiry is listed, days. */
const WEEKLY_DAYS = 56
const MONTHLY_DAYS = 364
/** Expiries are named by their Friday, counted from the first one of 1970, also where that is a holiday. */
const FIRST_FRIDAY = 1

/** One date on which options of a root end. */
export interface Expiry {
  readonly week: number
  /** The last trading day: the Friday, or the day before a holiday. */
  readonly day: Day
  readonly tradingClass: string
  /** The day it was listed on. */
  readonly listed: Day
  /** The last trade, epoch seconds. */
  readonly endSec: number
}

/** The expiries that trade at an instant (epoch seconds), the next first. */
export function expiriesAt(root: OptionRoot, nowSec: number): Expiry[] {
  const today = Math.floor(nowSec / DAY_SEC)
  const first = Math.floor((today - FIRST_FRIDAY - 1) / 7)
  const weeks = Array.from({ length: Math.ceil(MONTHLY_DAYS / 7) + 2 }, (_, i) => first + i)
  return weeks.flatMap((week) => {
    const expiry = expiryOf(root, week)
    return expiry && expiry.endSec > nowSec && expiry.listed <= today ? [expiry] : []
  })
}

/** The expiry of a week; undefined in a month's fifth, and where the venue is closed on both days. */
export function expiryOf(root: OptionRoot, week: number): Expiry | undefined {
  const friday = FIRST_FRIDAY + week * 7
  const date = new Date(friday * DAY_SEC * 1000)
  const nth = Math.ceil(date.getUTCDate() / 7)
  if (nth > 4) return undefined
  const isMonthly = friday === nthWeekday(yearOf(friday), date.getUTCMonth() + 1, FRIDAY, 3)
  const day = [friday, friday - 1].find((one) => sessionsOf(root.venue, true, one).length > 0)
  const endSec = day === undefined ? undefined : sessionsOf(root.venue, true, day).at(-1)?.endSec
  if (day === undefined || endSec === undefined) return undefined
  const tradingClass = classOf(root, nth, isMonthly, date.getUTCMonth() % 3 === 2)
  return { week, day, tradingClass, endSec, listed: listedOn(day, isMonthly ? MONTHLY_DAYS : WEEKLY_DAYS) }
}

/** Monthly index options have a class of their own, as have futures options by their week; stock options have one. */
function classOf({ symbol, secType }: OptionRoot, nth: number, isMonthly: boolean, isQuarter: boolean): string {
  if (secType === 'FOP') return isMonthly && isQuarter ? symbol : `EW${nth}`
  return symbol === 'SPX' && !isMonthly ? 'SPXW' : symbol
}

/** Listings begin on a weekday. */
function listedOn(day: Day, before: number): Day {
  const first = day - before
  return weekday(first) === 0 ? first + 1 : weekday(first) === 6 ? first + 2 : first
}
