import type { VenueName } from '../calendar.ts'
import { type Day, nthWeekday } from '../days.ts'

/** What the futures of one root have in common. */
export interface Root {
  readonly symbol: string
  readonly tradingClass: string
  readonly exchange: string
  readonly name: string
  readonly venue: VenueName
  readonly multiplier: string
  readonly tick: number
  readonly price: number
  readonly swing: number
  readonly currency: string
  readonly months: readonly number[]
  /** The last trading day of a contract month. */
  readonly lastDay: (year: number, month: number) => Day
}

const QUARTERS = [3, 6, 9, 12]
const MONTHLY = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
const FRIDAY = 5
const MONDAY_BEFORE_THIRD_WEDNESDAY = (year: number, month: number) => nthWeekday(year, month, 3, 3) - 2
const THIRD_FRIDAY = (year: number, month: number) => nthWeekday(year, month, FRIDAY, 3)
const LATE_IN_MONTH = (year: number, month: number) => nthWeekday(year, month, 3, -1)

// biome-ignore format: a table
export const ROOTS: readonly Root[] = [
  { symbol: 'ES', tradingClass: 'ES', exchange: 'CME', name: 'E-mini S&P 500', venue: 'globex', multiplier: '50', tick: 0.25, price: 5700, swing: 0.8, currency: 'USD', months: QUARTERS, lastDay: THIRD_FRIDAY },
  { symbol: 'NQ', tradingClass: 'NQ', exchange: 'CME', name: 'E-mini NASDAQ 100', venue: 'globex', multiplier: '20', tick: 0.25, price: 20000, swing: 1, currency: 'USD', months: QUARTERS, lastDay: THIRD_FRIDAY },
  { symbol: 'EUR', tradingClass: '6E', exchange: 'CME', name: 'European Monetary Union Euro', venue: 'globex', multiplier: '125000', tick: 0.00005, price: 1.1, swing: 0.3, currency: 'USD', months: QUARTERS, lastDay: MONDAY_BEFORE_THIRD_WEDNESDAY },
  { symbol: 'ZN', tradingClass: 'ZN', exchange: 'CBOT', name: '10 Year US Treasury Note', venue: 'globex', multiplier: '1000', tick: 0.015625, price: 112, swing: 0.25, currency: 'USD', months: QUARTERS, lastDay: LATE_IN_MONTH },
  { symbol: 'CL', tradingClass: 'CL', exchange: 'NYMEX', name: 'Light Sweet Crude Oil', venue: 'globex', multiplier: '1000', tick: 0.01, price: 72, swing: 1.3, currency: 'USD', months: MONTHLY, lastDay: MONDAY_BEFORE_THIRD_WEDNESDAY },
  { symbol: 'GC', tradingClass: 'GC', exchange: 'COMEX', name: 'Gold', venue: 'globex', multiplier: '100', tick: 0.1, price: 2600, swing: 0.7, currency: 'USD', months: [2, 4, 6, 8, 10, 12], lastDay: LATE_IN_MONTH },
  { symbol: 'RTY', tradingClass: 'RTY', exchange: 'CME', name: 'E-Mini Russell 2000 Index', venue: 'globex', multiplier: '50', tick: 0.1, price: 2200, swing: 1, currency: 'USD', months: QUARTERS, lastDay: THIRD_FRIDAY },
  { symbol: 'YM', tradingClass: 'YM', exchange: 'CBOT', name: 'Mini Sized Dow Jones Industrial Average $5', venue: 'globex', multiplier: '5', tick: 1, price: 42000, swing: 0.7, currency: 'USD', months: QUARTERS, lastDay: THIRD_FRIDAY },
  { symbol: 'GBP', tradingClass: '6B', exchange: 'CME', name: 'British pound', venue: 'globex', multiplier: '62500', tick: 0.0001, price: 1.28, swing: 0.3, currency: 'USD', months: QUARTERS, lastDay: MONDAY_BEFORE_THIRD_WEDNESDAY },
  { symbol: 'ZB', tradingClass: 'ZB', exchange: 'CBOT', name: '30 Year US Treasury Bond', venue: 'globex', multiplier: '1000', tick: 0.03125, price: 120, swing: 0.35, currency: 'USD', months: QUARTERS, lastDay: LATE_IN_MONTH },
  { symbol: 'SI', tradingClass: 'SI', exchange: 'COMEX', name: 'Silver', venue: 'globex', multiplier: '5000', tick: 0.005, price: 31, swing: 1.1, currency: 'USD', months: [3, 5, 7, 9, 12], lastDay: LATE_IN_MONTH },
  { symbol: 'NG', tradingClass: 'NG', exchange: 'NYMEX', name: 'Henry Hub Natural Gas', venue: 'globex', multiplier: '10000', tick: 0.001, price: 2.9, swing: 1.8, currency: 'USD', months: MONTHLY, lastDay: MONDAY_BEFORE_THIRD_WEDNESDAY },
  { symbol: 'ESTX50', tradingClass: 'FESX', exchange: 'EUREX', name: 'Dow Jones Euro STOXX50', venue: 'eurex', multiplier: '10', tick: 1, price: 4900, swing: 0.8, currency: 'EUR', months: QUARTERS, lastDay: THIRD_FRIDAY },
]
