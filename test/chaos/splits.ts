import type { Dice } from './dice.ts'
import type { Logins } from './logins.ts'
import type { Scales } from './scales.ts'
import type { Story } from './story.ts'
import type { Time } from './time.ts'
import { LISTED } from './wanted.ts'

/** New shares for an old one. */
const RATIOS = [2, 3, 4, 10, 20, 1.5, 0.1]

/** Splits of stocks that are wanted. */
export interface Splits {
  /** One of them splits; nothing happens where none is wanted. */
  split(): Promise<void>
  /** How many there were. */
  readonly count: () => number
}

export function createSplits(
  instruments: readonly string[],
  parts: {
    readonly time: Time
    readonly dice: Dice
    readonly story: Story
    readonly scales: Scales
    readonly logins: Logins
  },
): Splits {
  const { time, dice, story, scales, logins } = parts
  const stocks = instruments.flatMap((id) => {
    const conId = LISTED[id]?.conId
    return conId === undefined ? [] : [{ id, conId }]
  })
  let count = 0
  return {
    count: () => count,
    async split() {
      if (stocks.length === 0) return
      const { id, conId } = dice.pick(stocks)
      const ratio = dice.pick(RATIOS)
      count++
      story.tell(`${id} splits, ${ratio} for 1`)
      scales.split(Math.floor(time.now() / 1000))
      await logins.split(conId, ratio)
    },
  }
}
