import { BLOCK_SEC } from '../tape.ts'
import { MIDDLE, oddSteps, progress } from './block.ts'
import { askOf, bidOf } from './quotes.ts'
import type { Tally } from './tally.ts'

/** Bars of BID_ASK: open is the average bid, high the highest ask, low the lowest bid, close the average ask; averages by time. */
export function createSpreadTally(halfSpread: number, ticksPerUnit: number): Tally {
  let seconds = 0
  /** Σ mid price, and in how many seconds bid and ask stood half a tick further out to be on whole ticks. */
  let mids = 0
  let wider = 0
  let high = 0
  let low = 0

  function reach(mid: number): void {
    if (seconds === 0 || mid > high) high = mid
    if (seconds === 0 || mid < low) low = mid
  }

  const priced = (halfTicks: number): number => halfTicks / (2 * ticksPerUnit)

  return {
    addBlocks({ knots }, from, to) {
      for (let i = from; i < to; i++) {
        const first = knots[i] ?? 0
        const last = knots[i + 1] ?? 0
        reach(first)
        seconds += BLOCK_SEC
        reach(last)
        // Seconds are symmetric about the middle one: each of the pairs has the mean of first and last.
        mids += MIDDLE * (first + last) + first + progress(last - first, MIDDLE)
        const odd = oddSteps(last - first)
        wider += (first - halfSpread) & 1 ? BLOCK_SEC - odd : odd
      }
    },
    addSeconds({ knots }, block, from, to) {
      const first = knots[block] ?? 0
      const way = (knots[block + 1] ?? 0) - first
      for (let j = from; j < to; j++) {
        const mid = first + progress(way, j)
        reach(mid)
        seconds++
        mids += mid
        wider += (mid - halfSpread) & 1
      }
    },
    bar(timeSec) {
      if (seconds === 0) return undefined
      const off = halfSpread * seconds + wider
      const averages = { open: priced((mids - off) / seconds), close: priced((mids + off) / seconds) }
      const extremes = { high: priced(askOf(high, halfSpread)), low: priced(bidOf(low, halfSpread)) }
      seconds = 0
      mids = 0
      wider = 0
      return { timeSec, ...averages, ...extremes, volume: -1, wap: -1, count: -1 }
    },
  }
}
