import type { BarsQuery, ContractQuery, Listing, Market, MarketBar, Session } from '@tidegate/simulator'

type TicksQuery = Parameters<Market['trades']>[0]
type TradeTick = ReturnType<Market['trades']>[number]
type QuoteTick = ReturnType<Market['quotes']>[number]
type MidTick = ReturnType<Market['midpoints']>[number]

/** A market open round the clock, every number of which follows from a bar's start: the bridge is under test, not the market. */

const DAY = 86_400
const SECONDS: Readonly<Record<string, number>> = { sec: 1, secs: 1, min: 60, mins: 60, hour: 3600, hours: 3600 }
/** Wednesday 2026-04-08 18:00:00 UTC. */
export const NOW_SEC = Date.UTC(2026, 3, 8, 18) / 1000

const STOCK: Listing = {
  conId: 1,
  symbol: 'AAPL',
  secType: 'STK',
  lastTradeDate: '',
  contractMonth: '',
  strike: 0,
  right: '',
  multiplier: '',
  validExchanges: ['SMART', 'NASDAQ'],
  primaryExchange: 'NASDAQ',
  currency: 'USD',
  localSymbol: 'AAPL',
  tradingClass: 'NMS',
  marketName: 'NMS',
  longName: 'APPLE INC',
  industry: 'Technology',
  category: 'Computers',
  subcategory: 'Computers',
  stockType: 'COMMON',
  minTick: 0.01,
  priceMagnifier: 1,
  minSize: 0.0001,
  sizeIncrement: 0.0001,
  underConId: 0,
  underSymbol: '',
  underSecType: '',
  timeZoneId: 'UTC',
  secIds: [['ISIN', 'US0378331005']],
  headSec: Date.UTC(2020, 0, 2) / 1000,
  endSec: undefined,
}

export const LISTINGS: readonly Listing[] = [
  STOCK,
  // A spread: its prices pass through −1, and its bars have no volume.
  { ...STOCK, conId: 2, symbol: 'SPREAD', localSymbol: 'SPREAD', secType: 'CMDTY' },
  { ...STOCK, conId: 3, symbol: 'DUAL', localSymbol: 'DUAL' },
  { ...STOCK, conId: 4, symbol: 'DUAL', localSymbol: 'DUAL', primaryExchange: 'ARCA' },
  { ...STOCK, conId: 5, symbol: 'NEW', localSymbol: 'NEW', headSec: NOW_SEC - 3600 },
  {
    ...STOCK,
    conId: 6,
    symbol: 'ES',
    secType: 'FUT',
    multiplier: '50',
    lastTradeDate: '20260619',
    contractMonth: '202606',
    localSymbol: 'ESM6',
    validExchanges: ['CME'],
    primaryExchange: '',
    endSec: Date.UTC(2026, 5, 19) / 1000,
  },
  { ...STOCK, conId: 7, symbol: 'EAST', localSymbol: 'EAST', timeZoneId: 'US/Eastern' },
]

const fits = (asked: string | number, own: string | number): boolean => !asked || asked === own

function find(query: ContractQuery): readonly Listing[] {
  return LISTINGS.filter(
    (one) =>
      fits(query.conId, one.conId) &&
      fits(query.symbol, one.symbol) &&
      fits(query.secType, one.secType) &&
      fits(query.currency, one.currency) &&
      fits(query.primaryExchange, one.primaryExchange),
  )
}

function sessions(listing: Listing, _useRTH: boolean, fromSec: number, toSec: number): readonly Session[] {
  const found: Session[] = []
  for (let startSec = Math.floor(fromSec / DAY) * DAY; startSec < toSec; startSec += DAY) {
    const date = new Date(startSec * 1000).toISOString().slice(0, 10).replaceAll('-', '')
    if (startSec + DAY > listing.headSec) found.push({ date, startSec, endSec: startSec + DAY })
  }
  return found
}

/** The bar that starts at `timeSec`. */
export function barAt(listing: Pick<Listing, 'secType'>, timeSec: number): MarketBar {
  const spread = listing.secType === 'CMDTY'
  const open = spread ? -2 + ((timeSec / 60) % 3) : 254.2 + (timeSec % 7) / 8
  const sizes = spread ? { volume: -1, wap: -1, count: -1 } : { volume: 100.5 + (timeSec % 11), wap: open, count: 9 }
  return { timeSec, open, high: open + 1, low: open - 1, close: open, ...sizes }
}

function bars({ listing, barSize, startSec, endSec, nowSec }: BarsQuery): readonly MarketBar[] {
  const [count = '', unit = ''] = barSize.split(' ')
  const step = Number(count) * (SECONDS[unit] ?? DAY)
  const found: MarketBar[] = []
  for (let at = Math.ceil(startSec / step) * step; at < Math.min(endSec, nowSec); at += step) {
    if (at >= listing.headSec) found.push(barAt(listing, at))
  }
  return found
}

/** The trades of one second: two, or the first halts trading. */
export function tradesAt(timeSec: number): readonly TradeTick[] {
  const plain = { timeSec, pastLimit: false, unreported: false, exchange: 'NASDAQ', conditions: '' }
  const first = { ...plain, price: 254.2 + (timeSec % 7) / 8, size: 100 }
  if (timeSec % 60 === 0) return [{ ...plain, price: 0, size: 0, pastLimit: true }]
  return [first, { ...first, size: 0.5, unreported: timeSec % 3 === 0, exchange: 'ARCA', conditions: 'I' }]
}

/** The one quote of a second. */
export function quoteAt(timeSec: number): QuoteTick {
  const bid = 254 + (timeSec % 7) / 8
  const flags = { askPastHigh: timeSec % 10 === 0, bidPastLow: timeSec % 15 === 0 }
  return { timeSec, bid, ask: bid + 0.25, bidSize: 300, askSize: 200, ...flags }
}

const midAt = (timeSec: number): MidTick => ({ timeSec, price: quoteAt(timeSec).bid + 0.125 })

function secondsOf<T>({ listing, startSec, endSec, nowSec }: TicksQuery, at: (timeSec: number) => readonly T[]): T[] {
  const found: T[] = []
  for (let sec = Math.max(startSec, listing.headSec); sec < Math.min(endSec, nowSec); sec++) found.push(...at(sec))
  return found
}

const search = (pattern: string): readonly Listing[] => LISTINGS.filter((one) => one.symbol.startsWith(pattern))

export const market: Market = {
  events: { splits: [], settlementDelaySec: 0 },
  find,
  sessions,
  bars,
  trades: (query) => secondsOf(query, tradesAt),
  quotes: (query) => secondsOf(query, (sec) => [quoteAt(sec)]),
  midpoints: (query) => secondsOf(query, (sec) => [midAt(sec)]),
  chains: () => [],
  search,
  offers: () => true,
}
