import type { Listing, Market, TradeTick } from '../market/types.ts'

const DAY_SECONDS = 86_400
/** The last trade is looked for so far back; what trades less often shows none. Twice the longest halt there is. */
const TRADE_REACH_SEC = 1200
const LONGEST_HALT_SEC = TRADE_REACH_SEC / 2
const MINUTE_SEC = 60
/** Two trading days lie within it, holidays or not. */
const DAYS_REACH_SEC = 12 * DAY_SECONDS

/** What a ticker shows at an instant; what is unknown is undefined. */
export interface Quote {
  readonly bid?: number
  readonly ask?: number
  readonly bidSize?: number
  readonly askSize?: number
  readonly last?: number
  readonly lastSize?: number
  /** Epoch seconds. */
  readonly lastSec?: number
  readonly open?: number
  readonly high?: number
  readonly low?: number
  readonly volume?: number
  /** Of the day so far: the average price and the number of trades. */
  readonly average?: number
  readonly count?: number
  /** The last trade, be it one that is reported late or at an average price. */
  readonly print?: Print
  /** Trades, and what was traded, in the last minute. */
  readonly tradeRate?: number
  readonly volumeRate?: number
  /** 0: it trades; 2: halted for its volatility; −1: not known, as of what is frozen. Source: IBKR, tick types, Halted. */
  readonly halted?: number
}

export interface Print {
  readonly price: number
  readonly size: number
  /** Epoch seconds. */
  readonly timeSec: number
}

/** The quote of a listing at `atSec` (epoch seconds): undefined outside its sessions. */
export function quoteAt(market: Market, listing: Listing, atSec: number): Quote | undefined {
  const [session] = market.sessions(listing, false, atSec - 1, atSec)
  if (!session) return undefined
  return {
    ...bidAsk(market, listing, atSec),
    ...lastTrade(market, listing, atSec),
    ...dayOf(market, listing, session.startSec, atSec),
  }
}

/** The end of the last session before an instant, for what is frozen. */
export function lastInstant(market: Market, listing: Listing, atSec: number): number {
  const end = market.sessions(listing, false, atSec - DAYS_REACH_SEC, atSec).at(-1)?.endSec ?? atSec
  return Math.min(end, atSec)
}

/** Yesterday's close: of the last day that is not today's, the trade or the mid price. */
export function closeBefore(market: Market, listing: Listing, atSec: number): number | undefined {
  const whatToShow = market.offers(listing, 'TRADES') ? 'TRADES' : 'MIDPOINT'
  const [session] = market.sessions(listing, false, atSec - 1, atSec)
  const endSec = session?.startSec ?? atSec
  const window = { startSec: endSec - DAYS_REACH_SEC, endSec, nowSec: endSec }
  return market.bars({ listing, barSize: '1 day', whatToShow, useRTH: false, ...window }).at(-1)?.close
}

function bidAsk(market: Market, listing: Listing, atSec: number): Quote {
  if (!market.offers(listing, 'BID_ASK')) return {}
  const quote = market.quotes({ listing, useRTH: false, startSec: atSec - 1, endSec: atSec, nowSec: atSec }).at(-1)
  if (!quote) return {}
  const { bid, ask, bidSize, askSize } = quote
  return { bid, ask, bidSize, askSize }
}

function lastTrade(market: Market, listing: Listing, atSec: number): Quote {
  if (!market.offers(listing, 'TRADES')) return {}
  const window = { startSec: atSec - TRADE_REACH_SEC, endSec: atSec, nowSec: atSec }
  const ticks = market.trades({ listing, useRTH: false, ...window })
  const trades = ticks.filter(({ pastLimit, unreported }) => !pastLimit && !unreported)
  const minute = trades.filter(({ timeSec }) => timeSec >= atSec - MINUTE_SEC)
  const [trade, print] = [trades.at(-1), ticks.findLast(({ pastLimit }) => !pastLimit)]
  return {
    ...(listing.secType === 'STK' ? { halted: haltedAt(ticks, atSec) } : {}),
    ...(trade ? { last: trade.price, lastSize: trade.size, lastSec: trade.timeSec } : {}),
    ...(print ? { print: { price: print.price, size: print.size, timeSec: print.timeSec } } : {}),
    tradeRate: minute.length,
    volumeRate: minute.reduce((sum, { size }) => sum + size, 0),
  }
}

/** A halt begins and ends with a tick past the limit, so that an odd number of them leaves one open. */
function haltedAt(ticks: readonly TradeTick[], atSec: number): number {
  const edges = ticks.filter(({ pastLimit }) => pastLimit)
  const isRecent = (edges.at(-1)?.timeSec ?? 0) >= atSec - LONGEST_HALT_SEC
  return isRecent && edges.length % 2 === 1 ? 2 : 0
}

function dayOf(market: Market, listing: Listing, startSec: number, atSec: number): Quote {
  const whatToShow = market.offers(listing, 'TRADES') ? 'TRADES' : 'MIDPOINT'
  const window = { startSec, endSec: atSec, nowSec: atSec }
  const bar = market.bars({ listing, barSize: '1 day', whatToShow, useRTH: false, ...window }).at(-1)
  if (!bar) return {}
  const { open, high, low, volume, wap, count } = bar
  const traded = { ...(wap < 0 ? {} : { average: wap }), ...(count < 0 ? {} : { count }) }
  return { open, high, low, ...(volume < 0 ? {} : { volume }), ...traded }
}
