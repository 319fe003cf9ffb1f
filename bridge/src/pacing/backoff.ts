import type { Clock } from '../clock.ts'
import type { Held } from './ledger.ts'

/** How long the first hold is: what breaks the message rate is past after a second, a small request's breach only after fifteen. */
const FIRST_MS: Record<Held, number> = { messages: 2000, small: 15_000 }
/** No window of IBKR's is longer. */
const MOST_MS = 600_000

/** How long to hold back after the gateway complained. */
export interface Backoff {
  /**
   * The gateway says that too much came; milliseconds to hold everything, or the small class, from now on. Twice as long
   * as the last time where that is not long ago; only what is left of it where the hold still stands, for what it
   * complains of went before.
   */
  complained(what: Held): number
}

export function createBackoff(clock: Clock): Backoff {
  const last: Record<Held, { ms: number; untilMs: number }> = {
    messages: { ms: 0, untilMs: -Infinity },
    small: { ms: 0, untilMs: -Infinity },
  }
  return {
    complained(what) {
      const nowMs = clock.now()
      const { ms, untilMs } = last[what]
      if (nowMs < untilMs) return Math.min(ms, untilMs - nowMs)
      const isRepeated = nowMs < untilMs + MOST_MS
      const nextMs = isRepeated ? Math.min(ms * 2, MOST_MS) : FIRST_MS[what]
      last[what] = { ms: nextMs, untilMs: nowMs + nextMs }
      return nextMs
    },
  }
}
