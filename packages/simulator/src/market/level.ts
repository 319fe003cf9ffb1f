import { DAY_SEC } from './days.ts'
import { unit } from './noise.ts'

/** A price of swing 1 moves in a day by about this part, by night and at weekends as well. */
const DAILY = 0.012
/** Between instants so far apart prices go straight; sessions begin and end on quarter hours. */
const FINEST_SEC = 900
/** A walk is tied down so often, some four years: it wanders no further, however long it goes on. */
const SPAN_SEC = FINEST_SEC * 2 ** 17
/** Of a uniform number in [−½, ½) with this factor, the variance is 1. */
const UNIT_VARIANCE = Math.sqrt(12)
/** Where it is tied down, a walk lies so far off its middle that two neighbours differ as a free one would. */
const TIED = DAILY * UNIT_VARIANCE * Math.sqrt(SPAN_SEC / DAY_SEC / 2)

/**
 * The factor by which a price stands off its middle at an instant (epoch seconds): a pure function, positive, and
 * bounded, so that twenty years neither explode nor die out.
 *
 * It is a random walk, found by halving (Lévy's construction): between two ends, the midpoint strays from their mean as
 * far as a walk of that length would, and so on down. What it does in one day says nothing of the next. A sum of smooth
 * waves would not do: days on the same slope of one would follow one another.
 */
export function levelAt(seed: number, swing: number, atSec: number): number {
  const span = Math.floor(atSec / SPAN_SEC)
  let startSec = span * SPAN_SEC
  let start = TIED * centred(seed, span)
  let end = TIED * centred(seed, span + 1)
  for (let half = SPAN_SEC / 2, depth = 1; half >= FINEST_SEC; half /= 2, depth++) {
    const middleSec = startSec + half
    const stray = DAILY * UNIT_VARIANCE * Math.sqrt(half / DAY_SEC / 2)
    const middle = (start + end) / 2 + stray * centred(seed + depth, middleSec / half)
    if (atSec < middleSec) end = middle
    else {
      start = middle
      startSec = middleSec
    }
  }
  return Math.exp((start + ((end - start) * (atSec - startSec)) / FINEST_SEC) * swing)
}

const centred = (seed: number, n: number): number => unit(seed, n) - 0.5
