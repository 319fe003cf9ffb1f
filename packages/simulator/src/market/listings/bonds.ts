import type { BondTerms, Listing } from '../types.ts'
import { BLANK, idOf, instant, NO_OFF_HOURS, type Product } from './product.ts'

interface Row {
  readonly symbol: string
  readonly localSymbol: string
  readonly name: string
  readonly exchange: string
  readonly price: number
  readonly tick: number
  readonly terms: BondTerms
}

const BONDS: readonly Row[] = [
  {
    symbol: 'US-T',
    localSymbol: 'US-T 4 1/4 11/15/34',
    name: 'UNITED STATES TREASURY',
    exchange: 'IBUST',
    price: 99.5,
    tick: 0.015625,
    terms: {
      cusip: '91282CLW9',
      coupon: 4.25,
      maturity: '20341115',
      issued: '20241115',
      ratings: 'Aaa',
      type: 'GOVERNMENT',
    },
  },
  {
    symbol: 'IBM',
    localSymbol: 'IBM 4 05/15/29',
    name: 'INTL BUSINESS MACHINES CORP',
    exchange: 'FINRA',
    price: 96,
    tick: 0.001,
    terms: {
      cusip: '459200KZ3',
      coupon: 4,
      maturity: '20290515',
      issued: '20190515',
      ratings: 'A3/A-',
      type: 'CORPORATE',
    },
  },
]

/** Bonds: prices in percent of par; of what is traded IBKR tells no volume. */
export function bonds(): Product[] {
  return BONDS.map(({ symbol, localSymbol, name, exchange, price, tick, terms }) => {
    const listing: Listing = {
      ...BLANK,
      conId: idOf(`${localSymbol} BOND`),
      symbol,
      secType: 'BOND',
      lastTradeDate: terms.maturity,
      localSymbol,
      tradingClass: symbol,
      marketName: symbol,
      longName: name,
      validExchanges: ['SMART', exchange],
      minTick: tick,
      secIds: [['CUSIP', terms.cusip]],
      bond: terms,
      headSec: instant(`${terms.issued.slice(0, 4)}-${terms.issued.slice(4, 6)}-${terms.issued.slice(6)}`, '14:30'),
    }
    const motion = { price, swing: 0.15, volume: 0, quiet: 0, offHours: NO_OFF_HOURS, halfSpread: 4 }
    return { listing, venue: 'usIndex' as const, path: localSymbol, ...motion }
  })
}
