import type { ContractQuery, Listing } from '../market/types.ts'
import { type Gateway, nowSec } from './gateway.ts'
import { invalid, NOT_FOUND, Refusal } from './refusal.ts'
import { exchangeOf, resolve } from './resolve.ts'

/** The one listing a data request is about, and the exchange it named. */
export interface Target {
  readonly listing: Listing
  readonly exchange: string
}

/** Finds the one listing of a data request; throws the Refusal TWS gives for none or several. Unlike details, data needs an exchange. */
export function targetOf(gateway: Gateway, query: ContractQuery): Target {
  if (query.exchange === '') throw invalid('Please enter exchange')
  const [listing, second] = resolve(gateway.market, query, nowSec(gateway))
  if (!listing) throw new Refusal(200, NOT_FOUND)
  if (second) {
    const name = query.symbol || query.localSymbol || listing.symbol
    throw new Refusal(200, `The contract description specified for ${name} is ambiguous.`)
  }
  return { listing, exchange: exchangeOf(query, listing) }
}

/** Why a listing's data is not to be had: the fault `unsubscribed` names its symbol. Undefined where it is. */
export function unpermitted(
  { faults }: Gateway,
  { symbol, secType, primaryExchange, validExchanges }: Listing,
): string | undefined {
  if (!faults.unsubscribed.includes(symbol)) return undefined
  return `No market data permissions for ${primaryExchange || validExchanges[0]} ${secType}`
}
