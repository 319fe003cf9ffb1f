import type { Listing } from '../types.ts'
import { BLANK, idOf, instant, NO_OFF_HOURS, type Product } from './product.ts'

// biome-ignore format: a table
const QUOTED: readonly [symbol: string, secType: 'CFD' | 'CMDTY', name: string, price: number, tick: number, swing: number][] = [
  ['XAUUSD', 'CMDTY', 'London Gold', 2600, 0.01, 0.7],
  ['IBUS500', 'CFD', 'IBKR US 500 CFD', 5700, 0.01, 0.8],
]

// biome-ignore format: a table
const STOCKS: readonly [symbol: string, name: string, price: number, conId: number][] = [
  ['AAPL', 'APPLE INC', 220, 265598],
  ['MSFT', 'MICROSOFT CORP', 410, 272093],
]

/** CFDs on stocks: quoted by IBKR when the stock trades, and near to it. `conId` is the stock's. */
export function stockCfds(): Product[] {
  return STOCKS.map(([symbol, longName, price, conId]) => {
    const localSymbol = `${symbol}n`
    const listing: Listing = {
      ...BLANK,
      conId: idOf(`${symbol} CFD`),
      symbol,
      secType: 'CFD',
      localSymbol,
      tradingClass: localSymbol,
      marketName: localSymbol,
      longName,
      validExchanges: ['SMART'],
      underConId: conId,
      underSymbol: symbol,
      underSecType: 'STK',
      headSec: instant('2014-01-02', '14:30'),
    }
    // The stock's own path, so that both move together.
    const motion = { price, swing: 1, volume: 0, quiet: 0, offHours: NO_OFF_HOURS, halfSpread: 6 }
    return { listing, venue: 'us' as const, path: `${symbol} NASDAQ`, ...motion }
  })
}

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
