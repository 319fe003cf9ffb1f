import type { Tape } from '../tape.ts'
import { blockCount, countOf, MIDDLE, oddShare, progress, volumeOf } from './block.ts'
import type { Tally } from './tally.ts'

/** Trades happen on whole ticks, between bid and ask. */
export const tickOf = (halfTicks: number): number => (halfTicks + 1) >> 1

/** Bars of trades. `ticksPerUnit` is how many ticks a price of 1 has. */
export function createTradeTally(ticksPerUnit: number): Tally {
  let open = 0
  let high = 0
  let low = 0
  let close = 0
  let volume = 0
  /** Σ volume × price, in half ticks. */
  let turnover = 0
  let count = 0

  function trade(first: number, last: number, traded: number, trades: number, odd: number): void {
    const above = first > last ? first : last
    const below = first > last ? last : first
    if (volume === 0) {
      open = first
      high = above
      low = below
    } else {
      if (above > high) high = above
      if (below < low) low = below
    }
    close = last
    volume += traded
    turnover += traded * (first + last) - odd
    count += trades
  }

  return {
    addBlocks({ knots, volumes }, from, to) {
      for (let i = from; i < to; i++) {
        const traded = volumes[i] ?? 0
        if (traded === 0) continue
        const first = tickOf(knots[i] ?? 0)
        // One share has one price.
        const last = traded === 1 ? first : tickOf(knots[i + 1] ?? 0)
        trade(first, last, traded, blockCount(traded, i, last - first), oddShare(traded, last - first))
      }
    },
    addSeconds(tape, block, from, to) {
      const { first, way, traded } = blockOf(tape, block)
      for (let j = from; j < to; j++) {
        const here = volumeOf(traded, block, j)
        if (here === 0) continue
        const at = first + progress(way, j)
        // A single share in the middle second trades at its first price.
        const until = j === MIDDLE && here > 1 ? first + way - progress(way, j) : at
        trade(at, until, here, countOf(traded, block, j, way), at === until ? 0 : oddShare(here, way))
      }
    },
    bar(timeSec) {
      if (volume === 0) return undefined
      const made = {
        timeSec,
        open: open / ticksPerUnit,
        high: high / ticksPerUnit,
        low: low / ticksPerUnit,
        close: close / ticksPerUnit,
        volume,
        wap: turnover / volume / (2 * ticksPerUnit),
        count,
      }
      volume = 0
      turnover = 0
      count = 0
      return made
    },
  }
}

/** The whole ticks a block trades at: the first, and how far it goes from there. */
export function blockOf({ knots, volumes }: Tape, block: number): { first: number; way: number; traded: number } {
  const traded = volumes[block] ?? 0
  const first = tickOf(knots[block] ?? 0)
  return { first, way: traded === 1 ? 0 : tickOf(knots[block + 1] ?? 0) - first, traded }
}
