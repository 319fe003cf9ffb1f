/** IBKR takes 50 messages a second of a connection with the usual 100 market data lines. */
export const MAX_MESSAGES_PER_SECOND = 50
/** The breach with which the session ends. */
export const MAX_BREACHES = 3

const WINDOW_MS = 1000

export interface RateJudge {
  /** Counts one message; the number of breaches so far where this one is a breach, otherwise undefined. */
  count(): number | undefined
}

/**
 * Judges the messages of one connection: the 51st within any sliding second is a breach, after which counting
 * begins anew. A message leaves the window once it is a second old by either clock: `now` (epoch ms) may stand
 * still in a test that takes its time, or run ahead of a test that takes none.
 */
export function createRateJudge(now: () => number, monotonic: () => number = () => performance.now()): RateJudge {
  let seen: { readonly at: number; readonly ticks: number }[] = []
  let breaches = 0
  return {
    count() {
      const at = now()
      const ticks = monotonic()
      seen = seen.filter((one) => at - one.at < WINDOW_MS && ticks - one.ticks < WINDOW_MS)
      seen.push({ at, ticks })
      if (seen.length <= MAX_MESSAGES_PER_SECOND) return undefined
      seen = []
      breaches += 1
      return breaches
    },
  }
}
