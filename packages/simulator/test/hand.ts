import type { Pulse } from '../src/pulse.ts'

/** A clock and its beat, moved by hand. */
export interface Hand {
  readonly now: () => number
  readonly pulse: Pulse
  /** Who listens to the beat. */
  listeners(): number
  /** Lets so many seconds pass, one by one. */
  pass(seconds: number): void
  /** Lets them pass at once, with a single beat at their end. */
  jump(seconds: number): void
}

export function createHand(startSec: number): Hand {
  const beats = new Set<() => void>()
  let nowMs = startSec * 1000
  const beat = () => {
    for (const one of [...beats]) one()
  }
  return {
    now: () => nowMs,
    listeners: () => beats.size,
    pulse: {
      onBeat(one) {
        const own = () => one()
        beats.add(own)
        return () => beats.delete(own)
      },
    },
    pass(seconds) {
      for (let i = 0; i < seconds; i++) {
        nowMs += 1000
        beat()
      }
    },
    jump(seconds) {
      nowMs += seconds * 1000
      beat()
    },
  }
}
