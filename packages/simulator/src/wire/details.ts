import type { ContractQuery, Listing, Market, Session } from '../market/types.ts'
import { type Zone, zoneOf } from '../zone.ts'
import { dateSec, hms, localDate, ymd } from './dates.ts'
import { ascii7, SINCE } from './encode.ts'
import { frame } from './frames.ts'
import { decimal } from './numbers.ts'
import { exchangeOf } from './resolve.ts'

const DAY_SECONDS = 86_400
/** Gateways list today's hours and those of the five days that follow. */
const DAYS_OF_HOURS = 6
export const ORDER_TYPES = 'ACTIVETIM,ADJUST,ALERT,ALLOC,DAY,GTC,LMT,MKT,STP,STPLMT,WHATIF'

export interface DetailsMessage {
  readonly version: number
  readonly reqId: number
  readonly query: ContractQuery
  readonly listing: Listing
  readonly market: Market
  readonly nowSec: number
}

/** One contractDetails message (10), in the fields of the given server version, 163 to 200. */
export function detailsMessage({ version, reqId, query, listing, market, nowSec }: DetailsMessage): Buffer {
  const old = version < SINCE.sizeRules
  const fields: (string | number)[] = [
    10,
    ...(old ? [8] : []),
    reqId,
    listing.symbol,
    listing.secType,
    listing.lastTradeDate,
    ...(version >= SINCE.lastTradeDate ? [listing.lastTradeDate] : []),
    decimal(listing.strike),
    listing.right,
    exchangeOf(query, listing),
    listing.currency,
    listing.localSymbol,
    listing.marketName,
    listing.tradingClass,
    listing.conId,
    decimal(listing.minTick),
    // Before 164 the market-data size multiplier stood here; every value but 1 is history.
    ...(old ? [1] : []),
    listing.multiplier,
    ORDER_TYPES,
    listing.validExchanges.join(','),
    listing.priceMagnifier,
    listing.underConId,
    ascii7(listing.longName),
    listing.primaryExchange,
    listing.contractMonth,
    listing.industry,
    listing.category,
    listing.subcategory,
    listing.timeZoneId,
    tradingHours(market, listing, false, nowSec),
    tradingHours(market, listing, true, nowSec),
    '', // evRule
    '', // evMultiplier
    listing.secIds.length,
    ...listing.secIds.flat(),
    1, // aggGroup
    listing.underSymbol,
    listing.underSecType,
    marketRuleIds(listing),
    listing.lastTradeDate,
    listing.stockType,
    // Up to 163 one size (sizeMinTick), from 164 on three: minimum, increment, suggested increment.
    ...(old ? [listing.minSize] : [listing.minSize, listing.sizeIncrement, listing.sizeIncrement]).map(decimal),
    // The 17 fund fields of 179 belong to FUND contracts, which this market does not list.
    ...(version >= SINCE.ineligibility ? [0] : []),
  ]
  return frame(fields)
}

/** The id of the price rule on each of the exchanges; '' where there is no rule but minTick. */
export function marketRuleIds({ marketRuleId, validExchanges }: Listing): string {
  return marketRuleId === undefined ? '' : validExchanges.map(() => marketRuleId).join(',')
}

/** `20260402:0930-20260402:1600;20260403:CLOSED;…` on the listing's own clock, today's and the next five days'. */
export function tradingHours(market: Market, listing: Listing, useRTH: boolean, nowSec: number): string {
  const zone = zoneOf(listing.timeZoneId)
  const today = dateSec(localDate(nowSec, zone)) ?? 0
  const dates = Array.from({ length: DAYS_OF_HOURS }, (_, day) => ymd(today + day * DAY_SECONDS))
  const fromSec = nowSec - 2 * DAY_SECONDS
  const sessions = market.sessions(listing, useRTH, fromSec, nowSec + (DAYS_OF_HOURS + 2) * DAY_SECONDS)
  return dates.flatMap((date) => hoursOn(date, sessions, zone)).join(';')
}

/** A date's sessions by trade date. Closed only if none opens on it either: a Sunday evening belongs to Monday. */
function hoursOn(date: string, sessions: readonly Session[], zone: Zone): string[] {
  const own = sessions.filter((session) => session.date === date)
  if (own.length > 0) return own.map(({ startSec, endSec }) => `${clock(startSec, zone)}-${clock(endSec, zone)}`)
  return sessions.some(({ startSec }) => localDate(startSec, zone) === date) ? [] : [`${date}:CLOSED`]
}

/** `20260402:0930`. */
function clock(epochSec: number, zone: Zone): string {
  const local = epochSec + zone.offsetSec(epochSec)
  return `${ymd(local)}:${hms(local).slice(0, 5).replace(':', '')}`
}
