import type { VenueName } from '../calendar.ts'

/** Options on one underlying: what all of them have in common. */
export interface OptionRoot {
  readonly symbol: string
  readonly secType: 'OPT' | 'FOP'
  readonly underSecType: 'STK' | 'IND' | 'FUT'
  readonly exchanges: readonly string[]
  readonly venue: VenueName
  readonly multiplier: string
  readonly tick: number
  /** Strikes are multiples of it, as far as `reach` times the underlying's price to either side. */
  readonly step: number
  readonly reach: number
  /** A year's volatility that prices are made with. */
  readonly volatility: number
}

const US = ['SMART', 'CBOE', 'AMEX', 'ISE', 'PHLX']

// biome-ignore format: a table
export const OPTION_ROOTS: readonly OptionRoot[] = [
  { symbol: 'AAPL', secType: 'OPT', underSecType: 'STK', exchanges: US, venue: 'usIndex', multiplier: '100', tick: 0.01, step: 2.5, reach: 0.2, volatility: 0.28 },
  { symbol: 'SPY', secType: 'OPT', underSecType: 'STK', exchanges: US, venue: 'usIndex', multiplier: '100', tick: 0.01, step: 5, reach: 0.15, volatility: 0.17 },
  { symbol: 'SPX', secType: 'OPT', underSecType: 'IND', exchanges: ['SMART', 'CBOE'], venue: 'usIndex', multiplier: '100', tick: 0.05, step: 25, reach: 0.12, volatility: 0.16 },
  { symbol: 'ES', secType: 'FOP', underSecType: 'FUT', exchanges: ['CME'], venue: 'globex', multiplier: '50', tick: 0.25, step: 5, reach: 0.04, volatility: 0.16 },
]
