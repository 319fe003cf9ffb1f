import { zoneOf } from '../zone.ts'
import type { Product } from './listings/product.ts'
import { hashText } from './noise.ts'
import { isOffered } from './offers.ts'
import { dayOfDate, visitBars } from './periods.ts'
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

  return {
    listing,
    sessions,
    ...createTicks(product, motion, trading, reel),
    offers: (whatToShow) => isOffered(listing, whatToShow),
    bars({ barSize, whatToShow, useRTH, startSec, endSec, nowSec }) {
      const tally = tallyOf(product, whatToShow, ticksPerUnit)
      const withVolume = isTrades(whatToShow) && product.volume > 0
      const made: MarketBar[] = []
      let current: Session | undefined
      /** The current session's tapes, each recorded when a bar first needs it. */
      let spools: { readonly segment: Segment; tape?: Tape }[] = []
      const walk = { sessions: (from: number, to: number) => sessions(useRTH, from, to), zone, barSize }
      visitBars(
        { ...walk, startSec, endSec, nowSec },
        {
          take(session, fromSec, toSec) {
            if (session !== current) {
              current = session
              spools = segmentsOf(venue, dayOfDate(session.date)).map((segment) => ({ segment }))
            }
            for (const spool of spools) {
              const { segment } = spool
              if (segment.startSec >= toSec || segment.endSec <= fromSec) continue
              spool.tape ??= reel.tape(String(listing.conId), motion, segment, withVolume)
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
    },
  }
}

/** The companies of this market pay no dividend and their shares never split: adjusted prices are the traded ones. */
function isTrades(whatToShow: PriceKind): boolean {
  return whatToShow === 'TRADES' || whatToShow === 'ADJUSTED_LAST' || whatToShow === 'AGGTRADES'
}

function tallyOf({ halfSpread, volume }: Product, whatToShow: PriceKind, ticksPerUnit: number): Tally {
  if (whatToShow === 'BID_ASK') return createSpreadTally(halfSpread, ticksPerUnit)
  if (!isTrades(whatToShow)) return createQuoteTally(QUOTES[whatToShow] ?? midOf, halfSpread, ticksPerUnit)
  return volume > 0 ? createTradeTally(ticksPerUnit) : createQuoteTally(indexOf, 0, ticksPerUnit)
}

const QUOTES: Partial<Record<PriceKind, Quote>> = { BID: bidOf, ASK: askOf, MIDPOINT: midOf }
