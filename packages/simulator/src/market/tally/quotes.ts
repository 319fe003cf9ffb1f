import { progress } from './block.ts'
import type { Tally } from './tally.ts'

/** From the mid price to the quoted one, both in half ticks: bid and ask stand on whole ticks, as far from the mid on either side. */
export type Quote = (mid: number, halfSpread: number) => number

export const bidOf: Quote = (mid, halfSpread) => 2 * Math.floor((mid - halfSpread) / 2)
export const askOf: Quote = (mid, halfSpread) => 2 * Math.ceil((mid + halfSpread) / 2)
export const midOf: Quote = (mid) => mid
/** An index is computed, not traded: it has prices on whole ticks and no volume. */
export const indexOf: Quote = (mid) => 2 * Math.floor((mid + 1) / 2)

/**
 * Bars of BID, ASK or MIDPOINT. A quote rises with the mid price, so that the highest bid is the bid of the highest
 * mid: only mids are compared.
 */
export function createQuoteTally(quote: Quote, halfSpread: number, ticksPerUnit: number): Tally {
  let empty = true
  let open = 0
  let high = 0
  let low = 0
  let close = 0

  function see(mid: number): void {
    if (empty) {
      open = mid
      high = mid
      low = mid
      empty = false
    } else if (mid > high) high = mid
    else if (mid < low) low = mid
    close = mid
  }

  const priced = (mid: number): number => quote(mid, halfSpread) / (2 * ticksPerUnit)

  return {
    addBlocks({ knots }, from, to) {
      for (let i = from; i <= to; i++) see(knots[i] ?? 0)
    },
    addSeconds({ knots }, block, from, to) {
      const first = knots[block] ?? 0
      const way = (knots[block + 1] ?? 0) - first
      for (let j = from; j < to; j++) see(first + progress(way, j))
    },
    bar(timeSec) {
      if (empty) return undefined
      empty = true
      const prices = { open: priced(open), high: priced(high), low: priced(low), close: priced(close) }
      return { timeSec, ...prices, volume: -1, wap: -1, count: -1 }
    },
  }
}
