import { hash, hashSmall } from './noise.ts'
import type { Segment } from './segments.ts'

/** One day in so many a stock is halted, for minutes as volatility pauses are. */
const RARITY = 400
const SHORTEST_MIN = 5
const LONGEST_MIN = 10

/** A stretch of a session in which a stock is quoted and may not trade. `[startSec, endSec)`, whole minutes. */
export interface Halt {
  readonly startSec: number
  readonly endSec: number
}

/** The halt of a segment, if it has one: a pure function of the product's seed and the segment, in regular hours only. */
export function haltOf(seed: number, { startSec, endSec, regular }: Segment): Halt | undefined {
  if (!regular) return undefined
  const dice = hash(seed ^ 0x68616c74, startSec)
  if (dice % RARITY !== 0) return undefined
  const minutes = Math.floor((endSec - startSec) / 60)
  const length = SHORTEST_MIN + (hashSmall(dice, 1) % (LONGEST_MIN - SHORTEST_MIN + 1))
  const first = 1 + (hashSmall(dice, 2) % Math.max(minutes - length - 1, 1))
  const from = startSec + first * 60
  return { startSec: from, endSec: from + length * 60 }
}
