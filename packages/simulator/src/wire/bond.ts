import type { BondTerms } from '../market/types.ts'
import { type DetailsMessage, marketRuleIds, ORDER_TYPES, tradingHours } from './details.ts'
import { ascii7, SINCE } from './encode.ts'
import { frame } from './frames.ts'
import { decimal } from './numbers.ts'
import { exchangeOf } from './resolve.ts'

/** One bondContractDetails message (18), in the fields of the given server version, 163 to 200. */
export function bondMessage(
  { version, reqId, query, listing, market, nowSec }: DetailsMessage,
  terms: BondTerms,
): Buffer {
  const old = version < SINCE.sizeRules
  const hours = (useRTH: boolean) => tradingHours(market, listing, useRTH, nowSec)
  return frame([
    18,
    ...(old ? [6] : []),
    reqId,
    listing.symbol,
    listing.secType,
    terms.cusip,
    decimal(terms.coupon),
    terms.maturity,
    terms.issued,
    terms.ratings,
    terms.type,
    'FIXED',
    0, // convertible
    0, // callable
    0, // putable
    listing.localSymbol,
    exchangeOf(query, listing),
    listing.currency,
    listing.marketName,
    listing.tradingClass,
    listing.conId,
    decimal(listing.minTick),
    ...(old ? [1] : []),
    ORDER_TYPES,
    listing.validExchanges.join(','),
    '', // next option: date, type, partial
    '',
    0,
    '', // notes
    ascii7(listing.longName),
    ...(version >= SINCE.bondHours ? [listing.timeZoneId, hours(false), hours(true)] : []),
    '', // evRule
    '', // evMultiplier
    listing.secIds.length,
    ...listing.secIds.flat(),
    1, // aggGroup
    marketRuleIds(listing),
    ...(old ? [] : [listing.minSize, listing.sizeIncrement, listing.sizeIncrement].map(decimal)),
  ])
}
