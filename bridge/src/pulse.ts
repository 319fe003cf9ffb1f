import type { Clock } from './clock.ts'

/** Often enough that a hung gateway is found within minutes; twice a minute is nothing to the message rate. */
const EVERY_MS = 30_000

export interface Pulse {
  /** The gateway has answered. */
  beat(): void
  stop(): void
}

/**
 * Asks at once and half a minute after each question, and calls `onSilence` when one has gone unanswered for
 * `patienceMs`: TCP alone never notices a gateway that hangs. `ask` resolves when the question has left; while pacing
 * holds it, nobody is silent.
 */
export function createPulse({
  clock,
  patienceMs,
  ask,
  onSilence,
}: {
  clock: Clock
  patienceMs: number
  ask: () => Promise<void>
  onSilence: (ms: number) => void
}): Pulse {
  let isStopped = false
  let isAsked = false
  let stopSilence = () => {}
  let stopAsking = () => {}

  async function askAgain(): Promise<void> {
    await ask()
    if (isStopped) return
    stopAsking = clock.after(EVERY_MS, () => void askAgain())
    if (isAsked) return
    isAsked = true
    stopSilence = clock.after(patienceMs, () => onSilence(patienceMs))
  }

  void askAgain()
  return {
    beat() {
      isAsked = false
      stopSilence()
    },
    stop() {
      isStopped = true
      stopSilence()
      stopAsking()
    },
  }
}
