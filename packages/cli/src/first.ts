/** One part of the first dataset: series that begin together. */
export interface FirstPart {
  /** The dataset's name: kept from the first start on, with the instant it began at. */
  readonly name: string
  readonly instruments: readonly string[]
  readonly spec: string
  readonly days: number
}

/** What `tidegate start` keeps up to date from the beginning: one of each kind of product and bar size, some 70,000 bars. */
export const FIRST_DATASET: readonly FirstPart[] = [
  { name: 'first-stocks', instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'], spec: '1-MINUTE-LAST', days: 60 },
  { name: 'first-currencies', instruments: ['EUR/USD.IDEALPRO'], spec: '5-MINUTE-MID', days: 182 },
  { name: 'first-futures', instruments: ['ESZ6.CME'], spec: '1-HOUR-LAST', days: 365 },
  { name: 'first-funds', instruments: ['SPY.ARCA'], spec: '1-DAY-LAST', days: 3652 },
]
