import type {
  BarsQuery,
  ContractQuery,
  Listing,
  Market,
  MarketBar,
  QuoteTick,
  Session,
  TicksQuery,
  TradeTick,
} from '../src/market/types.ts'

/** A market so small that every number in a test can be worked out by hand: the wire is under test, not the market. */

const DAY = 86_400
const SECONDS: Record<string, number> = { sec: 1, secs: 1, min: 60, mins: 60, hour: 3600, hours: 3600 }

/** The instant the market's clock stands at in these tests: Wednesday 2026-04-08 18:00 UTC, 14:00 in New York. */
export const NOW_SEC = Date.UTC(2026, 3, 8, 18) / 1000

export const BLANK: Listing = {
  conId: 0,
  symbol: '',
  secType: 'STK',
  lastTradeDate: '',
  contractMonth: '',
  strike: 0,
  right: '',
  multiplier: '',
  validExchanges: ['SMART', 'NASDAQ'],
  primaryExchange: 'NASDAQ',
  currency: 'USD',
  localSymbol: '',
  tradingClass: 'NMS',
  marketName: 'NMS',
  longName: '',
  industry: '',
  category: '',
  subcategory: '',
  stockType: 'COMMON',
  minTick: 0.01,
  priceMagnifier: 1,
  minSize: 0.0001,
  sizeIncrement: 0.0001,
  underConId: 0,
  underSymbol: '',
  underSecType: '',
  timeZoneId: 'US/Eastern',
  secIds: [],
  headSec: Date.UTC(2020, 0, 2, 14, 30) / 1000,
  endSec: undefined,
}

const FX: Listing = {
  ...BLANK,
  conId: 2,
  symbol: 'EUR',
  secType: 'CASH',
  localSymbol: 'EUR.USD',
  tradingClass: 'EUR.USD',
  marketName: 'EUR.USD',
  longName: 'European Monetary Union Euro',
  validExchanges: ['IDEALPRO'],
  primaryExchange: '',
  stockType: '',
  minTick: 0.00005,
}

const future = (conId: number, month: string, endSec: number): Listing => ({
  ...BLANK,
  conId,
  symbol: 'ES',
  secType: 'FUT',
  lastTradeDate: new Date(endSec * 1000).toISOString().slice(0, 10).replaceAll('-', ''),
  contractMonth: month,
  localSymbol: `ES${month}`,
  validExchanges: ['CME'],
  primaryExchange: 'CME',
  multiplier: '50',
  endSec,
})

export const LISTINGS: readonly Listing[] = [
  {
    ...BLANK,
    conId: 1,
    symbol: 'AAPL',
    localSymbol: 'AAPL',
    longName: 'APPLE INC',
    secIds: [['ISIN', 'US0378331005']],
  },
  FX,
  future(3, '202606', Date.UTC(2026, 5, 18, 13, 30) / 1000),
  future(4, '202603', Date.UTC(2026, 2, 20, 13, 30) / 1000),
  future(5, '202312', Date.UTC(2023, 11, 15, 14, 30) / 1000),
  { ...future(6, '', 0), secType: 'CONTFUT', lastTradeDate: '', endSec: undefined },
  { ...BLANK, conId: 7, symbol: 'SÜD', localSymbol: 'SÜD', longName: 'Südzucker AG' },
  { ...BLANK, conId: 8, symbol: 'DUAL', localSymbol: 'DUAL' },
  { ...BLANK, conId: 9, symbol: 'DUAL', localSymbol: 'DUAL', primaryExchange: 'TSE', currency: 'CAD' },
]

const fits = (asked: string | number, own: string | number): boolean => !asked || asked === own

function find(query: ContractQuery): readonly Listing[] {
  return LISTINGS.filter(
    (one) =>
      fits(query.conId, one.conId) &&
      fits(query.symbol, one.symbol) &&
      (query.secType ? query.secType === one.secType : query.conId > 0 || one.secType !== 'CONTFUT') &&
      (query.lastTradeDateOrContractMonth === '' ||
        [one.contractMonth, one.lastTradeDate].includes(query.lastTradeDateOrContractMonth)) &&
      (query.exchange === '' || one.validExchanges.includes(query.exchange)) &&
      fits(query.currency, one.currency) &&
      fits(query.localSymbol, one.localSymbol),
  )
}

/** Weekdays: New York stock hours in April's daylight time (UTC−4), 09:30–16:00 or 04:00–20:00; all else round the clock from 17:15 the day before to 17:00. */
function sessions(listing: Listing, useRTH: boolean, fromSec: number, toSec: number): readonly Session[] {
  const found: Session[] = []
  for (let day = Math.floor(fromSec / DAY) - 2; day <= Math.floor(toSec / DAY) + 2; day++) {
    const weekday = (day + 4) % 7
    if (weekday === 0 || weekday === 6) continue
    const stock = listing.secType === 'STK'
    const [open, close] = stock ? (useRTH ? [13.5, 20] : [8, 24]) : [-2.75, 21]
    const startSec = day * DAY + open * 3600
    const endSec = Math.min(day * DAY + close * 3600, listing.endSec ?? Number.POSITIVE_INFINITY)
    const date = new Date(day * DAY * 1000).toISOString().slice(0, 10).replaceAll('-', '')
    if (startSec < toSec && endSec > fromSec && endSec > startSec) found.push({ date, startSec, endSec })
  }
  return found
}

/** Prices of a bar follow from its start alone. */
function barAt(timeSec: number, priceless: boolean): MarketBar {
  const open = 254.2 + (timeSec % 7) / 8
  const none = { volume: -1, wap: -1, count: -1 }
  const traded = { volume: 100 + (timeSec % 11), wap: open + 0.015, count: 1 + (timeSec % 5) }
  return { timeSec, open, high: open + 1, low: 1e-7, close: open + 0.1 + 0.2, ...(priceless ? none : traded) }
}

function bars(query: BarsQuery): readonly MarketBar[] {
  const { listing, barSize, whatToShow, useRTH, startSec, endSec, nowSec } = query
  const priceless = whatToShow !== 'TRADES' && whatToShow !== 'ADJUSTED_LAST'
  const [count = '', unit = ''] = barSize.split(' ')
  const size = SECONDS[unit]
  const found: MarketBar[] = []
  for (const session of sessions(listing, useRTH, startSec, Math.min(endSec, nowSec))) {
    if (size === undefined) {
      found.push(barAt(Math.floor(session.endSec / DAY - 0.01) * DAY, priceless))
      continue
    }
    const step = Number(count) * size
    for (let at = session.startSec; at < Math.min(session.endSec, endSec, nowSec); at += step) {
      if (at >= startSec && at >= listing.headSec) found.push(barAt(at, priceless))
    }
  }
  return found
}

/** Seconds of trading within a query, each with what `make` gives for it. */
function ticksOf<T>(query: TicksQuery, make: (timeSec: number) => T[]): T[] {
  const { listing, useRTH, startSec, nowSec } = query
  const endSec = Math.min(query.endSec, nowSec)
  const ticks: T[] = []
  for (const session of sessions(listing, useRTH, startSec, endSec)) {
    for (let at = Math.max(session.startSec, startSec); at < Math.min(session.endSec, endSec); at++)
      ticks.push(...make(at))
  }
  return ticks
}

/** In a second divisible by 10 a halt or its end, otherwise one to three trades, the second of them unreported. */
function tradesAt(timeSec: number): TradeTick[] {
  const halt = { price: 0, size: 0, pastLimit: true, unreported: false, exchange: 'NASDAQ', conditions: '' }
  if (timeSec % 10 === 0) return [{ timeSec, ...halt }]
  return Array.from({ length: 1 + (timeSec % 3) }, (_, i) => ({
    timeSec,
    price: 254.2 + i,
    size: 100 + i,
    pastLimit: false,
    unreported: i === 1,
    exchange: i === 2 ? 'BATS' : 'NASDAQ',
    conditions: i === 0 ? ' F I' : '',
  }))
}

/** Two quotes of other sizes in an even second, one in an odd; the flags take turns. */
function quotesAt(timeSec: number): QuoteTick[] {
  const flags = { askPastHigh: timeSec % 4 === 0, bidPastLow: timeSec % 4 === 1 }
  const quote = {
    timeSec,
    bid: 254.25 + (timeSec % 64) / 64,
    ask: 254.5 + (timeSec % 64) / 64,
    askSize: 200,
    ...flags,
  }
  return timeSec % 2 === 0
    ? [
        { ...quote, bidSize: 100 },
        { ...quote, bidSize: 300 },
      ]
    : [{ ...quote, bidSize: 100 }]
}

export const market: Market = {
  events: { splits: [], settlementDelaySec: undefined },
  chains: ({ conId, symbol }) =>
    symbol !== 'AAPL'
      ? []
      : ['SMART', 'CBOE'].map((exchange) => ({
          exchange,
          underConId: conId,
          tradingClass: 'AAPL',
          multiplier: '100',
          expirations: ['20260410', '20260417'],
          strikes: [250, 252.5, 255],
        })),
  trades: (query) => ticksOf(query, tradesAt),
  quotes: (query) => ticksOf(query, quotesAt),
  midpoints: (query) => ticksOf(query, (timeSec) => [{ timeSec, price: 1.1 + (timeSec % 2) / 10_000 }]),
  find,
  sessions,
  bars,
  search: (pattern) => LISTINGS.filter(({ symbol }) => symbol.startsWith(pattern.toUpperCase())).slice(0, 16),
  offers: (listing, kind) =>
    listing.secType === 'CASH' ? ['MIDPOINT', 'BID', 'ASK', 'BID_ASK'].includes(kind) : kind !== 'AGGTRADES',
}
