/**
 * What the simulated market knows and can be asked. `wire/` turns these answers into the TWS protocol;
 * `truth()` hands them to a test as they are, so the two ways share the market and nothing else.
 */

import type { MarketEvents } from './events.ts'

/** A product the market trades, with what a contractDetails message needs. Absent texts are ''. */
export interface Listing {
  readonly conId: number
  readonly symbol: string
  readonly secType: 'STK' | 'CASH' | 'FUT' | 'IND' | 'CRYPTO' | 'CFD' | 'CMDTY' | 'BOND' | 'OPT' | 'FOP' | 'CONTFUT'
  /** `yyyymmdd`, or '' where nothing expires. */
  readonly lastTradeDate: string
  readonly contractMonth: string
  readonly strike: number
  readonly right: string
  readonly multiplier: string
  /** The exchanges a query may name, SMART among them where it routes. */
  readonly validExchanges: readonly string[]
  readonly primaryExchange: string
  readonly currency: string
  readonly localSymbol: string
  readonly tradingClass: string
  readonly marketName: string
  readonly longName: string
  readonly industry: string
  readonly category: string
  readonly subcategory: string
  readonly stockType: string
  readonly minTick: number
  readonly priceMagnifier: number
  readonly minSize: number
  readonly sizeIncrement: number
  readonly underConId: number
  readonly underSymbol: string
  readonly underSecType: string
  /** As IBKR names zones: `US/Eastern`, `US/Central`, `MET`, `GB-Eire`, `Japan`. */
  readonly timeZoneId: string
  /** Of the rule of price increments that holds on each exchange; undefined: none but minTick. */
  readonly marketRuleId?: number
  /** Of bonds. */
  readonly bond?: BondTerms
  readonly secIds: readonly (readonly [tag: string, value: string])[]
  /** First instant with history, epoch seconds. */
  readonly headSec: number
  /** First instant after the last trade, epoch seconds; undefined where nothing expires. */
  readonly endSec: number | undefined
}

/** What a bond promises. Dates `yyyymmdd`; the coupon in percent a year. */
export interface BondTerms {
  readonly cusip: string
  readonly coupon: number
  readonly maturity: string
  readonly issued: string
  readonly ratings: string
  readonly type: string
}

/** What a client asked for: fields as they came, '' or 0 where absent. */
export interface ContractQuery {
  readonly conId: number
  readonly symbol: string
  readonly secType: string
  readonly lastTradeDateOrContractMonth: string
  readonly strike: number
  readonly right: string
  readonly multiplier: string
  readonly exchange: string
  readonly primaryExchange: string
  readonly currency: string
  readonly localSymbol: string
  readonly tradingClass: string
  readonly includeExpired: boolean
}

/** One trading session. `[startSec, endSec)` in epoch seconds; `date` is its trade date, `yyyymmdd` (the closing date). */
export interface Session {
  readonly date: string
  readonly startSec: number
  readonly endSec: number
}

export type PriceKind =
  | 'TRADES'
  | 'MIDPOINT'
  | 'BID'
  | 'ASK'
  | 'BID_ASK'
  | 'ADJUSTED_LAST'
  | 'AGGTRADES'
  | 'HISTORICAL_VOLATILITY'
  | 'OPTION_IMPLIED_VOLATILITY'
  | 'FEE_RATE'

/** One bar. `timeSec` is its start (a day's and longer: 00:00 UTC of its date); volume, wap and count are −1 where IBKR has none. */
export interface MarketBar {
  readonly timeSec: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly wap: number
  readonly count: number
}

/** Whole seconds `[startSec, endSec)`, epoch seconds, of a listing's ticks; with useRTH those within regular hours. */
export interface TicksQuery {
  readonly listing: Listing
  readonly useRTH: boolean
  readonly startSec: number
  readonly endSec: number
  /** The market's clock: nothing from this instant on exists yet. */
  readonly nowSec: number
}

/** A trade. Price and size 0 with `pastLimit`: trading is halted, and the next such tick resumes it. */
export interface TradeTick {
  readonly timeSec: number
  readonly price: number
  readonly size: number
  readonly pastLimit: boolean
  /** Reported late or at an average price: in no bar. */
  readonly unreported: boolean
  readonly exchange: string
  readonly conditions: string
}

/** A change of the best bid or ask, or of their sizes. */
export interface QuoteTick {
  readonly timeSec: number
  readonly bid: number
  readonly ask: number
  readonly bidSize: number
  readonly askSize: number
  /** The ask stands above every price of the session so far. */
  readonly askPastHigh: boolean
  /** The bid stands below every one. */
  readonly bidPastLow: boolean
}

export interface MidTick {
  readonly timeSec: number
  readonly price: number
}

export interface BarsQuery {
  readonly listing: Listing
  /** One of IBKR's literal sizes: `1 secs` … `1 month`. */
  readonly barSize: string
  readonly whatToShow: PriceKind
  readonly useRTH: boolean
  /** Bars whose trading begins within `[startSec, endSec)`, epoch seconds; each is whole, even where it ends later. */
  readonly startSec: number
  readonly endSec: number
  /** The market's clock: nothing from this instant on exists yet. The bar it falls into is forming. */
  readonly nowSec: number
}

/** Options on one underlying that share an exchange and a trading class. */
export interface OptionChain {
  readonly exchange: string
  readonly underConId: number
  readonly tradingClass: string
  readonly multiplier: string
  /** `yyyymmdd`, oldest first. */
  readonly expirations: readonly string[]
  readonly strikes: readonly number[]
}

export interface Market {
  /** Splits and settlements: to be changed while the market runs. */
  readonly events: MarketEvents
  /**
   * Every listing that fits the query, in a fixed order: none (error 200), one, or several (ambiguous). Options are
   * those that trade at `nowSec` (epoch seconds); without it there are none.
   */
  find(query: ContractQuery, nowSec?: number): readonly Listing[]
  /** What an underlying has of options at an instant, a chain for each exchange and class; none where it has none. */
  chains(underlying: Listing, nowSec: number): readonly OptionChain[]
  /** Listings whose symbol or name starts with the pattern, case-insensitive, at most 16. */
  search(pattern: string): readonly Listing[]
  /** Sessions that intersect `[fromSec, toSec)`, oldest first; regular hours, or all hours. Holidays and half days included. */
  sessions(listing: Listing, useRTH: boolean, fromSec: number, toSec: number): readonly Session[]
  /** Bars, oldest first, a pure function of the query. Empty where the market was closed or had no history. */
  bars(query: BarsQuery): readonly MarketBar[]
  /** Every trade in whole seconds, oldest first. Those that are neither unreported nor halts make the bars of TRADES. */
  trades(query: TicksQuery): readonly TradeTick[]
  /** Every quote, at least one a second: their extremes are those of BID, ASK and BID_ASK bars. */
  quotes(query: TicksQuery): readonly QuoteTick[]
  /** Every change of the mid price, and the price as it stands when a minute begins. */
  midpoints(query: TicksQuery): readonly MidTick[]
  /** Whether this kind of data exists for the listing (TRADES of FX does not). */
  offers(listing: Listing, whatToShow: string): boolean
}

/** A file of bars that stands in for the generated market of one listing and one price kind. */
export interface Replay {
  /** An instrument id as users write it: `GBP/USD.IDEALPRO`, `6EH4.CME`, `AAPL.NASDAQ`. */
  readonly instrument: string
  /** CSV, plain or gzip; a header; columns timestamp (or timestamp_utc), open, high, low, close[, volume]; times UTC. */
  readonly path: string
  /** Default: read from the file's name (bid, ask, mid), otherwise TRADES. */
  readonly whatToShow?: 'TRADES' | 'BID' | 'ASK' | 'MIDPOINT'
}
