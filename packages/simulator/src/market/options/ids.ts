/** Options are too many to be kept: what one is can be read from its id. */

/** Above every id of another listing, below the largest that clients take (2³¹ − 1). */
const FIRST = 1_100_000_000
const PER_ROOT = 200_000_000
const PER_WEEK = 20_000

/** The id of an option: its root, the week of its expiry since 1970, its strike in steps, its right. */
export function encode(index: number, week: number, strikeIndex: number, right: string): number {
  return FIRST + index * PER_ROOT + week * PER_WEEK + strikeIndex * 2 + (right === 'C' ? 0 : 1)
}

export interface Decoded {
  readonly index: number
  readonly week: number
  readonly strikeIndex: number
  readonly right: 'C' | 'P'
}

/** What `encode` was given; undefined for the id of something else. */
export function decode(conId: number): Decoded | undefined {
  const rest = conId - FIRST
  if (rest < 0) return undefined
  const ofRoot = rest % PER_ROOT
  const ofWeek = ofRoot % PER_WEEK
  return {
    index: Math.floor(rest / PER_ROOT),
    week: Math.floor(ofRoot / PER_WEEK),
    strikeIndex: ofWeek >> 1,
    right: ofWeek % 2 === 0 ? 'C' : 'P',
  }
}
