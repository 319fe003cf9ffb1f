import { BLOCK_SEC } from '../tape.ts'

/**
 * The seconds of one block. Prices run straight from the first knot to the second and are symmetric about the middle
 * second, and so are volumes: therefore a block's average price is the mean of its knots, to the digit, and minutes
 * need not look at their seconds.
 */
const LAST = BLOCK_SEC - 1
export const MIDDLE = LAST / 2

/** How far second `j` of a block has come on the way `distance`; a whole number. The middle one of an odd way stands before it. */
export function progress(distance: number, j: number): number {
  return j <= MIDDLE ? Math.trunc((distance * j) / LAST) : distance - Math.trunc((distance * (LAST - j)) / LAST)
}

/** Ways looked up instead of walked: a block seldom moves further, in half ticks. */
const KNOWN_WAYS = 512

/** In how many seconds of a block `progress` is an odd number. */
export function oddSteps(way: number): number {
  return ODD_STEPS[way < 0 ? -way : way] ?? countOddSteps(way)
}

const ODD_STEPS = Array.from({ length: KNOWN_WAYS }, (_, way) => countOddSteps(way))

function countOddSteps(way: number): number {
  let odd = 0
  for (let j = 0; j < BLOCK_SEC; j++) odd += progress(way, j) & 1
  return odd
}

/** What each pair of seconds trades of a block's volume, in 32nds for each of the two; the middle second has the rest. */
const SHARES = [3, 1, 2, 1, 4, 1, 2] as const
/** From this volume on every second trades. */
const BUSY = 32
/** Trades are counted once a second and once more per this volume. */
const LOT = 128

/** The volume of second `j` of block `block`. First and last trade whenever two can. */
export function volumeOf(volume: number, block: number, j: number): number {
  if (j !== MIDDLE) return pairVolume(volume, block, Math.min(j, LAST - j))
  let rest = volume
  for (let pair = 0; pair < MIDDLE; pair++) rest -= 2 * pairVolume(volume, block, pair)
  return rest
}

function pairVolume(volume: number, block: number, pair: number): number {
  const share = Math.floor((volume * (SHARES[(pair + block) % SHARES.length] ?? 0)) / 32)
  return pair === 0 && share === 0 && volume > 1 ? 1 : share
}

/**
 * Trades in second `j`, where the price goes `way` in the block. The middle second of an odd way ends half-way to the
 * next price: where it has the volume for two trades, the second one is there.
 */
export function countOf(volume: number, block: number, j: number, way: number): number {
  const own = volumeOf(volume, block, j)
  if (own === 0) return 0
  if (j === 0) return 1 + Math.floor(volume / LOT)
  return j === MIDDLE && way & 1 && own > 1 ? 2 : 1
}

/** Trades in the whole block: the sum over its seconds. */
export function blockCount(volume: number, block: number, way: number): number {
  if (volume >= BUSY) return BLOCK_SEC + ((volume / LOT) | 0) + (way & 1)
  const counts = way & 1 ? QUIET_ODD_COUNTS : QUIET_COUNTS
  return counts[volume * SHARES.length + (block % SHARES.length)] ?? 0
}

/**
 * What the turnover of a second or block lacks for an odd volume on an odd way, in half ticks: of the middle second's
 * shares the odd one trades at the first of its two prices.
 */
export function oddShare(volume: number, way: number): number {
  return volume & way & 1 ? Math.sign(way) : 0
}

/** Trades of blocks in which not every second has one, by volume and place in the pattern of shares. */
const QUIET_COUNTS = quietCounts(0)
const QUIET_ODD_COUNTS = quietCounts(1)

function quietCounts(way: number): Uint8Array {
  return Uint8Array.from({ length: BUSY * SHARES.length }, (_, i) => {
    let count = 0
    for (let j = 0; j < BLOCK_SEC; j++) count += countOf(Math.floor(i / SHARES.length), i % SHARES.length, j, way)
    return count
  })
}
