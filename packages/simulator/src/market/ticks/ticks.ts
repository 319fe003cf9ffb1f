import { haltOf } from '../halts.ts'
import type { Product } from '../listings/product.ts'
import type { Reel } from '../reel.ts'
import { type Stretch, stretchesOf } from '../stretches.ts'
import { indexOf } from '../tally/quotes.ts'
import { BLOCK_SEC, type Motion, type Tape } from '../tape.ts'
import type { Trading } from '../trading.ts'
import type { MidTick, QuoteTick, TicksQuery, TradeTick } from '../types.ts'
import { addMidpoints, addQuotes } from './quotes.ts'
import { addTrades } from './trades.ts'

/** The ticks of one listing, second by second as the tape has them, from which its bars are made too. */
export interface Ticks {
  trades(query: TicksQuery): readonly TradeTick[]
  quotes(query: TicksQuery): readonly QuoteTick[]
  midpoints(query: TicksQuery): readonly MidTick[]
}

export function createTicks(product: Product, motion: Motion, trading: Trading, reel: Reel): Ticks {
  const { listing, venue, halfSpread } = product
  const ticksPerUnit = Math.round(1 / listing.minTick)
  const { seed } = motion

  function collect<T>(
    query: TicksQuery,
    withVolume: boolean,
    add: (to: T[], tape: Tape, stretch: Stretch) => void,
  ): readonly T[] {
    const ticks: T[] = []
    for (const stretch of stretchesOf(venue, trading, query)) {
      add(ticks, reel.tape(String(listing.conId), motion, stretch.segment, withVolume), stretch)
    }
    return ticks
  }

  /** The highest and lowest mid price of a session before a stretch of it, half ticks. */
  function extremesBefore({ earlier, segment, fromSec }: Stretch): { high: number; low: number } {
    let high = Number.NEGATIVE_INFINITY
    let low = Number.POSITIVE_INFINITY
    for (const part of [...earlier, segment]) {
      const { startSec, knots } = reel.tape(String(listing.conId), motion, part, false)
      for (const [i, knot] of knots.entries()) {
        if (startSec + i * BLOCK_SEC >= fromSec) break
        if (knot > high) high = knot
        if (knot < low) low = knot
      }
    }
    return { high, low }
  }

  return {
    trades(query) {
      if (product.volume > 0) {
        return collect(query, true, (to: TradeTick[], tape, { segment, fromSec, toSec }) => {
          const halt = product.halts ? haltOf(seed, segment) : undefined
          addTrades(to, tape, fromSec, toSec, { listing, seed, ticksPerUnit, regular: segment.regular, halt })
        })
      }
      return collect(query, false, (to: MidTick[], tape, { fromSec, toSec }) => {
        addMidpoints(to, tape, fromSec, toSec, ticksPerUnit, indexOf)
      }).map((tick) => computed(tick, listing.validExchanges[0] ?? ''))
    },
    quotes: (query) =>
      collect(query, false, (to: QuoteTick[], tape, stretch) => {
        const of = { listing, seed, halfSpread, ticksPerUnit, ...extremesBefore(stretch) }
        addQuotes(to, tape, stretch.fromSec, stretch.toSec, of)
      }),
    midpoints: (query) =>
      collect(query, false, (to: MidTick[], tape, { fromSec, toSec }) => {
        addMidpoints(to, tape, fromSec, toSec, ticksPerUnit)
      }),
  }
}

/** What is computed and not traded has prices without sizes. */
const computed = ({ timeSec, price }: MidTick, exchange: string): TradeTick => ({
  timeSec,
  price,
  size: 0,
  pastLimit: false,
  unreported: false,
  exchange,
  conditions: '',
})
