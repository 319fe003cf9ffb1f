import { isKept } from './market/tenure.ts'
import type { ContractQuery, Listing, Market, MarketBar } from './market/types.ts'
import type { TruthQuery } from './simulator.ts'

const DAY_SECONDS = 86_400

/** How far around a bar's start its trading may lie: a session begins before its date, a month's last ends after its first. */
const REACH_DAYS = 40

/** A query that every listing fits, to name a part of. */
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

/**
 * The final bars of one listing whose starts lie in `[startSec, endSec)`, as the market has them at `nowSec`
 * (epoch seconds). A bar is final once its period is over: its length, or the end of its session, day, week or
 * month where that comes first. Throws where the contract is none or several.
 */
export function truthOf(market: Market, query: TruthQuery, nowSec: number): readonly MarketBar[] {
  const listing = onlyListing(market, query.contract, nowSec)
  const { barSize, whatToShow, useRTH, startSec, endSec } = query
  const seconds = intradaySeconds(barSize)
  const reach = seconds ?? REACH_DAYS * DAY_SECONDS
  const window = { startSec: startSec - reach, endSec: endSec + reach }
  const isFinal =
    seconds === undefined ? datedEnd(market, query, listing, nowSec) : intradayEnd(market, query, listing, nowSec)
  return market
    .bars({ listing, barSize, whatToShow, useRTH, ...window, nowSec })
    .filter(({ timeSec }) => timeSec >= startSec && timeSec < endSec && isFinal(timeSec))
}

type IsFinal = (barSec: number) => boolean

/** Only the last few bars can be unfinished: those within one bar's length of now, up to their session's end. */
function intradayEnd(market: Market, { barSize, useRTH }: TruthQuery, listing: Listing, nowSec: number): IsFinal {
  const seconds = intradaySeconds(barSize) ?? 0
  const sessions = market.sessions(listing, useRTH, nowSec - seconds - DAY_SECONDS, nowSec + seconds)
  return (barSec) => {
    if (barSec + seconds <= nowSec) return true
    const session = sessions.find((one) => one.startSec <= barSec && barSec < one.endSec)
    return session !== undefined && session.endSec <= nowSec
  }
}

/** A day, week or month is over when no session of it ends after now. */
function datedEnd(market: Market, { barSize, useRTH }: TruthQuery, listing: Listing, nowSec: number): IsFinal {
  const reach = REACH_DAYS * DAY_SECONDS
  const key = barSize === '1 day' ? dayOf : barSize === '1 week' ? weekOf : monthOf
  const open = market
    .sessions(listing, useRTH, nowSec, nowSec + reach)
    .filter((session) => session.endSec > nowSec)
    .map(({ date }) =>
      key(Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6))) / 1000),
    )
  const firstOpen = open.length > 0 ? Math.min(...open) : Number.POSITIVE_INFINITY
  return (barSec) => key(barSec) < firstOpen
}

const dayOf = (sec: number): number => Math.floor(sec / DAY_SECONDS)

/** Weeks from Monday, counted from 1970-01-05. */
const weekOf = (sec: number): number => Math.floor((dayOf(sec) - 4) / 7)

function monthOf(sec: number): number {
  const date = new Date(sec * 1000)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { sec: 1, min: 60, hour: 3600 }

/** Seconds of `5 mins`; undefined for a day and longer. Throws on what is no bar size. */
function intradaySeconds(barSize: string): number | undefined {
  if (barSize === '1 day' || barSize === '1 week' || barSize === '1 month') return undefined
  const match = /^(\d+) (sec|min|hour)s?$/.exec(barSize)
  const unit = UNIT_SECONDS[match?.[2] ?? '']
  if (!match || unit === undefined) throw new Error(`${JSON.stringify(barSize)} is no bar size.`)
  return Number(match[1]) * unit
}

/** Local symbols of futures come back every ten years: what is asked for is the one that is kept now. */
function onlyListing(market: Market, contract: Partial<ContractQuery>, nowSec: number): Listing {
  const found = market.find({ ...ANY, ...contract }, nowSec).filter((listing) => isKept(listing, nowSec))
  const [listing] = found
  if (listing && found.length === 1) return listing
  const names = found.map((one) => `${one.localSymbol} (${one.secType}, ${one.primaryExchange})`).join(', ')
  throw new Error(
    `truth() needs one listing; ${JSON.stringify(contract)} finds ${found.length}${names && `: ${names}`}.`,
  )
}
