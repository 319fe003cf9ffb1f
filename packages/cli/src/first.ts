import { frontQuarter } from './quarter.ts'

/** One part of the first dataset: series that begin together. */
export interface FirstPart {
  /** The dataset's name: kept from the first start on, with the instant it began at. */
  readonly name: string
  readonly instruments: readonly string[]
  readonly spec: string
  readonly days: number
}

/** ESZ6 is what a first dataset is known by; a clock before its time sees it too, for it is listed years ahead. */
const ESZ6_BEGINS_SEC = Date.UTC(2026, 8, 18) / 1000

/**
 * What `tidegate start` keeps up to date from the beginning: one of each kind of product and bar size, some 70,000 bars.
 * Its future is ESZ6 until the day it expires (2026-12-18), then the quarterly one that expires next.
 */
export function firstDataset(nowSec: number): FirstPart[] {
  const future = `${frontQuarter('ES', Math.max(nowSec, ESZ6_BEGINS_SEC))}.CME`
  return [
    { name: 'first-stocks', instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'], spec: '1-MINUTE-LAST', days: 60 },
    { name: 'first-currencies', instruments: ['EUR/USD.IDEALPRO'], spec: '5-MINUTE-MID', days: 182 },
    { name: 'first-futures', instruments: [future], spec: '1-HOUR-LAST', days: 365 },
    { name: 'first-funds', instruments: ['SPY.ARCA'], spec: '1-DAY-LAST', days: 3652 },
  ]
}
