import { BLANK, instant, NO_OFF_HOURS, type Product } from './product.ts'

// biome-ignore format: a table
const INDICES: readonly [symbol: string, name: string, price: number, swing: number, conId: number][] = [
  ['SPX', 'S&P 500 Stock Index', 5700, 0.7, 416904],
  ['VIX', 'CBOE Volatility Index', 17, 2, 13455763],
]

/** Indices: computed in regular hours only, without bid, ask or volume. */
export function indices(): Product[] {
  return INDICES.map(([symbol, longName, price, swing, conId]) => ({
    listing: {
      ...BLANK,
      conId,
      symbol,
      secType: 'IND',
      localSymbol: symbol,
      tradingClass: symbol,
      marketName: symbol,
      longName,
      validExchanges: ['CBOE'],
      headSec: instant('1990-01-02', '14:30'),
    },
    venue: 'usIndex',
    path: symbol,
    price,
    swing,
    volume: 0,
    quiet: 0,
    offHours: NO_OFF_HOURS,
    halfSpread: 0,
  }))
}
