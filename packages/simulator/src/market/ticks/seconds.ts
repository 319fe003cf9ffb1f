import { progress } from '../tally/block.ts'
import { BLOCK_SEC, type Tape } from '../tape.ts'

/** Leads through the whole seconds of a tape within `[fromSec, toSec)`: where each lies, and the mid price in half ticks. */
export function eachSecond(
  tape: Tape,
  fromSec: number,
  toSec: number,
  visit: (block: number, second: number, mid: number) => void,
): void {
  const from = Math.max(fromSec - tape.startSec, 0)
  const to = Math.min(toSec - tape.startSec, tape.blocks * BLOCK_SEC)
  for (let at = from; at < to; at++) {
    const block = Math.floor(at / BLOCK_SEC)
    const second = at % BLOCK_SEC
    const first = tape.knots[block] ?? 0
    visit(block, second, first + progress((tape.knots[block + 1] ?? 0) - first, second))
  }
}
