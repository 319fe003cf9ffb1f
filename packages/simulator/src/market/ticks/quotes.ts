import { hash, hashSmall } from '../noise.ts'
import { askOf, bidOf, midOf, type Quote } from '../tally/quotes.ts'
import type { Tape } from '../tape.ts'
import type { Listing, MidTick, QuoteTick } from '../types.ts'
import { eachSecond } from './seconds.ts'

/** What one step of a quoted size is worth. */
const LOTS: Partial<Record<Listing['secType'], number>> = { STK: 100, CASH: 500_000, CRYPTO: 0.25, BOND: 10 }

export interface QuotesOf {
  readonly listing: Listing
  readonly seed: number
  readonly halfSpread: number
  readonly ticksPerUnit: number
  /** The highest and lowest mid price of the session before the first second asked for, half ticks. */
  readonly high: number
  readonly low: number
}

/** Adds the quotes of a tape in whole seconds `[fromSec, toSec)`: one a second, and in some a second one of other sizes. */
export function addQuotes(to: QuoteTick[], tape: Tape, fromSec: number, toSec: number, of: QuotesOf): void {
  const { halfSpread, ticksPerUnit } = of
  const own = hash(of.seed ^ 0x71756f74, tape.startSec)
  const lot = LOTS[of.listing.secType] ?? 1
  const priced = (halfTicks: number) => halfTicks / (2 * ticksPerUnit)
  let { high, low } = of
  let at = Math.max(fromSec, tape.startSec)
  eachSecond(tape, fromSec, toSec, (_block, _second, mid) => {
    const ask = askOf(mid, halfSpread)
    const bid = bidOf(mid, halfSpread)
    const dice = hashSmall(own, at - tape.startSec)
    const quote = {
      timeSec: at,
      bid: priced(bid),
      ask: priced(ask),
      askPastHigh: mid > high,
      bidPastLow: mid < low,
    }
    const sizes = (bits: number) => ({ bidSize: lot * (1 + (bits % 12)), askSize: lot * (1 + ((bits >>> 8) % 12)) })
    to.push({ ...quote, ...sizes(dice) })
    if (dice >>> 30 === 0) to.push({ ...quote, ...sizes(hashSmall(dice, 1)) })
    if (mid > high) high = mid
    if (mid < low) low = mid
    at++
  })
}

/** Adds the mid prices of a tape in whole seconds `[fromSec, toSec)` that differ from the second before, or begin a minute. */
export function addMidpoints(
  to: MidTick[],
  tape: Tape,
  fromSec: number,
  toSec: number,
  ticksPerUnit: number,
  quote: Quote = midOf,
): void {
  let at = Math.max(fromSec, tape.startSec)
  let before = Number.NaN
  // The second before the first decides whether that one is a change.
  eachSecond(tape, at - 1, at, (_block, _second, mid) => {
    before = quote(mid, 0)
  })
  eachSecond(tape, fromSec, toSec, (_block, _second, mid) => {
    const price = quote(mid, 0)
    if (price !== before || at % 60 === 0) to.push({ timeSec: at, price: price / (2 * ticksPerUnit) })
    before = price
    at++
  })
}
