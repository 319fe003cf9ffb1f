import { DAY_SEC } from './days.ts'
import { haltOf } from './halts.ts'
import { levelAt } from './level.ts'
import { hash, hashSmall } from './noise.ts'
import type { Segment } from './segments.ts'

/** A tape is made of blocks of this length; within one, prices go straight from the first knot to the next. */
export const BLOCK_SEC = 15
const BLOCKS_A_MINUTE = 60 / BLOCK_SEC

/** What a tape needs to know of its product. */
export interface Motion {
  readonly seed: number
  /** Middle price in half ticks. */
  readonly middle: number
  readonly swing: number
  /** Traded in a busy minute; 0 where nothing is. */
  readonly volume: number
  /** The chance that a minute in regular hours passes without a trade. */
  readonly quiet: number
  /** The chance of that outside regular hours, and the part of the volume traded in a minute there. */
  readonly offHours: { readonly quiet: number; readonly volume: number }
  /** Half the distance of bid and ask, in half ticks. */
  readonly halfSpread: number
  /** Whether trading is halted now and then. */
  readonly halts?: boolean
  /** What the price is to its middle at an instant (epoch seconds), where it is no walk of its own: an option's follows what is under it. */
  readonly level?: (atSec: number) => number
}

/**
 * One stretch of trading as the market remembers it. Every bar is a sum over blocks, so that bars of all sizes agree
 * by construction. `[startSec, startSec + 15 × blocks)`.
 */
export interface Tape {
  readonly startSec: number
  readonly blocks: number
  /** Mid price in half ticks where block i begins; one more than blocks. */
  readonly knots: Int32Array
  /** Traded in block i; 0 is a quiet one. Empty where nothing is traded. */
  readonly volumes: Int32Array
}

/** A day of blocks, the longest session there is. */
const MAX_BLOCKS = DAY_SEC / BLOCK_SEC

/** Room for one walk, to be used again for the next. */
export function createScratch(): Float64Array {
  return new Float64Array(MAX_BLOCKS + 1)
}

/** The tape of a segment: a random walk tied to the price's level where the segment begins and ends. Overwrites `scratch`. */
export function recordTape(scratch: Float64Array, motion: Motion, segment: Segment, withVolume: boolean): Tape {
  const blocks = Math.min(Math.floor((segment.endSec - segment.startSec) / BLOCK_SEC), MAX_BLOCKS)
  return {
    startSec: segment.startSec,
    blocks,
    knots: walk(motion, segment, scratch, blocks),
    volumes: withVolume ? volumesOf(motion, segment, blocks) : new Int32Array(0),
  }
}

/** Movement of a price of swing 1 in one day of trading, as a part of it. */
const DAILY_MOVE = 0.013
/** Of a uniform number in [−½, ½) with this factor, the variance is 1. */
const UNIT_VARIANCE = Math.sqrt(12)
const HALF_HASH = 0x8000_0000
/** A short segment moves no more than its part of a day. */
const SHORTEST_DAY_SEC = DAY_SEC / 4

/** Midpoint displacement: each midpoint strays from its neighbours' mean as far as a random walk of that length would. */
function walk(motion: Motion, { startSec, endSec }: Segment, path: Float64Array, blocks: number): Int32Array {
  const { seed, swing, middle, level = (atSec: number) => levelAt(seed, swing, atSec) } = motion
  const open = middle * level(startSec)
  path[0] = open
  path[blocks] = middle * level(endSec)
  const daySec = Math.max(endSec - startSec, SHORTEST_DAY_SEC)
  const stray = DAILY_MOVE * swing * open * Math.sqrt(BLOCK_SEC / daySec) * UNIT_VARIANCE
  const own = hash(seed, startSec)
  let step = 1
  while (step < blocks) step *= 2
  for (; step > 1; step /= 2) {
    const half = step / 2
    const reach = (stray * Math.sqrt(half / 2)) / 0x1_0000_0000
    let at = half
    for (; at + half <= blocks; at += step) {
      const mean = ((path[at - half] ?? 0) + (path[at + half] ?? 0)) / 2
      path[at] = mean + (hashSmall(own, at) - HALF_HASH) * reach
    }
    // The last interval may be cut short by the end.
    if (at < blocks) {
      const rest = blocks - at
      const mean = ((path[at - half] ?? 0) * rest + (path[blocks] ?? 0) * half) / (half + rest)
      path[at] = mean + (hashSmall(own, at) - HALF_HASH) * reach * Math.sqrt((2 * rest) / (half + rest))
    }
  }
  const floor = 4 * motion.halfSpread + 4
  const knots = new Int32Array(blocks + 1)
  for (let i = 0; i <= blocks; i++) knots[i] = Math.max(floor, (path[i] ?? 0) + 0.5)
  return knots
}

/** How a minute's volume falls to its four blocks, in 16ths; which block is first differs by minute. */
const SHARES = [6, 4, 3, 3] as const

function volumesOf(motion: Motion, segment: Segment, blocks: number): Int32Array {
  const volumes = new Int32Array(blocks)
  const minutes = Math.floor(blocks / BLOCKS_A_MINUTE)
  const seed = hash(motion.seed ^ 0x51ed270b, segment.startSec)
  const quiet = segment.regular ? motion.quiet : motion.offHours.quiet
  const busy = segment.regular ? motion.volume : motion.volume * motion.offHours.volume
  const halt = motion.halts ? haltOf(motion.seed, segment) : undefined
  for (let minute = 0; minute < minutes; minute++) {
    const dice = hashSmall(seed, minute)
    if ((dice & 0xffff) < quiet * 0x10000) continue
    const sec = segment.startSec + minute * 60
    if (halt && sec >= halt.startSec && sec < halt.endSec) continue
    // Most is traded when the venue opens and closes.
    const middle = segment.regular ? (2 * minute) / minutes - 1 : 0
    const chance = 0.25 + (dice >>> 16) / 0x10000
    const volume = 1 + Math.floor(busy * chance * (0.5 + middle * middle))
    const first = dice & 3
    let left = volume
    for (let i = 3; i >= 0; i--) {
      const share = i === 0 ? left : Math.floor((volume * (SHARES[i] ?? 0)) / 16)
      volumes[minute * BLOCKS_A_MINUTE + ((first + i) & 3)] = share
      left -= share
    }
  }
  return volumes
}
