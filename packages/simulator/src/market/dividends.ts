import { type Day, nthWeekday, yearOf } from './days.ts'
import type { Listing } from './types.ts'

const FRIDAY = 5
const MONTHS = [2, 5, 8, 11]

/** What a quarter's dividend is of the price, of those that pay one. */
const PARTS: Readonly<Record<string, number>> = {
  AAPL: 0.0012,
  MSFT: 0.002,
  KO: 0.0075,
  IBM: 0.008,
  JPM: 0.006,
  XOM: 0.0085,
  CSCO: 0.0065,
  SPY: 0.0033,
  IWM: 0.003,
}

/** The day from which a share is traded without its dividend: the second Friday of every third month. */
function exDaysBetween(after: Day, until: Day): number {
  let count = 0
  for (let year = yearOf(after); year <= yearOf(until); year++) {
    for (const month of MONTHS) {
      const day = nthWeekday(year, month, FRIDAY, 2)
      if (day > after && day <= until) count++
    }
  }
  return count
}

/**
 * What a price of a day is multiplied by so that it compares with one of `today`: for each dividend in between, less by
 * its part, as IBKR's ADJUSTED_LAST is. 1 where nothing is paid.
 */
export function dividendFactor({ symbol, secType, currency }: Listing, day: Day, today: Day): number {
  const part = secType === 'STK' && currency === 'USD' ? PARTS[symbol] : undefined
  return part === undefined || day >= today ? 1 : (1 - part) ** exDaysBetween(day, today)
}
