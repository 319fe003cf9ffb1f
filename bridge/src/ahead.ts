import type { Clock } from './clock.ts'

/**
 * A gateway's clock so far ahead of ours is told of, milliseconds. Machines that set their clocks are milliseconds apart,
 * and the gateway tells whole seconds, of a moment ago.
 */
const AHEAD_MS = 5000

/** The gateway's clock, as it tells the time now and then. */
export interface GatewayClock {
  /** It has told the time, epoch seconds. */
  told(sec: number): void
  /** Epoch milliseconds by it. */
  now(): number
  /**
   * Epoch seconds: what had ended by then, by its clock and by ours, is over. Neither is believed alone: which bars count
   * as closed hangs on it, and a clock that is ahead would make final, for good, what still forms. Of two clocks the one
   * that is behind can only make a bar final later.
   */
  asOf(): number
  /** How far it is ahead of ours, milliseconds, where that is worth telling; otherwise undefined. */
  readonly aheadMs: number | undefined
}

/** `steady` goes on by itself between two times told: our clock may be set. `isSimulated`: its time is made up, as its data are, and believed whatever it is. `onAhead` is called when it is found too far ahead. */
export function createGatewayClock(parts: {
  clock: Clock
  steady?: Clock
  isSimulated: () => boolean
  onAhead?: (ms: number) => void
}): GatewayClock {
  const { clock, steady = clock, isSimulated, onAhead = () => {} } = parts
  let offsetMs = 0
  let aheadMs: number | undefined
  const toldNow = () => steady.now() + offsetMs
  return {
    told(sec) {
      offsetMs = sec * 1000 - steady.now()
      const wasAhead = aheadMs !== undefined
      const ms = sec * 1000 - clock.now()
      aheadMs = ms > AHEAD_MS && !isSimulated() ? ms : undefined
      if (aheadMs !== undefined && !wasAhead) onAhead(aheadMs)
    },
    now: toldNow,
    asOf: () => Math.floor((isSimulated() ? toldNow() : Math.min(toldNow(), clock.now())) / 1000),
    get aheadMs() {
      return aheadMs
    },
  }
}
