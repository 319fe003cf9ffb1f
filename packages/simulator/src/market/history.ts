import { zoneOf } from '../zone.ts'
import { adjustedBars } from './adjusted.ts'
import type { Product } from './listings/product.ts'
import { hashText } from './noise.ts'
import { isOffered } from './offers.ts'
import { dayOfDate, type SessionsBetween, visitBars } from './periods.ts'
import { RATE_TICKS_PER_UNIT, rateMotion } from './rates.ts'
import type { Reel } from './reel.ts'
import { type Segment, segmentsOf } from './segments.ts'
import { askOf, bidOf, createQuoteTally, indexOf, midOf, type Quote } from './tally/quotes.ts'
import { createSpreadTally } from './tally/spread.ts'
import { gather, type Tally } from './tally/tally.ts'
import { createTradeTally } from './tally/trades.ts'
import type { Motion, Tape } from './tape.ts'
import { createTicks, type Ticks } from './ticks/ticks.ts'
import { createTrading } from './trading.ts'
import type { BarsQuery, Listing, MarketBar, PriceKind, Session } from './types.ts'

/** All that can be asked about one listing's past. */
export interface History extends Ticks {
  readonly listing: Listing
  offers(whatToShow: string): boolean
  /** Sessions that intersect `[fromSec, toSec)`, oldest first. */
  sessions(useRTH: boolean, fromSec: number, toSec: number): readonly Session[]
  bars(query: BarsQuery): readonly MarketBar[]
}

/** The generated history of a product: a pure function of seed, product and time. */
export function createHistory(product: Product, seed: string, reel: Reel): History {
  const { listing, venue } = product
  const ticksPerUnit = Math.round(1 / listing.minTick)
  const motion: Motion = {
    ...product,
    seed: hashText(`${seed} ${product.path}`),
    middle: 2 * product.price * ticksPerUnit,
  }
  const zone = zoneOf(listing.timeZoneId)
  const trading = createTrading(venue, listing)
  const { sessions } = trading

  function bars(query: BarsQuery): readonly MarketBar[] {
    const { whatToShow, useRTH } = query
    const within: SessionsBetween = (from, to) => sessions(useRTH, from, to)
    if (whatToShow === 'ADJUSTED_LAST') {
      return adjustedBars(listing, query, within, (one) => bars({ ...one, whatToShow: 'TRADES' }))
    }
    const rate = rateMotion(seed, product.path, whatToShow)
    const tally = rate ? createQuoteTally(indexOf, 0, RATE_TICKS_PER_UNIT) : tallyOf(product, whatToShow, ticksPerUnit)
    const withVolume = isTrades(whatToShow) && product.volume > 0
    const name = rate ? `${listing.conId} ${whatToShow}` : String(listing.conId)
    return record(query, within, tally, (segment) => reel.tape(name, rate ?? motion, segment, withVolume))
  }

  /** Bars of what a tally makes of the tapes that their sessions have. */
  function record(
    query: BarsQuery,
    within: SessionsBetween,
    tally: Tally,
    tapeOf: (segment: Segment) => Tape,
  ): readonly MarketBar[] {
    const made: MarketBar[] = []
    let current: Session | undefined
    /** The current session's tapes, each recorded when a bar first needs it. */
    let spools: { readonly segment: Segment; tape?: Tape }[] = []
    visitBars(
      { ...query, sessions: within, zone },
      {
        take(session, fromSec, toSec) {
          if (session !== current) {
            current = session
            spools = segmentsOf(venue, dayOfDate(session.date)).map((segment) => ({ segment }))
          }
          for (const spool of spools) {
            const { segment } = spool
            if (segment.startSec >= toSec || segment.endSec <= fromSec) continue
            spool.tape ??= tapeOf(segment)
            gather(tally, spool.tape, fromSec, toSec)
          }
        },
        close(timeSec) {
          const bar = tally.bar(timeSec)
          if (bar) made.push(bar)
        },
      },
    )
    return made
  }

  return {
    listing,
    sessions,
    ...createTicks(product, motion, trading, reel),
    offers: (whatToShow) => isOffered(listing, whatToShow),
    bars,
  }
}

function isTrades(whatToShow: PriceKind): boolean {
  return whatToShow === 'TRADES' || whatToShow === 'AGGTRADES'
}

function tallyOf({ halfSpread, volume }: Product, whatToShow: PriceKind, ticksPerUnit: number): Tally {
  if (whatToShow === 'BID_ASK') return createSpreadTally(halfSpread, ticksPerUnit)
  if (!isTrades(whatToShow)) return createQuoteTally(QUOTES[whatToShow] ?? midOf, halfSpread, ticksPerUnit)
  return volume > 0 ? createTradeTally(ticksPerUnit) : createQuoteTally(indexOf, 0, ticksPerUnit)
}

const QUOTES: Partial<Record<PriceKind, Quote>> = { BID: bidOf, ASK: askOf, MIDPOINT: midOf }
