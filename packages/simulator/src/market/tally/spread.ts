import { BLOCK_SEC, type Tape } from '../tape.ts'
import { progress } from './block.ts'
import { askOf, bidOf } from './quotes.ts'
import type { Tally } from './tally.ts'

/** Bars of BID_ASK: open is the average bid, high the highest ask, low the lowest bid, close the average ask; averages by time. */
export function createSpreadTally(halfSpread: number, ticksPerUnit: number): Tally {
  let seconds = 0
  let bids = 0
  let asks = 0
  let high = 0
  let low = 0

  function addSeconds({ knots }: Tape, block: number, from: number, to: number): void {
    const first = knots[block] ?? 0
    const way = (knots[block + 1] ?? 0) - first
    for (let j = from; j < to; j++) {
      const mid = first + progress(way, j)
      const bid = bidOf(mid, halfSpread)
      const ask = askOf(mid, halfSpread)
      if (seconds === 0 || ask > high) high = ask
      if (seconds === 0 || bid < low) low = bid
      bids += bid
      asks += ask
      seconds++
    }
  }

  const priced = (halfTicks: number): number => halfTicks / (2 * ticksPerUnit)

  return {
    addSeconds,
    addBlocks(tape, from, to) {
      for (let i = from; i < to; i++) addSeconds(tape, i, 0, BLOCK_SEC)
    },
    bar(timeSec) {
      if (seconds === 0) return undefined
      const averages = { open: priced(bids / seconds), close: priced(asks / seconds) }
      seconds = 0
      bids = 0
      asks = 0
      return { timeSec, ...averages, high: priced(high), low: priced(low), volume: -1, wap: -1, count: -1 }
    },
  }
}
