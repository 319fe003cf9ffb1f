import {
  alignWindow,
  type BarSpec,
  chunksOf,
  countChunks,
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
/** Past this many chunks a run is too much for one statement, and for weeks of a login's small bars. */
const MOST_CHUNKS = 10_000
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
    const requests = countChunks(gaps, want)
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

/**
 * A chunk for every gap of the series, in the order wanted, newest window first: the newest data are wanted most.
 * Of more than a run can hold, the first part; where the `whole` is wanted, throws `invalid` instead.
 */
export async function planChunks(
  wants: readonly { readonly want: WantedSeries; readonly series: Series; readonly window: Window }[],
  store: Store,
  { whole, ...options }: { readonly givenUpSince?: number; readonly whole: boolean },
): Promise<ChunkPlan[]> {
  const shapes = new Map(wants.map(({ want, series }) => [series.id, want]))
  const gaps = await store.gaps(
    wants.map(({ series, window }) => ({ seriesId: series.id, window })),
    options,
  )
  const shaped = gaps.flatMap(({ seriesId, windows }) => {
    const shape = shapes.get(seriesId)
    return shape ? [{ seriesId, windows, shape }] : []
  })
  const count = shaped.reduce((sum, { windows, shape }) => sum + countChunks(windows, shape), 0)
  if (whole && count > MOST_CHUNKS) {
    throw new TidegateError(
      'invalid',
      `That takes ${count} requests, and one run may have ${MOST_CHUNKS}: ask for a shorter time or for longer bars.`,
    )
  }
  const chunks: ChunkPlan[] = []
  for (const { seriesId, windows, shape } of shaped) {
    for (const gap of windows.toReversed()) {
      if (chunks.length >= MOST_CHUNKS) return chunks
      for (const window of chunksOf([gap], shape).reverse()) chunks.push({ seriesId, window })
    }
  }
  return chunks.slice(0, MOST_CHUNKS)
}

/** A stored series' spec, read back. */
export function specOf(series: Pick<Series, 'spec'>): BarSpec {
  return parseSpec(series.spec)
}
