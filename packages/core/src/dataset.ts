import type { SecType } from './contract.ts'
import { TidegateError } from './errors.ts'
import type { Priority } from './priority.ts'
import type { Schedule } from './schedule.ts'
import type { Since } from './since.ts'
import { formatSpec, type Hours, type Price, parseTimeframe, type Unit, whatToShow } from './spec.ts'

/** A timeframe, or a bar specification STEP-UNIT-PRICE. */
export type SpecText = '1MIN' | '5MIN' | '1HOUR' | 'DAILY' | `${number}-${Unit}-${Price}`

/** A declared want, checked: instruments × specs, since when, and when it is brought up to date. */
export interface DatasetDefinition {
  readonly name: string
  /** Instrument ids or bare names, as they were written. */
  readonly instruments: readonly string[]
  /** Timeframes or bar specifications, as they were written. */
  readonly specs: readonly string[]
  /** A `Since`, as it was written. */
  readonly since: string
  readonly hours: Hours
  readonly schedule: Schedule
  /** Of its requests at the gateway. Absent: `scheduled`. */
  readonly priority?: Priority
}

/** A dataset as a `tidegate.config.ts` declares it. */
export interface DatasetConfig extends Omit<DatasetDefinition, 'specs' | 'since' | 'hours'> {
  readonly specs: readonly SpecText[]
  readonly since: Since
  /** Which hours of a day. Default: what IBKR_USE_RTH says, `regular` where it says nothing. */
  readonly hours?: Hours
}

export interface Config {
  readonly datasets: readonly DatasetConfig[]
}

/** The config itself: a `tidegate.config.ts` exports it as its default, and has its types checked by the way. */
export function defineConfig(config: Config): Config {
  return config
}

/**
 * A definition's specs for a kind of product, each once: `1-MINUTE-LAST` for the `1MIN` of a stock, `1-MINUTE-MID` for that
 * of a currency pair. `refused` says of which IBKR has no such bars.
 */
export function specsFor(
  { specs }: Pick<DatasetDefinition, 'specs'>,
  secType: SecType,
): { readonly specs: string[]; readonly refused: { readonly spec: string; readonly error: TidegateError }[] } {
  const found = new Set<string>()
  const refused: { spec: string; error: TidegateError }[] = []
  for (const text of specs) {
    try {
      const spec = parseTimeframe(text, secType)
      whatToShow(spec.price, secType)
      found.add(formatSpec(spec))
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error
      refused.push({ spec: text, error })
    }
  }
  return { specs: [...found], refused }
}
