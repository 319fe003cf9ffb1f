import type { ContractQuery, Listing } from './types.ts'

/**
 * Whether a listing fits what a client asked, as IBKR matches: every field that is given must agree, a conId alone is
 * enough. A continuous future answers only to its own type: `FUT` and a bare symbol mean dated ones. Nor
 * does a bare symbol mean a CFD on it, or its issuer's bonds.
 */
export function fits(query: ContractQuery, listing: Listing): boolean {
  if (query.conId !== 0 && query.conId !== listing.conId) return false
  if (query.conId === 0 && query.symbol === '' && query.localSymbol === '' && query.tradingClass === '') return false
  return (
    fitsType(query, listing) &&
    same(query.symbol, listing.symbol) &&
    same(query.localSymbol, listing.localSymbol) &&
    same(query.tradingClass, listing.tradingClass) &&
    same(query.currency, listing.currency) &&
    same(query.multiplier, listing.multiplier) &&
    fitsExpiry(query.lastTradeDateOrContractMonth, listing) &&
    fitsExchange(query, listing) &&
    (query.strike === 0 || query.strike === listing.strike) &&
    same(query.right, listing.right)
  )
}

const same = (asked: string, own: string): boolean => asked === '' || asked === own

const ONLY_BY_TYPE: ReadonlySet<string> = new Set<Listing['secType']>(['CONTFUT', 'CFD', 'BOND'])

function fitsType({ secType, conId }: ContractQuery, listing: Listing): boolean {
  if (secType === '') return conId !== 0 || !ONLY_BY_TYPE.has(listing.secType)
  return secType === listing.secType
}

/** `yyyymm` is the contract month, `yyyymmdd` the last trading day. */
function fitsExpiry(asked: string, { contractMonth, lastTradeDate }: Listing): boolean {
  if (asked === '') return true
  return asked.length === 6 ? asked === contractMonth : asked === lastTradeDate
}

/** NASDAQ was ISLAND to IBKR until 2023, and a client may still say so. */
const ALIASES: Readonly<Record<string, string>> = { ISLAND: 'NASDAQ' }

function fitsExchange({ exchange, primaryExchange }: ContractQuery, listing: Listing): boolean {
  if (exchange !== '' && !listing.validExchanges.includes(exchange)) return false
  if (primaryExchange === '') return true
  const asked = ALIASES[primaryExchange] ?? primaryExchange
  // Only stocks name a primary exchange in their details; of others IBKR takes the exchange they trade on.
  return listing.primaryExchange === '' ? listing.validExchanges.includes(asked) : listing.primaryExchange === asked
}
