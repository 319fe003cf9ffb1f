import type { ContractQuery, Listing } from '../market/types.ts'
import { type Gateway, nowSec } from './gateway.ts'
import { invalid, NOT_FOUND, Refusal } from './refusal.ts'
import { exchangeOf, resolve } from './resolve.ts'

/** The one listing a data request is about, and the exchange it named. */
export interface Target {
  readonly listing: Listing
  readonly exchange: string
}

/** IBKR's types of securities, be they listed here or not. */
// biome-ignore format: a table
const TYPES: ReadonlySet<string> = new Set([
  'STK', 'OPT', 'FUT', 'CONTFUT', 'FUT+CONTFUT', 'IND', 'FOP', 'CASH', 'BAG', 'WAR', 'BOND', 'BILL', 'CMDTY', 'NEWS', 'FUND', 'CFD',
  'CRYPTO', 'IOPT', 'FWD', 'SLB',
])

const BAD_TYPE = 'Please enter a valid security type'

/** Throws Refusal 321 for a type that is none; without a type, only a conId says enough. */
export function checkType({ secType, conId }: ContractQuery): void {
  if (secType === '' ? conId === 0 : !TYPES.has(secType)) throw invalid(BAD_TYPE)
}

/** Finds the one listing of a data request; throws the Refusal TWS gives for none or several. Unlike details, data needs an exchange. */
export function targetOf(gateway: Gateway, query: ContractQuery): Target {
  checkType(query)
  if (query.exchange === '') throw invalid('Please enter exchange')
  const [listing, second] = resolve(gateway.market, query, nowSec(gateway))
  if (!listing) throw new Refusal(200, NOT_FOUND)
  if (second) {
    const name = query.symbol || query.localSymbol || listing.symbol
    throw new Refusal(200, `The contract description specified for ${name} is ambiguous.`)
  }
  return { listing, exchange: exchangeOf(query, listing) }
}

/** The same for live data, of which a continuous future has none: it is no type there. */
export function liveTargetOf(gateway: Gateway, query: ContractQuery): Target {
  const target = targetOf(gateway, query)
  if (target.listing.secType === 'CONTFUT') throw invalid(BAD_TYPE)
  return target
}

/** Why a listing's data is not to be had: the fault `unsubscribed` names its symbol. Undefined where it is. */
export function unpermitted(
  { faults }: Gateway,
  { symbol, secType, primaryExchange, validExchanges }: Listing,
): string | undefined {
  if (!faults.unsubscribed.includes(symbol)) return undefined
  return `No market data permissions for ${primaryExchange || validExchanges[0]} ${secType}`
}
