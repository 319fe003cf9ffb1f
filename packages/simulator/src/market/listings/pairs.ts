import type { Listing } from '../types.ts'
import { BLANK, instant, NO_OFF_HOURS, type Product } from './product.ts'

// biome-ignore format: a table
const PAIRS: readonly [symbol: string, currency: string, name: string, price: number, tick: number, conId: number][] = [
  ['EUR', 'USD', 'European Monetary Union Euro', 1.1, 0.00005, 12087792],
  ['GBP', 'USD', 'British Pound', 1.28, 0.00005, 12087797],
  ['USD', 'JPY', 'US Dollar', 150, 0.005, 15016059],
  ['AUD', 'USD', 'Australian Dollar', 0.66, 0.00005, 14433401],
  ['USD', 'CHF', 'US Dollar', 0.88, 0.00005, 12087820],
  ['USD', 'CAD', 'US Dollar', 1.37, 0.00005, 15016062],
  ['EUR', 'GBP', 'European Monetary Union Euro', 0.85, 0.00005, 12087807],
  ['NZD', 'USD', 'New Zealand Dollar', 0.61, 0.00005, 39453441],
  ['EUR', 'JPY', 'European Monetary Union Euro', 162, 0.005, 14321016],
  ['GBP', 'JPY', 'British Pound', 190, 0.005, 14321015],
  ['EUR', 'CHF', 'European Monetary Union Euro', 0.94, 0.00005, 12087817],
]

// biome-ignore format: a table
const COINS: readonly [symbol: string, name: string, price: number, conId: number][] = [
  ['BTC', 'Bitcoin', 60_000, 479624278],
  ['ETH', 'Ethereum', 2600, 495759171],
]

/** Currency pairs on IDEALPRO, quoted and never traded as far as history tells. */
export function pairs(): Product[] {
  return PAIRS.map(([symbol, currency, longName, price, minTick, conId]) => {
    const localSymbol = `${symbol}.${currency}`
    const listing: Listing = {
      ...BLANK,
      conId,
      symbol,
      secType: 'CASH',
      currency,
      localSymbol,
      tradingClass: localSymbol,
      marketName: localSymbol,
      longName,
      minTick,
      validExchanges: ['IDEALPRO'],
      minSize: 0.01,
      sizeIncrement: 0.01,
      headSec: instant('2005-03-09', '22:15'),
    }
    const motion = { price, swing: 0.3, volume: 0, quiet: 0, offHours: NO_OFF_HOURS, halfSpread: 1 }
    return { listing, venue: 'forex' as const, path: localSymbol, ...motion }
  })
}

/** Coins against the dollar on PAXOS, around the clock. */
export function coins(): Product[] {
  return COINS.map(([symbol, longName, price, conId]) => {
    const listing: Listing = {
      ...BLANK,
      conId,
      symbol,
      secType: 'CRYPTO',
      localSymbol: `${symbol}.USD`,
      tradingClass: symbol,
      marketName: symbol,
      longName,
      validExchanges: ['PAXOS'],
      minTick: 0.25,
      minSize: 0.00000001,
      sizeIncrement: 0.00000001,
      timeZoneId: 'Etc/UTC',
      headSec: instant('2021-06-01', '00:00'),
    }
    const motion = { price, swing: 1.5, volume: 50, quiet: 0.02, offHours: NO_OFF_HOURS, halfSpread: 4 }
    return { listing, venue: 'crypto' as const, path: `${symbol}.USD`, ...motion }
  })
}
