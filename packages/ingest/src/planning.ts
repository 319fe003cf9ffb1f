import {
  alignWindow,
  type BarSpec,
  chunksOf,
  finalUntil,
  formatSpec,
  type Hours,
  intersect,
  pacedSec,
  parseInstrument,
  parseSpec,
  parseTimeframe,
  type SecType,
  subtract,
  TidegateError,
  type Window,
  whatToShow,
} from '@tidegate/core'
import type { ChunkPlan, Instrument, Series, Store } from '@tidegate/db'
import type { FetchRequest, Plan, PlannedSeries } from './types.ts'

/** Past this many series a single request is refused: it would be a dataset. */
const MAX_SERIES = 10_000
/** An instrument the gateway has not described yet: its dates are taken to end last on earth. */
const UNKNOWN_ZONE = ''

/** One series that is wanted, with what sizing its requests needs. */
export interface WantedSeries {
  readonly instrumentId: string
  readonly secType: SecType
  readonly timeZoneId: string
  readonly spec: BarSpec
  readonly hours: Hours
}

/** Every series of instruments × specs once. Throws `invalid` for a spec that the kind of product has no data for. */
export function wantedSeries(
  request: Pick<FetchRequest, 'specs' | 'hours'>,
  instruments: readonly Pick<WantedSeries, 'instrumentId' | 'secType' | 'timeZoneId'>[],
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
export function plannable({ id, details }: Instrument): Pick<WantedSeries, 'instrumentId' | 'secType' | 'timeZoneId'> {
  return { instrumentId: id, secType: details.contract.secType, timeZoneId: details.timeZoneId }
}

/** The wanted window on the bars' grid, as far as it is final by now. */
export function wantedWindow(window: Window, series: WantedSeries, nowSec: number): Window | undefined {
  const aligned = alignWindow(window, series.spec)
  return aligned && intersect(aligned, { start: aligned.start, end: finalUntil(series.spec, nowSec, series) })
}

/** The plan of a fetch by what is stored alone: the gateway is not asked, so an instrument not yet stored is one whole gap. */
export async function planFetch(request: FetchRequest, store: Store, nowSec: number, perSecond: number): Promise<Plan> {
  const known = await Promise.all(
    request.instruments.map(async (text) => {
      const { secType } = parseInstrument(text)
      const stored = await store.instrument(text.trim().toUpperCase())
      return stored ? plannable(stored) : { instrumentId: text.trim().toUpperCase(), secType, timeZoneId: UNKNOWN_ZONE }
    }),
  )
  const wanted = wantedSeries(request, known)
  const stored = await store.series({ instrumentIds: known.map((k) => k.instrumentId) })
  const covered = new Map(stored.map((s) => [`${s.instrumentId} ${s.spec} ${s.hours}`, s.covered]))
  const series = wanted.map((want): PlannedSeries & { parsed: BarSpec } => {
    const spec = formatSpec(want.spec)
    const window = wantedWindow(request.window, want, nowSec)
    const gaps = window ? subtract([window], covered.get(`${want.instrumentId} ${spec} ${want.hours}`) ?? []) : []
    const requests = chunksOf(gaps, want).length
    return {
      instrumentId: want.instrumentId,
      spec,
      hours: want.hours,
      wanted: window,
      gaps,
      requests,
      parsed: want.spec,
    }
  })
  return {
    series: series.map(({ parsed: _, ...planned }) => planned),
    requests: series.reduce((sum, s) => sum + s.requests, 0),
    expectedSec: pacedSec(
      series.map((s) => ({ spec: s.parsed, count: s.requests })),
      perSecond,
    ),
  }
}

/** A chunk for every gap of the series, in the order wanted, newest window first: the newest data are wanted most. */
export async function planChunks(
  wants: readonly { readonly want: WantedSeries; readonly series: Series; readonly window: Window }[],
  store: Store,
  options: { readonly givenUpSince?: number },
): Promise<ChunkPlan[]> {
  const shapes = new Map(wants.map(({ want, series }) => [series.id, want]))
  const gaps = await store.gaps(
    wants.map(({ series, window }) => ({ seriesId: series.id, window })),
    options,
  )
  return gaps.flatMap(({ seriesId, windows }) => {
    const shape = shapes.get(seriesId)
    return shape
      ? chunksOf(windows, shape)
          .reverse()
          .map((window) => ({ seriesId, window }))
      : []
  })
}

/** A stored series' spec, read back. */
export function specOf(series: Pick<Series, 'spec'>): BarSpec {
  return parseSpec(series.spec)
}
