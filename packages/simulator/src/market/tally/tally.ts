import { BLOCK_SEC, type Tape } from '../tape.ts'
import type { MarketBar } from '../types.ts'

/** Adds up what becomes one bar, in whole ticks: sums of whole numbers are the same in any order. */
export interface Tally {
  /** Takes whole blocks `[from, to)` of a tape. */
  addBlocks(tape: Tape, from: number, to: number): void
  /** Takes seconds `[from, to)` of one block. */
  addSeconds(tape: Tape, block: number, from: number, to: number): void
  /** The bar of all that was taken since the last call, and starts anew; undefined where there was nothing. */
  bar(timeSec: number): MarketBar | undefined
}

/** Takes the part of a tape that lies within `[fromSec, toSec)`. */
export function gather(tally: Tally, tape: Tape, fromSec: number, toSec: number): void {
  const from = Math.max(fromSec - tape.startSec, 0)
  const to = Math.min(toSec - tape.startSec, tape.blocks * BLOCK_SEC)
  if (from >= to) return
  const first = Math.ceil(from / BLOCK_SEC)
  const last = Math.floor(to / BLOCK_SEC)
  if (first > last) {
    tally.addSeconds(tape, last, from - last * BLOCK_SEC, to - last * BLOCK_SEC)
    return
  }
  if (first * BLOCK_SEC > from) tally.addSeconds(tape, first - 1, from - (first - 1) * BLOCK_SEC, BLOCK_SEC)
  if (first < last) tally.addBlocks(tape, first, last)
  if (to > last * BLOCK_SEC) tally.addSeconds(tape, last, 0, to - last * BLOCK_SEC)
}
