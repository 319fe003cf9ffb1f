import { DAY_SEC } from './days.ts'
import { smooth } from './noise.ts'

/** Periods in days of the waves a price rides on, from overnight to seven years. */
const PERIODS = [1.7, 4, 9, 21, 55, 130, 340, 900, 2500] as const
/** A wave of one day moves a price of swing 1 by about this part; longer ones grow by the root of their period, as a random walk does. */
const DAILY = 0.012
const WAVES = PERIODS.map((days) => ({ days, height: DAILY * Math.sqrt(days) }))

/**
 * The factor by which a price stands off its middle at an instant (epoch seconds): a pure function, positive, and
 * bounded, so that twenty years neither explode nor die out.
 */
export function levelAt(seed: number, swing: number, atSec: number): number {
  const day = atSec / DAY_SEC
  let log = 0
  for (let i = 0; i < WAVES.length; i++) {
    const wave = WAVES[i]
    if (wave) log += wave.height * smooth(seed + i, day / wave.days)
  }
  return Math.exp(log * swing)
}
