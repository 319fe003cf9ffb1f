import { zoneIdOf, type VenueName } from './calendar.ts'
import { DAY_SEC, type Day, dateText, dayOf, nthWeekday } from './days.ts'
import { hashText } from './noise.ts'
import type { Listing } from './types.ts'

/** A listing with what only the market needs of it. */
export interface Product {
  readonly listing: Listing
  readonly venue: VenueName
  /** Around what the price moves. */
  readonly price: number
  /** Yearly swing: 1 for a stock, less for a currency. */
  readonly swing: number
  /** Shares, contracts or coins in a busy minute; 0 where nothing is traded but quotes. */
  readonly volume: number
  /** Half the distance of bid and ask, in half ticks. */
  readonly halfSpread: number
}

const BLANK: Listing = {
  conId: 0, symbol: '', secType: 'STK', lastTradeDate: '', contractMonth: '', strike: 0, right: '', multiplier: '',
  validExchanges: [], primaryExchange: '', currency: 'USD', localSymbol: '', tradingClass: '', marketName: '', longName: '',
  industry: '', category: '', subcategory: '', stockType: '', minTick: 0.01, priceMagnifier: 1, minSize: 1, sizeIncrement: 1,
  underConId: 0, underSymbol: '', underSecType: '', timeZoneId: 'US/Eastern', secIds: [], headSec: 0, endSec: undefined,
} // biome-ignore format: a table

/** Real conIds are given where they are well known; the others follow from the name. */
function idOf(name: string): number {
  return 600_000_000 + (hashText(`conId ${name}`) % 300_000_000)
}

// biome-ignore format: a table
const STOCKS: readonly [symbol: string, exchange: string, name: string, kind: 'COMMON' | 'ETF', price: number, head: string, conId?: number, isin?: string][] = [
  ['AAPL', 'NASDAQ', 'APPLE INC', 'COMMON', 220, '1980-12-12', 265598, 'US0378331005'],
  ['MSFT', 'NASDAQ', 'MICROSOFT CORP', 'COMMON', 410, '1986-03-13', 272093, 'US5949181045'],
  ['NVDA', 'NASDAQ', 'NVIDIA CORP', 'COMMON', 130, '1999-01-22', 4815747, 'US67066G1040'],
  ['AMZN', 'NASDAQ', 'AMAZON.COM INC', 'COMMON', 190, '1997-05-15', 3691937, 'US0231351067'],
  ['GOOGL', 'NASDAQ', 'ALPHABET INC-CL A', 'COMMON', 170, '2004-08-19', 208813719, 'US02079K3059'],
  ['TSLA', 'NASDAQ', 'TESLA INC', 'COMMON', 250, '2010-06-29', 76792991, 'US88160R1014'],
  ['INTC', 'NASDAQ', 'INTEL CORP', 'COMMON', 30, '1980-03-17', 270639],
  ['CSCO', 'NASDAQ', 'CISCO SYSTEMS INC', 'COMMON', 55, '1990-02-16', 268084],
  ['QQQ', 'NASDAQ', 'INVESCO QQQ TRUST SERIES 1', 'ETF', 480, '1999-03-10', 320227571],
  ['IBM', 'NYSE', 'INTL BUSINESS MACHINES CORP', 'COMMON', 200, '1980-03-17', 8314, 'US4592001014'],
  ['KO', 'NYSE', 'COCA-COLA CO/THE', 'COMMON', 62, '1980-03-17', 8894],
  ['GE', 'NYSE', 'GENERAL ELECTRIC', 'COMMON', 170, '1980-03-17', 498843743],
  ['JPM', 'NYSE', 'JPMORGAN CHASE & CO', 'COMMON', 210, '1980-03-17', 1520593],
  ['BF B', 'NYSE', 'BROWN-FORMAN CORP-CLASS B', 'COMMON', 45, '1980-03-17', 4721],
  ['SPY', 'ARCA', 'SS SPDR S&P 500 ETF TRUST-US', 'ETF', 570, '1993-01-29', 756733, 'US78462F1030'],
  ['GLD', 'ARCA', 'SPDR GOLD SHARES', 'ETF', 240, '2004-11-18', 51529211],
  ['IWM', 'ARCA', 'ISHARES RUSSELL 2000 ETF', 'ETF', 220, '2000-05-26', 9579970],
  ['VOD', 'NASDAQ', 'VODAFONE GROUP PLC-SP ADR', 'COMMON', 9, '1988-10-26'],
]

// biome-ignore format: a table
const ABROAD: readonly [symbol: string, exchange: string, name: string, currency: string, venue: VenueName, price: number, tick: number, head: string][] = [
  ['VOD', 'LSE', 'VODAFONE GROUP PLC', 'GBP', 'london', 72, 0.01, '2000-01-04'],
  ['SAP', 'IBIS', 'SAP SE', 'EUR', 'xetra', 200, 0.02, '2000-01-03'],
  ['BMW', 'IBIS', 'BAYERISCHE MOTOREN WERKE AG', 'EUR', 'xetra', 80, 0.02, '2000-01-03'],
  ['7203', 'TSEJ', 'TOYOTA MOTOR CORP', 'JPY', 'tokyo', 2600, 0.5, '2004-01-05'],
]

// biome-ignore format: a table
const PAIRS: readonly [symbol: string, currency: string, name: string, price: number, tick: number, conId: number][] = [
  ['EUR', 'USD', 'European Monetary Union Euro', 1.1, 0.00005, 12087792],
  ['GBP', 'USD', 'British Pound', 1.28, 0.00005, 12087797],
  ['USD', 'JPY', 'US Dollar', 150, 0.005, 15016059],
  ['AUD', 'USD', 'Australian Dollar', 0.66, 0.00005, 14433401],
  ['USD', 'CHF', 'US Dollar', 0.88, 0.00005, 12087820],
  ['USD', 'CAD', 'US Dollar', 1.37, 0.00005, 15016062],
  ['EUR', 'GBP', 'European Monetary Union Euro', 0.85, 0.00005, 12087807],
]

interface Root {
  readonly symbol: string
  readonly tradingClass: string
  readonly exchange: string
  readonly name: string
  readonly venue: VenueName
  readonly multiplier: string
  readonly tick: number
  readonly price: number
  readonly currency: string
  readonly months: readonly number[]
  /** The last trading day of a contract month. */
  readonly lastDay: (year: number, month: number) => Day
}

const QUARTERS = [3, 6, 9, 12]
const MONTHLY = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
const MONTH_CODES = 'FGHJKMNQUVXZ'
const FRIDAY = 5
const MONDAY_BEFORE_THIRD_WEDNESDAY = (year: number, month: number) => nthWeekday(year, month, 3, 3) - 2
const THIRD_FRIDAY = (year: number, month: number) => nthWeekday(year, month, FRIDAY, 3)
const LATE_IN_MONTH = (year: number, month: number) => nthWeekday(year, month, 3, -1)

// biome-ignore format: a table
const ROOTS: readonly Root[] = [
  { symbol: 'ES', tradingClass: 'ES', exchange: 'CME', name: 'E-mini S&P 500', venue: 'globex', multiplier: '50', tick: 0.25, price: 5700, currency: 'USD', months: QUARTERS, lastDay: THIRD_FRIDAY },
  { symbol: 'NQ', tradingClass: 'NQ', exchange: 'CME', name: 'E-mini NASDAQ 100', venue: 'globex', multiplier: '20', tick: 0.25, price: 20000, currency: 'USD', months: QUARTERS, lastDay: THIRD_FRIDAY },
  { symbol: 'EUR', tradingClass: '6E', exchange: 'CME', name: 'European Monetary Union Euro', venue: 'globex', multiplier: '125000', tick: 0.00005, price: 1.1, currency: 'USD', months: QUARTERS, lastDay: MONDAY_BEFORE_THIRD_WEDNESDAY },
  { symbol: 'ZN', tradingClass: 'ZN', exchange: 'CBOT', name: '10 Year US Treasury Note', venue: 'globex', multiplier: '1000', tick: 0.015625, price: 112, currency: 'USD', months: QUARTERS, lastDay: LATE_IN_MONTH },
  { symbol: 'CL', tradingClass: 'CL', exchange: 'NYMEX', name: 'Light Sweet Crude Oil', venue: 'globex', multiplier: '1000', tick: 0.01, price: 72, currency: 'USD', months: MONTHLY, lastDay: MONDAY_BEFORE_THIRD_WEDNESDAY },
  { symbol: 'GC', tradingClass: 'GC', exchange: 'COMEX', name: 'Gold', venue: 'globex', multiplier: '100', tick: 0.1, price: 2600, currency: 'USD', months: [2, 4, 6, 8, 10, 12], lastDay: LATE_IN_MONTH },
  { symbol: 'ESTX50', tradingClass: 'FESX', exchange: 'EUREX', name: 'Dow Jones Euro STOXX50', venue: 'eurex', multiplier: '10', tick: 1, price: 4900, currency: 'EUR', months: QUARTERS, lastDay: THIRD_FRIDAY },
]

const FIRST_YEAR = 2000
const LAST_YEAR = 2035
/** How long before its expiry a future has history. */
const FUTURE_DAYS = 730

const sec = (date: string, clock = '14:30') => Date.parse(`${date}T${clock}:00Z`) / 1000

/** Everything the market lists, in a fixed order. */
export function allProducts(): Product[] {
  return [...STOCKS.map(usStock), ...ABROAD.map(stockAbroad), ...PAIRS.map(pair), ...indices(), ...coins(), ...ROOTS.flatMap(futuresOf)]
}

function usStock([symbol, exchange, longName, stockType, price, head, conId, isin]: (typeof STOCKS)[number]): Product {
  const alias = exchange === 'NASDAQ' ? ['NASDAQ', 'ISLAND'] : [exchange]
  const listing: Listing = {
    ...BLANK, conId: conId ?? idOf(`${symbol} ${exchange}`), symbol, localSymbol: symbol, tradingClass: exchange === 'NASDAQ' ? 'NMS' : symbol,
    marketName: exchange === 'NASDAQ' ? 'NMS' : symbol, longName, stockType, primaryExchange: exchange, headSec: sec(head),
    validExchanges: ['SMART', ...alias, 'AMEX', 'CBOE', 'BATS', 'IEX', 'MEMX'], minSize: 0.0001, sizeIncrement: 0.0001,
    secIds: isin ? [['ISIN', isin]] : [], industry: stockType === 'ETF' ? '' : 'Industrial',
  } // biome-ignore format: fields in groups
  return { listing, venue: 'us', price, swing: 1, volume: 40_000, halfSpread: 2 }
}

function stockAbroad([symbol, exchange, longName, currency, venue, price, minTick, head]: (typeof ABROAD)[number]): Product {
  const listing: Listing = {
    ...BLANK, conId: idOf(`${symbol} ${exchange}`), symbol, localSymbol: symbol, tradingClass: symbol, marketName: symbol, longName, currency,
    stockType: 'COMMON', primaryExchange: exchange, validExchanges: ['SMART', exchange], minTick, headSec: sec(head, '00:00'), timeZoneId: zoneIdOf(venue),
  } // biome-ignore format: fields in groups
  return { listing, venue, price, swing: 1, volume: 8000, halfSpread: 2 }
}

function pair([symbol, currency, longName, price, minTick, conId]: (typeof PAIRS)[number]): Product {
  const localSymbol = `${symbol}.${currency}`
  const listing: Listing = {
    ...BLANK, conId, symbol, secType: 'CASH', currency, localSymbol, tradingClass: localSymbol, marketName: localSymbol, longName, minTick,
    validExchanges: ['IDEALPRO'], minSize: 0.01, sizeIncrement: 0.01, headSec: sec('2005-03-09', '22:15'),
  } // biome-ignore format: fields in groups
  return { listing, venue: 'forex', price, swing: 0.2, volume: 0, halfSpread: 1 }
}

function indices(): Product[] {
  const named = [['SPX', 'S&P 500 Stock Index', 5700], ['VIX', 'CBOE Volatility Index', 17]] as const // biome-ignore format: a table
  return named.map(([symbol, longName, price]) => ({
    listing: { ...BLANK, conId: symbol === 'SPX' ? 416904 : 13455763, symbol, secType: 'IND' as const, localSymbol: symbol, tradingClass: symbol,
      marketName: symbol, longName, validExchanges: ['CBOE'], headSec: sec('1990-01-02') }, // biome-ignore format: fields in groups
    venue: 'us' as const, price, swing: 0.7, volume: 0, halfSpread: 0,
  }))
}

function coins(): Product[] {
  const named = [['BTC', 'Bitcoin', 60_000], ['ETH', 'Ethereum', 2600]] as const // biome-ignore format: a table
  return named.map(([symbol, longName, price]) => ({
    listing: { ...BLANK, conId: symbol === 'BTC' ? 479624278 : 495759171, symbol, secType: 'CRYPTO' as const, localSymbol: `${symbol}.USD`, tradingClass: symbol,
      marketName: symbol, longName, validExchanges: ['PAXOS'], minTick: 0.25, minSize: 0.00000001, sizeIncrement: 0.00000001,
      timeZoneId: 'Etc/UTC', headSec: sec('2021-06-01', '00:00') }, // biome-ignore format: fields in groups
    venue: 'crypto' as const, price, swing: 1.5, volume: 50, halfSpread: 4,
  }))
}

function futuresOf(root: Root): Product[] {
  const { symbol, tradingClass, exchange, name, venue, multiplier, tick, price, currency } = root
  const common: Listing = {
    ...BLANK, symbol, currency, tradingClass, marketName: tradingClass, longName: name, multiplier, minTick: tick, validExchanges: [exchange],
    timeZoneId: zoneIdOf(venue), underConId: idOf(`${symbol} IND`), underSymbol: symbol, underSecType: 'IND',
  } // biome-ignore format: fields in groups
  const market = { venue, price, swing: symbol === 'EUR' ? 0.2 : 0.8, volume: 900, halfSpread: 1 }
  const endless: Listing = { ...common, conId: idOf(`${tradingClass} CONTFUT`), secType: 'CONTFUT', localSymbol: tradingClass, headSec: sec('2000-01-03') }
  const dated: Product[] = []
  for (let year = FIRST_YEAR; year <= LAST_YEAR; year++) {
    for (const month of root.months) {
      const last = root.lastDay(year, month)
      const contractMonth = `${year}${String(month).padStart(2, '0')}`
      const code = `${tradingClass}${MONTH_CODES[month - 1]}${year % 10}`
      const localSymbol = exchange === 'EUREX' ? `${tradingClass} ${dateText(last)} M` : code
      const listing: Listing = {
        ...common, conId: idOf(`${tradingClass} ${contractMonth}`), secType: 'FUT', localSymbol, lastTradeDate: dateText(last), contractMonth,
        headSec: (last - FUTURE_DAYS) * DAY_SEC, endSec: last * DAY_SEC + 14.5 * 3600,
      } // biome-ignore format: fields in groups
      dated.push({ listing, ...market })
    }
  }
  return [...dated, { listing: endless, ...market }]
}

/** 1980-01-01: no session is looked for before it. */
export const FIRST_DAY = dayOf(1980, 1, 1)
