import type { ContractQuery, PriceKind } from '../market/types.ts'
import { zoneOf } from '../zone.ts'
import { parseEnd } from './dates.ts'
import { minusMonths, type Window, windowOf } from './duration.ts'
import { hmds } from './encode.ts'
import type { FieldReader } from './fields.ts'
import { type Gateway, nowSec } from './gateway.ts'
import {
  BAD_BAR_SIZE,
  BAD_DURATION,
  type BarSize,
  type Duration,
  parseBarSize,
  parseDuration,
  refusePair,
  SMALL_BAR_MONTHS,
  SMALL_BAR_SECONDS,
} from './limits.ts'
import { invalid, Refusal } from './refusal.ts'
import { type Target, targetOf, unpermitted } from './target.ts'

/** Message 20 as it came. */
export interface HistoryRequest {
  readonly reqId: number
  readonly query: ContractQuery
  readonly end: string
  readonly barSize: string
  readonly duration: string
  readonly useRTH: boolean
  readonly whatToShow: string
  readonly formatDate: number
  readonly keepUpToDate: boolean
}

/** The words IBKR's farms use in their texts for each kind of price. */
const KIND_WORDS: Readonly<Record<string, string>> = {
  TRADES: 'Trades',
  MIDPOINT: 'Midpoint',
  BID: 'Bid',
  ASK: 'Ask',
  BID_ASK: 'Bid_Ask',
  ADJUSTED_LAST: 'Adjusted_Last',
  AGGTRADES: 'AggTrades',
  HISTORICAL_VOLATILITY: 'Historical_Volatility',
  OPTION_IMPLIED_VOLATILITY: 'Option_Implied_Volatility',
  FEE_RATE: 'Fee_Rate',
}

/** Kinds IBKR knows and this market has for no listing: refused as data that does not exist, not as a bad request. */
const OTHER_KINDS: ReadonlySet<string> = new Set(['YIELD_BID', 'YIELD_ASK', 'YIELD_BID_ASK', 'YIELD_LAST'])

export function readHistory(reader: FieldReader): HistoryRequest {
  const reqId = reader.reqId()
  const query = reader.contract()
  const end = reader.text()
  const barSize = reader.text()
  const duration = reader.text()
  const useRTH = reader.flag()
  const whatToShow = reader.text().toUpperCase()
  const formatDate = reader.integer()
  // Combination legs: conId, ratio, action, exchange each. No listing here is one, so nobody reads them.
  if (query.secType === 'BAG') reader.skip(4 * reader.integer())
  const keepUpToDate = reader.flag()
  return { reqId, query, end, barSize, duration, useRTH, whatToShow, formatDate, keepUpToDate }
}

/** A request found valid: what to ask the market, and how to print the answer. */
export interface HistoryPlan extends Target {
  readonly size: BarSize
  readonly duration: Duration
  readonly whatToShow: PriceKind
  readonly useRTH: boolean
  readonly epochDates: boolean
  readonly window: Window
}

/** What bars and schedules have in common: sizes, listing, and the end in epoch seconds, at most now. */
export interface Judged extends Target {
  readonly size: BarSize
  readonly duration: Duration
  readonly endSec: number
}

/** Checks what every historical request must keep; throws the Refusal TWS gives. */
export function judge(gateway: Gateway, request: HistoryRequest): Judged {
  const size = parseBarSize(request.barSize)
  if (!size) throw invalid(BAD_BAR_SIZE)
  const duration = parseDuration(request.duration)
  if (!duration) throw invalid(BAD_DURATION)
  const pair = refusePair(size, duration)
  if (pair) throw invalid(pair)
  checkFormat(request.formatDate)
  if (request.keepUpToDate) refuseToKeep(request, size)
  const target = targetOf(gateway, request.query)
  if (request.end !== '' && target.listing.secType === 'CONTFUT') {
    throw new Refusal(10339, 'Setting end date/time for continuous future security type is not allowed.')
  }
  const now = nowSec(gateway)
  if (request.end === '') return { ...target, size, duration, endSec: now }
  const endSec = parseEnd(request.end, zoneOf(target.listing.timeZoneId))
  if (endSec === undefined) throw new Refusal(10314, BAD_END)
  return { ...target, size, duration, endSec: Math.min(endSec, now) }
}

/** Throws Refusal 321 for a form of dates that is none: 1 is text, 2 epoch seconds. */
export function checkFormat(formatDate: number): void {
  if (formatDate !== 1 && formatDate !== 2) throw invalid('Format date must be 1 or 2.')
}

/** What IBKR keeps up to date: bars of five seconds and longer, of a price that is traded or quoted, up to now. */
const KEPT_KINDS: ReadonlySet<string> = new Set(['TRADES', 'MIDPOINT', 'BID', 'ASK'])
const SHORTEST_KEPT_SECONDS = 5

function refuseToKeep({ end, whatToShow }: HistoryRequest, size: BarSize): void {
  if (end !== '') throw invalid('End date/time must not be specified if keepUpToDate is requested.')
  if (size.seconds < SHORTEST_KEPT_SECONDS) throw invalid('keepUpToDate needs bars of 5 seconds or longer.')
  if (!KEPT_KINDS.has(whatToShow)) throw invalid('keepUpToDate is for TRADES, MIDPOINT, BID and ASK.')
}

/** Judges a request for bars in full; throws the Refusal TWS gives. */
export function planHistory(gateway: Gateway, request: HistoryRequest): HistoryPlan {
  const known = isPriceKind(request.whatToShow)
  if (!known && !OTHER_KINDS.has(request.whatToShow)) throw invalid('What to show field is missing or incorrect.')
  const judged = judge(gateway, request)
  const { listing, size, duration, endSec } = judged
  const { whatToShow, useRTH } = request
  if (!isPriceKind(whatToShow) || !gateway.market.offers(listing, whatToShow)) {
    const word = whatToShow === 'TRADES' ? 'Last' : kindWord(whatToShow)
    const name = `${listing.symbol}/${listing.secType}@${judged.exchange}`
    throw new Refusal(162, hmds(`No historical market data for ${name} ${word} ${size.seconds}`))
  }
  const denied = unpermitted(gateway, listing)
  if (denied) throw new Refusal(162, hmds(denied))
  if (request.end !== '' && whatToShow === 'ADJUSTED_LAST') {
    throw invalid('End date not supported with adjusted last')
  }
  // End-of-day data of options is among what IBKR never has.
  if (!size.intraday && (listing.secType === 'OPT' || listing.secType === 'FOP')) throw noData(judged, whatToShow)
  const asked = windowOf({ market: gateway.market, listing, useRTH, size, duration, endSec })
  const window = asked && withinReach(asked, size, nowSec(gateway))
  if (!window) throw noData(judged, whatToShow)
  const epochDates = request.formatDate === 2
  return { listing, exchange: judged.exchange, size, duration, whatToShow, useRTH, epochDates, window }
}

/** The answer to a window without a bar. It is error 162, yet says only that the window is empty. */
export function noData({ listing, exchange }: Target, whatToShow: string): Refusal {
  const name = `${listing.localSymbol || listing.symbol}@${exchange}`
  return new Refusal(162, hmds(`HMDS query returned no data: ${name} ${kindWord(whatToShow)}`))
}

/** Bars of 30 seconds and shorter are kept for six months: what lies before is cut off. */
function withinReach(window: Window, size: BarSize, now: number): Window | undefined {
  if (size.seconds > SMALL_BAR_SECONDS) return window
  const startSec = Math.max(window.startSec, minusMonths(now, SMALL_BAR_MONTHS))
  return startSec < window.endSec ? { startSec, endSec: window.endSec } : undefined
}

const kindWord = (kind: string): string => KIND_WORDS[kind] ?? kind

function isPriceKind(kind: string): kind is PriceKind {
  return Object.hasOwn(KIND_WORDS, kind)
}

/** IBKR's own text for code 10314. */
export const BAD_END =
  'End Date/Time: The date, time, or time-zone entered is invalid. The correct format is yyyymmdd hh:mm:ss xx/xxxx ' +
  'where yyyymmdd and xx/xxxx are optional. E.g.: 20031126 15:59:00 US/Eastern  Note that there is a space between ' +
  'the date and time, and between the time and time-zone.  If no date is specified, current date is assumed. If no ' +
  'time-zone is specified, local time-zone is assumed(deprecated).  You can also provide yyyymmddd-hh:mm:ss time is ' +
  'in UTC. Note that there is a dash between the date and time in UTC notation.'
