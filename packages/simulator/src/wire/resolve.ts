import { isKept, isTraded } from '../market/tenure.ts'
import type { ContractQuery, Listing, Market } from '../market/types.ts'

/** The listings a client may see at `nowSec` (epoch seconds) for this query: expired ones only if it asks for them. */
export function resolve(market: Market, query: ContractQuery, nowSec: number): readonly Listing[] {
  const isSeen = query.includeExpired ? isKept : isTraded
  return market.find(query, nowSec).filter((listing) => isSeen(listing, nowSec))
}

/** The exchange a reply names: the one asked for, else SMART where it routes, else the primary one. */
export function exchangeOf(query: ContractQuery, listing: Listing): string {
  if (query.exchange !== '') return query.exchange
  return listing.validExchanges.includes('SMART') ? 'SMART' : listing.primaryExchange
}
