import {
  alignWindow,
  type BarSpec,
  formatSpec,
  type Hours,
  hopedUntil,
  intersect,
  type KnownSessions,
  parseSpec,
  parseTimeframe,
  type SecType,
  TidegateError,
  type Window,
  whatToShow,
} from '@tidegate/core'
import type { Instrument, Series } from '@tidegate/db'
import type { FetchRequest } from './types.ts'

/** Past this many series a single request is refused: it would be a dataset. */
const MAX_SERIES = 10_000

/** One series that is wanted, with what sizing its requests needs. */
export interface WantedSeries {
  readonly instrumentId: string
  readonly secType: SecType
  readonly timeZoneId: string
  /** IBKR's text of the last trade date; undefined for what does not expire. */
  readonly expires: string | undefined
  readonly spec: BarSpec
  readonly hours: Hours
}

/** What planning needs of an instrument. */
export type Plannable = Pick<WantedSeries, 'instrumentId' | 'secType' | 'timeZoneId' | 'expires'>

/** Every series of instruments × specs once. Throws `invalid` for a spec that the kind of product has no data for. */
export function wantedSeries(
  request: Pick<FetchRequest, 'specs' | 'hours'>,
  instruments: readonly Plannable[],
): WantedSeries[] {
  if (instruments.length === 0 || request.specs.length === 0) {
    throw new TidegateError('invalid', 'At least one instrument and one timeframe or bar specification are needed.')
  }
  if (instruments.length * request.specs.length > MAX_SERIES) {
    throw new TidegateError(
      'invalid',
      `${instruments.length} instruments × ${request.specs.length} specs are more than ${MAX_SERIES} series: split the request.`,
    )
  }
  const wanted = new Map<string, WantedSeries>()
  for (const instrument of instruments) {
    for (const text of request.specs) {
      const spec = parseTimeframe(text, instrument.secType)
      whatToShow(spec.price, instrument.secType)
      wanted.set(`${instrument.instrumentId} ${formatSpec(spec)}`, { ...instrument, spec, hours: request.hours })
    }
  }
  return [...wanted.values()]
}

/** What planning needs of a stored instrument. */
export function plannable({ id, details }: Instrument): Plannable {
  const { secType, lastTradeDateOrContractMonth = '' } = details.contract
  // The later one where they differ: what may still be had must not be given up.
  const expires = [details.realExpirationDate, lastTradeDateOrContractMonth].sort().at(-1) || undefined
  return { instrumentId: id, secType, timeZoneId: details.timeZoneId, expires }
}

/** The wanted window on the bars' grid, as far as it may be final by now: by these sessions, where days are settled by them. */
export function wantedWindow(
  window: Window,
  series: WantedSeries,
  nowSec: number,
  sessions: KnownSessions | undefined,
): Window | undefined {
  const aligned = alignWindow(window, series.spec)
  const end = hopedUntil(series.spec, nowSec, sessions ? { ...series, sessions } : series)
  return aligned && intersect(aligned, { start: aligned.start, end })
}

/** A stored series' spec, read back. */
export function specOf(series: Pick<Series, 'spec'>): BarSpec {
  return parseSpec(series.spec)
}
