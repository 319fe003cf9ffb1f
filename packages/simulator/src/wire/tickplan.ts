import type { ContractQuery } from '../market/types.ts'
import { zoneOf } from '../zone.ts'
import { parseEnd } from './dates.ts'
import type { FieldReader } from './fields.ts'
import { type Gateway, nowSec } from './gateway.ts'
import { BAD_END } from './history.ts'
import type { Page } from './page.ts'
import { invalid, Refusal } from './refusal.ts'
import { targetOf, unpermitted } from './target.ts'

/** IBKR gives no more ticks in one answer, but for the rest of the last second. */
export const MAX_TICKS = 1000

export type TickKind = 'TRADES' | 'BID_ASK' | 'MIDPOINT'

/** The words of IBKR's texts for each. */
const WORDS: Readonly<Record<TickKind, string>> = { TRADES: 'Last', BID_ASK: 'BidAsk', MIDPOINT: 'MidPoint' }

/** Message 96 as it came. */
export interface TicksRequest {
  readonly reqId: number
  readonly query: ContractQuery
  readonly start: string
  readonly end: string
  readonly count: number
  readonly whatToShow: string
  readonly useRTH: boolean
  readonly ignoreSize: boolean
}

/** A request for ticks found valid. */
export interface TicksPlan extends Page {
  readonly kind: TickKind
  readonly ignoreSize: boolean
}

export function readTicks(reader: FieldReader): TicksRequest {
  return {
    reqId: reader.reqId(),
    query: reader.contract(),
    start: reader.text().trim(),
    end: reader.text().trim(),
    count: reader.integer(),
    whatToShow: reader.text().toUpperCase(),
    useRTH: reader.flag(),
    ignoreSize: reader.flag(),
  }
}

/**
 * Judges a request for historical ticks; throws the Refusal TWS gives: 321 for a kind that is none, for both or
 * neither of start and end, for a count that is not 1 to 1000; 10314 for a bad time; 200 for no such contract; 10187
 * where the product has no such ticks, or nobody has subscribed to it.
 */
export function planTicks(gateway: Gateway, request: TicksRequest): TicksPlan {
  const { whatToShow: kind, start, end, count, useRTH, ignoreSize } = request
  if (!isTickKind(kind)) throw invalid('What to show field is missing or incorrect.')
  if ((start === '') === (end === '')) {
    throw invalid('Either start date/time or end date/time must be specified, and not both.')
  }
  if (count < 1 || count > MAX_TICKS) throw invalid(`Number of ticks must be between 1 and ${MAX_TICKS}: ${count}`)
  const { listing, exchange } = targetOf(gateway, request.query)
  if (!gateway.market.offers(listing, kind)) {
    const name = `${listing.symbol}/${listing.secType}@${exchange}`
    throw new Refusal(10187, `Failed to request historical ticks:No historical market data for ${name} ${WORDS[kind]}`)
  }
  const denied = unpermitted(gateway, listing)
  if (denied) throw new Refusal(10187, `Failed to request historical ticks:${denied}`)
  const at = parseEnd(start || end, zoneOf(listing.timeZoneId))
  if (at === undefined) throw new Refusal(10314, BAD_END)
  const now = nowSec(gateway)
  const bounds = start === '' ? { startSec: undefined, endSec: at } : { startSec: at, endSec: now }
  return { listing, kind, useRTH, ignoreSize, count, ...bounds, nowSec: now }
}

function isTickKind(kind: string): kind is TickKind {
  return Object.hasOwn(WORDS, kind)
}
