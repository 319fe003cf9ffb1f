import type { Listing } from '../types.ts'
import { BLANK, idOf, instant, NO_OFF_HOURS, type Product } from './product.ts'

// biome-ignore format: a table
const QUOTED: readonly [symbol: string, secType: 'CFD' | 'CMDTY', name: string, price: number, tick: number, swing: number][] = [
  ['XAUUSD', 'CMDTY', 'London Gold', 2600, 0.01, 0.7],
  ['IBUS500', 'CFD', 'IBKR US 500 CFD', 5700, 0.01, 0.8],
]

/** What IBKR itself quotes, on SMART alone: there are no trades of it. */
export function otc(): Product[] {
  return QUOTED.map(([symbol, secType, longName, price, minTick, swing]) => {
    const listing: Listing = {
      ...BLANK,
      conId: idOf(`${symbol} ${secType}`),
      symbol,
      secType,
      localSymbol: symbol,
      tradingClass: symbol,
      marketName: symbol,
      longName,
      minTick,
      validExchanges: ['SMART'],
      headSec: instant('2012-01-02', '23:15'),
    }
    const motion = { price, swing, volume: 0, quiet: 0, offHours: NO_OFF_HOURS, halfSpread: 20 }
    return { listing, venue: 'forex' as const, path: symbol, ...motion }
  })
}
