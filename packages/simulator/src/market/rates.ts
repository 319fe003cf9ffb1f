import { hashText } from './noise.ts'
import type { Motion } from './tape.ts'
import type { PriceKind } from './types.ts'

/** Rates are told to a millionth. */
export const RATE_TICKS_PER_UNIT = 1_000_000

/** Around what the rates of a listing move: volatilities a year, and what borrowing its shares costs in percent. */
const MIDDLES: Partial<Record<PriceKind, number>> = {
  HISTORICAL_VOLATILITY: 0.24,
  OPTION_IMPLIED_VOLATILITY: 0.27,
  FEE_RATE: 0.3,
}

/** How a rate of a product moves; undefined for kinds that are prices. */
export function rateMotion(seed: string, path: string, kind: PriceKind): Motion | undefined {
  const middle = MIDDLES[kind]
  if (middle === undefined) return undefined
  return {
    seed: hashText(`${seed} ${path} ${kind}`),
    middle: 2 * middle * RATE_TICKS_PER_UNIT,
    swing: 0.6,
    volume: 0,
    quiet: 0,
    offHours: { quiet: 0, volume: 0 },
    halfSpread: 0,
  }
}
