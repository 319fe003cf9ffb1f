/** Numbers that look random and are the same for the same seed (mulberry32). */
export interface Dice {
  /** Uniform in [0, 1). */
  next(): number
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number
  /** True in so many of all cases, 0 to 1. */
  chance(share: number): boolean
  pick<T>(from: readonly T[]): T
  /** So many of them, each once, in their own order. */
  some<T>(from: readonly T[], least: number, most: number): T[]
  /** Dice of their own: how often they are cast changes nothing for others. */
  fork(): Dice
}

export function createDice(seed: number): Dice {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  function pick<T>(from: readonly T[]): T {
    const at = whole(0, from.length - 1)
    if (from.length === 0) throw new Error('There is nothing to pick from.')
    return from[at] as T
  }
  return {
    next,
    whole,
    pick,
    chance: (share) => next() < share,
    some(from, least, most) {
      const left = [...from.keys()]
      const taken = Array.from({ length: Math.min(from.length, whole(least, most)) }, () =>
        left.splice(whole(0, left.length - 1), 1),
      ).flat()
      return from.filter((_, at) => taken.includes(at))
    },
    fork: () => createDice(Math.floor(next() * 2 ** 32)),
  }
}
