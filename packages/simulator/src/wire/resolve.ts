import type { ContractQuery, Listing, Market } from '../market/types.ts'
import { minusMonths } from './duration.ts'

/** IBKR keeps futures for two years past their expiry, and names them only to those who ask for expired ones. */
const EXPIRED_MONTHS = 24

/** The listings a client may see at `nowSec` (epoch seconds) for this query. */
export function resolve(market: Market, query: ContractQuery, nowSec: number): readonly Listing[] {
  return market.find(query).filter(({ endSec }) => {
    if (endSec === undefined || endSec > nowSec) return true
    return query.includeExpired && endSec > minusMonths(nowSec, EXPIRED_MONTHS)
  })
}

/** The exchange a reply names: the one asked for, else SMART where it routes, else the primary one. */
export function exchangeOf(query: ContractQuery, listing: Listing): string {
  if (query.exchange !== '') return query.exchange
  return listing.validExchanges.includes('SMART') ? 'SMART' : listing.primaryExchange
}
