import type { Clock } from './clock.ts'

/** Often enough that a hung gateway is found within minutes; twice a minute is nothing to the message rate. */
const EVERY_MS = 30_000

export interface Pulse {
  /** The gateway has answered. */
  beat(): void
  stop(): void
}

/**
 * Asks at once and every half minute, and calls `onSilence` when no answer came for longer than that and
 * `patienceMs`: TCP alone never notices a gateway that hangs.
 */
export function createPulse({
  clock,
  patienceMs,
  ask,
  onSilence,
}: {
  clock: Clock
  patienceMs: number
  ask: () => void
  onSilence: (ms: number) => void
}): Pulse {
  const silenceMs = EVERY_MS + patienceMs
  let stopSilence = () => {}
  let stopAsking = () => {}
  const beat = () => {
    stopSilence()
    stopSilence = clock.after(silenceMs, () => onSilence(silenceMs))
  }
  const askAgain = () => {
    ask()
    stopAsking = clock.after(EVERY_MS, askAgain)
  }
  beat()
  askAgain()
  return {
    beat,
    stop() {
      stopSilence()
      stopAsking()
    },
  }
}
