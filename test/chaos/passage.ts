import type { Time } from './time.ts'
import type { Wires } from './wires.ts'

const MINUTE_MS = 60_000

/** How time passes: from one timer to the next, whenever nothing is under way any more. */
export interface Passage {
  /** Lets so much of it pass. */
  pass(ms: number): Promise<void>
  /** The answer of something that may take time. */
  wait<T>(act: Promise<T>): Promise<T>
}

export function createPassage(time: Time, wires: Wires): Passage {
  return {
    async pass(ms) {
      const untilMs = time.now() + ms
      do await wires.still()
      while (time.step(untilMs))
      await wires.still()
    },

    async wait(act) {
      let isOver = false
      const done = act.finally(() => {
        isOver = true
      })
      done.catch(() => {})
      for (;;) {
        await wires.still()
        if (isOver) return done
        time.step(time.now() + MINUTE_MS)
      }
    },
  }
}
