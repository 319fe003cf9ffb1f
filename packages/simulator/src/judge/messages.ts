/** IBKR takes 50 messages a second of a connection with the usual 100 market data lines ("market data lines ÷ 2"). */
export const MAX_MESSAGES_PER_SECOND = 50
/** The breach with which the session ends. */
export const MAX_BREACHES = 3

const WINDOW_MS = 1000

export interface MessageJudge {
  /** Counts one message at an instant of both clocks; the number of breaches so far where this one is a breach, otherwise undefined. */
  count(atMs: number, ticksMs: number): number | undefined
}

/**
 * Judges the messages of one connection: the 51st within any sliding second is a breach, after which counting
 * begins anew. A message leaves the window once it is a second old by either clock: on the wire the simulator's own
 * may stand still in a test that takes its time, or run ahead of a test that takes none.
 */
export function createMessageJudge(): MessageJudge {
  let seen: { readonly atMs: number; readonly ticksMs: number }[] = []
  let breaches = 0
  return {
    count(atMs, ticksMs) {
      const isPast = (one: { atMs: number; ticksMs: number }) =>
        atMs - one.atMs >= WINDOW_MS || ticksMs - one.ticksMs >= WINDOW_MS
      const kept = seen.findIndex((one) => !isPast(one))
      seen = kept < 0 ? [] : kept > 0 ? seen.slice(kept) : seen
      seen.push({ atMs, ticksMs })
      if (seen.length <= MAX_MESSAGES_PER_SECOND) return undefined
      seen = []
      breaches += 1
      return breaches
    },
  }
}
