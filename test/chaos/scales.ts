import { parseSpec } from '@tidegate/core'

const HOUR_SEC = 3600
/** When a date begins in New York, in winter and in summer: hours of UTC. Dividends are less from then on. */
const MIDNIGHTS = [4, 5]

/**
 * The market tells its past anew: after a split, and ADJUSTED_LAST at dividends. What it tells between two such instants is one
 * scale; a series is right as long as all of it is of one.
 */
export interface Scales {
  /** The last instants of each scale that a series may be of, epoch seconds, the newest first. */
  endsOf(spec: string, nowSec: number): number[]
  /** A listing has split, epoch seconds. */
  split(atSec: number): void
}

export function createScales(beganSec: number): Scales {
  const splits: number[] = []

  /** Where a date may have begun since the run did. */
  function midnights(nowSec: number): number[] {
    const found: number[] = []
    for (let sec = Math.ceil(beganSec / HOUR_SEC) * HOUR_SEC; sec <= nowSec; sec += HOUR_SEC) {
      if (MIDNIGHTS.includes(new Date(sec * 1000).getUTCHours())) found.push(sec)
    }
    return found
  }

  return {
    endsOf(spec, nowSec) {
      const changes = parseSpec(spec).price === 'ADJUSTED_LAST' ? [...splits, ...midnights(nowSec)] : splits
      const ends = changes.filter((sec) => sec <= nowSec).map((sec) => sec - 1)
      return [nowSec, ...ends.sort((left, right) => right - left)]
    },
    split: (atSec) => void splits.push(atSec),
  }
}
