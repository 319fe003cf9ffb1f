import { TidegateError } from '@tidegate/core'
import type { Clock } from './clock.ts'

/** Lets what has begun come to its end while nothing new begins. */
export interface Drain {
  readonly closing: boolean
  /** Runs `work` and counts it as open until it settles. Throws `disconnected` once closing. */
  hold(work: () => Promise<void>): Promise<void>
  /** Lets nothing more begin; resolves when nothing is open, or after `ms`. */
  close(ms: number): Promise<void>
}

export function createDrain(clock: Clock): Drain {
  const { promise: empty, resolve } = Promise.withResolvers<void>()
  let closing = false
  let open = 0
  return {
    get closing() {
      return closing
    },
    async hold(work) {
      if (closing) throw new TidegateError('disconnected', 'The bridge is closing: ask again once it is back.')
      open++
      try {
        await work()
      } finally {
        open--
        if (closing && open === 0) resolve()
      }
    },
    async close(ms) {
      closing = true
      if (open === 0) return
      const stopTimer = clock.after(ms, resolve)
      await empty
      stopTimer()
    },
  }
}
