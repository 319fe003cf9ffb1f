import type { RunsAnswer } from '@tidegate/functions'
import type { HookCaller } from './caller.ts'
import type { Dice } from './dice.ts'
import type { Functions } from './functions.ts'
import type { Gateway } from './gateway.ts'
import type { Reader } from './reader.ts'
import type { Splits } from './splits.ts'
import type { Story } from './story.ts'
import type { Time } from './time.ts'
import { falseNoData, type Trouble, troublesOf } from './troubles.ts'

const MINUTE_MS = 60_000
/** How far the functions' clock may be from the gateway's, seconds. */
export const MOST_SKEW_SEC = 7200
const SKEWS = [-MOST_SKEW_SEC, -180, -20, 20, 180, MOST_SKEW_SEC]

interface Parts {
  readonly time: Time
  readonly dice: Dice
  readonly gateways: readonly Gateway[]
  readonly caller: HookCaller
  readonly functions: Functions
  readonly reader: Reader
  readonly story: Story
  readonly splits: Splits
  readonly datasets: readonly string[]
}

/** Everything that goes wrong, by itself, until `end`, which mends all of it. */
export interface Storm {
  end(): Promise<void>
}

export function startStorm({ time, dice, gateways, functions, caller, reader, splits, story, datasets }: Parts): Storm {
  let isOver = false
  const standing = new Set<Trouble>()

  /** Does something again and again, after so many minutes each time. */
  function again(least: number, most: number, act: () => unknown): void {
    time.after(dice.whole(least * MINUTE_MS, most * MINUTE_MS), async () => {
      if (isOver) return
      await act()
      again(least, most, act)
    })
  }

  async function mend(trouble: Trouble): Promise<void> {
    if (!standing.delete(trouble)) return
    story.tell(`mended: ${trouble.name}`)
    await trouble.end()
  }

  function trouble(found: Trouble, mostMinutes: number): void {
    story.tell(`trouble: ${found.name}`)
    standing.add(found)
    time.after(dice.whole(10_000, mostMinutes * MINUTE_MS), () => void mend(found))
    void found.begin()
  }

  const some = () => trouble(dice.pick(troublesOf(dice.pick(gateways), dice)), 15)
  time.after(dice.whole(0, MINUTE_MS), some)
  again(1, 8, some)
  again(15, 70, async () => {
    const gateway = dice.pick(gateways)
    story.tell(`the bridge ${gateway.name} is killed`)
    await gateway.kill()
  })
  again(20, 90, () => {
    story.tell('the database is away')
    functions.isAway = true
    time.after(dice.whole(1000, 8 * MINUTE_MS), () => {
      functions.isAway = false
    })
  })
  again(20, 60, () => {
    functions.skewMs = dice.chance(0.4) ? 0 : dice.pick(SKEWS) * 1000
    story.tell(`the functions’ clock jumps: ${functions.skewMs / 1000} s`)
  })
  again(2, 12, () => functions.round())
  again(25, 90, () => functions.call('POST', `/v1/datasets/${dice.pick(datasets)}/runs`))
  again(15, 60, () => caller.call())
  again(3, 15, () => reader.read())
  for (let n = dice.pick([0, 1, 1, 2]); n > 0; n--) {
    time.after(dice.whole(0, dice.pick([10, 150]) * MINUTE_MS), () => !isOver && splits.split())
  }
  again(60, 150, async () => {
    const answer = await functions.call<RunsAnswer>('GET', '/v1/runs?state=open')
    const run = answer?.runs[0]
    if (run) await functions.call('POST', `/v1/runs/${run.id}/cancel`)
  })
  if (dice.chance(0.5))
    time.after(dice.whole(MINUTE_MS, 60 * MINUTE_MS), () => trouble(falseNoData(dice.pick(gateways)), 20))

  return {
    async end() {
      isOver = true
      for (const one of [...standing]) await mend(one)
      functions.isAway = false
      functions.skewMs = 0
      story.tell('the storm is over')
    },
  }
}
