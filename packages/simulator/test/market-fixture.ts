import { allProducts } from '../src/market/listings/listings.ts'
import { createMarket } from '../src/market/market.ts'
import type { ContractQuery, Listing, Market, MarketBar, PriceKind, Session } from '../src/market/types.ts'

export const DAY = 86_400

export const ANY: ContractQuery = {
  conId: 0,
  symbol: '',
  secType: '',
  lastTradeDateOrContractMonth: '',
  strike: 0,
  right: '',
  multiplier: '',
  exchange: '',
  primaryExchange: '',
  currency: '',
  localSymbol: '',
  tradingClass: '',
  includeExpired: true,
}

const products = allProducts()

export const marketOf = (seed: string): Market => createMarket({ products, seed, replayed: [] })
export const market = marketOf('tidegate')

/** The one listing that fits. */
export function listing(query: Partial<ContractQuery>): Listing {
  const [found, second] = market.find({ ...ANY, ...query })
  if (!found || second) throw new Error(`${JSON.stringify(query)} does not find one listing.`)
  return found
}

export const utc = (text: string): number => Date.parse(text.endsWith('Z') ? text : `${text}Z`) / 1000

/** One of each kind of product, venue and tick. */
export const LISTINGS: readonly Listing[] = [
  listing({ symbol: 'AAPL', secType: 'STK' }),
  listing({ symbol: 'BF B', secType: 'STK' }),
  listing({ symbol: 'VOD', secType: 'STK', currency: 'GBP' }),
  listing({ symbol: 'SAP', secType: 'STK' }),
  listing({ symbol: '7203', secType: 'STK' }),
  listing({ symbol: 'EUR', secType: 'CASH', currency: 'USD' }),
  listing({ symbol: 'USD', secType: 'CASH', currency: 'JPY' }),
  listing({ symbol: 'SPX', secType: 'IND' }),
  listing({ symbol: 'BTC', secType: 'CRYPTO' }),
  listing({ symbol: 'ES', secType: 'FUT', lastTradeDateOrContractMonth: '202412' }),
  listing({ symbol: 'ESTX50', secType: 'FUT', lastTradeDateOrContractMonth: '202412' }),
  listing({ tradingClass: 'ZN', secType: 'CONTFUT' }),
  listing({ symbol: 'XAUUSD', secType: 'CMDTY' }),
]

export const KINDS: readonly PriceKind[] = ['TRADES', 'MIDPOINT', 'BID', 'ASK', 'BID_ASK', 'ADJUSTED_LAST', 'AGGTRADES']

export const CASES = LISTINGS.flatMap((one) =>
  KINDS.filter((kind) => market.offers(one, kind)).map((kind) => ({ listing: one, kind })),
)

/** Far from every window in these tests. */
export const LATER = utc('2026-11-20T00:00')

export interface Ask {
  readonly of: Listing
  readonly size: string
  readonly kind: PriceKind
  readonly from: number
  readonly to: number
  readonly rth?: boolean
  readonly now?: number
  readonly in?: Market
}

export function bars({
  of,
  size,
  kind,
  from,
  to,
  rth = false,
  now = LATER,
  in: where = market,
}: Ask): readonly MarketBar[] {
  const query = { listing: of, barSize: size, whatToShow: kind, useRTH: rth }
  return where.bars({ ...query, startSec: from, endSec: to, nowSec: now })
}

/** `09:30-16:00` by the listing's own clock, a date's sessions each. */
export function hours(of: Listing, date: string, useRTH: boolean): string[] {
  const noon = utc(`${date}T12:00`)
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: of.timeZoneId,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const clock = (sec: number) => format.format(sec * 1000)
  return market
    .sessions(of, useRTH, noon - 2 * DAY, noon + 2 * DAY)
    .filter((session: Session) => session.date === date.replaceAll('-', ''))
    .map(({ startSec, endSec }) => `${clock(startSec)}-${clock(endSec)}`)
}
