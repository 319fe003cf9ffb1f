import type { Segment } from './segments.ts'
import { createScratch, type Motion, recordTape, type Tape } from './tape.ts'

/** Tapes kept: some 40 KB each. */
const MAX_TAPES = 128

export interface Reel {
  /** The tape of a segment, recorded when first asked for. `name` tells motions apart. */
  tape(name: string, motion: Motion, segment: Segment, withVolume: boolean): Tape
}

/** Keeps the tapes recorded last, for requests come in runs about the same days. */
export function createReel(): Reel {
  const tapes = new Map<string, Tape>()
  const order: string[] = []
  const scratch = createScratch()
  let next = 0
  return {
    tape(name, motion, segment, withVolume) {
      const key = `${name} ${segment.startSec} ${withVolume}`
      const found = tapes.get(key)
      if (found) return found
      const oldest = order[next]
      if (oldest !== undefined) tapes.delete(oldest)
      order[next] = key
      next = (next + 1) % MAX_TAPES
      const tape = recordTape(scratch, motion, segment, withVolume)
      tapes.set(key, tape)
      return tape
    },
  }
}
