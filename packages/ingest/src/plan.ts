import {
  type BarSpec,
  countChunks,
  formatSpec,
  isToNow,
  type KnownSessions,
  merge,
  type Pace,
  pacedSec,
  parseInstrument,
  parseSpec,
  type Spans,
  smallBarWeight,
  specsFor,
  subtract,
  unavailableFor,
  type Window,
} from '@tidegate/core'
import type { DatasetState, Refusal, SeriesKey, Store } from '@tidegate/db'
import { stretchesOf } from './cutting.ts'
import { noDataset } from './datasets.ts'
import { isUnasked } from './finding.ts'
import { storedOpenings } from './openings.ts'
import { type Plannable, type WantedSeries, wantedSeries, wantedWindow } from './planning.ts'
import { settlementsOf } from './settlements.ts'
import { knownSpans } from './spans.ts'
import { problemsOf } from './tick.ts'
import type { FetchRequest, Plan, PlannedSeries, PlanRequest } from './types.ts'
import { wantingNow } from './wanting.ts'

/** An instrument the gateway has not described yet: its dates are taken to end last on earth, and it not to expire. */
const UNKNOWN = { timeZoneId: '', expires: undefined }

export interface PlanOptions {
  readonly nowSec: number
  /** By which clock IBKR's rules of what it keeps go, epoch seconds (`Origin.keptSec`). */
  readonly keptSec: number
  /** Up to when the gateway can have anything, epoch seconds (`Origin.untilSec`). */
  readonly untilSec: number
  readonly spans?: Spans | undefined
  readonly pace: Pace
}

/** A series with the part of its window that is wanted and final, and what of that is not covered. */
interface Missing {
  readonly want: WantedSeries
  readonly window: Window | undefined
  readonly missing: readonly Window[]
  /** Whether it is wanted from IBKR's head timestamp on, and that is not known. */
  readonly isHeadless?: boolean
}

/**
 * The plan of a fetch or of a declared dataset, by what is stored alone: the gateway is not asked. Throws `not-found` where
 * there is no such dataset.
 */
export async function planOf(request: PlanRequest, store: Store, options: PlanOptions): Promise<Plan> {
  const { nowSec, untilSec } = options
  const clock = untilSec < nowSec ? { gatewayTime: untilSec } : {}
  if (!('dataset' in request)) {
    const missing = await missingOfFetch(request, store, untilSec)
    return { ...(await planMissing(missing, store, options)), ...clock, problems: [] }
  }
  const [dataset] = await store.wanted(nowSec, request.dataset)
  if (!dataset) throw noDataset(request.dataset)
  const wanted = [...(await missingOfDataset(dataset, store, untilSec)), ...unasked(dataset, untilSec)]
  return { ...(await planMissing(wanted, store, options)), ...clock, problems: problemsOf(dataset) }
}

/** A few queries, however many series. An instrument not yet stored is one whole gap, under the name it was asked for by. */
async function missingOfFetch(request: FetchRequest, store: Store, untilSec: number): Promise<Missing[]> {
  const names = request.instruments.map((text) => text.trim().toUpperCase())
  const stored = new Map((await store.listings(names)).map(({ name, ...listing }) => [name, listing]))
  const known = names.map(
    (name): Plannable => stored.get(name) ?? { instrumentId: name, secType: parseInstrument(name).secType, ...UNKNOWN },
  )
  const wants = wantedSeries(request, known)
  const settlements = await settlementsOf(wants, store, untilSec)
  const wanted = wants.map((want) => {
    return { want, window: wantedWindow(request.window, want, untilSec, settlements(want)) }
  })
  const final = wanted.flatMap(({ want, window }) => (window ? [{ key: keyOf(want), window }] : []))
  const uncovered = (await store.uncovered(final)).values()
  return wanted.map((one) => ({ ...one, missing: one.window ? (uncovered.next().value ?? []) : [] }))
}

async function missingOfDataset({ series }: DatasetState, store: Store, untilSec: number): Promise<Missing[]> {
  return (await wantingNow(series, untilSec, store)).map(({ want, series: { since }, window, gaps }) => {
    return { want, window, missing: gaps, isHeadless: since === undefined }
  })
}

/** What a dataset names and IBKR has not been asked for yet: whole gaps, as those of a fetch. */
function unasked({ definition, unresolved, since }: DatasetState, untilSec: number): Missing[] {
  const names = unresolved.filter(isUnasked).map(({ name }) => name)
  return names.flatMap((name) => {
    const { secType } = parseInstrument(name)
    return specsFor(definition, secType).specs.map((spec): Missing => {
      const instrument = { instrumentId: name.trim().toUpperCase(), secType, ...UNKNOWN }
      const want = { ...instrument, spec: parseSpec(spec), hours: definition.hours }
      const window =
        since === undefined ? undefined : wantedWindow({ start: since, end: untilSec }, want, untilSec, undefined)
      return { want, window, missing: window ? [window] : [], isHeadless: since === undefined }
    })
  })
}

async function planMissing(
  wanted: readonly Missing[],
  store: Store,
  { nowSec, keptSec, spans, pace }: PlanOptions,
): Promise<Omit<Plan, 'problems'>> {
  const never = await store.unavailable(wanted.map(({ want }) => keyOf(want)))
  const parts = wanted.map((one, i) => ({ ...one, ...askable(one, never[i] ?? [], keptSec) }))
  const spanOf = await knownSpans(store, spans, nowSec)
  const openingsOf = await storedOpenings(parts, store, spanOf)
  const refusals = refusalsOf(await store.refusals([...new Set(wanted.map(({ want }) => want.instrumentId))]))
  const counts: { contract: string; spec: BarSpec; count: number }[] = []
  const series = parts.map(({ want, window, gaps, unavailable, isHeadless }): PlannedSeries => {
    const key = keyOf(want)
    const requests = requestsFor(gaps, want, spanOf(want), openingsOf(want))
    counts.push({ contract: key.instrumentId, spec: want.spec, count: requests })
    const refusal = refusals.get(`${key.instrumentId} ${key.spec}`) ?? refusals.get(key.instrumentId)
    return {
      ...key,
      wanted: window,
      gaps,
      requests,
      weight: requests * smallBarWeight(want.spec),
      unavailable,
      ...(isHeadless ? { isHeadUnknown: true } : {}),
      refusal,
    }
  })
  const { sec, boundBy } = pacedSec(counts, pace)
  return {
    series,
    requests: series.reduce((sum, one) => sum + one.requests, 0),
    weight: series.reduce((sum, one) => sum + one.weight, 0),
    expectedSec: sec,
    boundBy,
  }
}

/** What is missing of a series, apart: what may be had, and what can never be, also where that is `known` since an earlier run. */
function askable(
  { want, window, missing }: Missing,
  known: readonly Window[],
  keptSec: number,
): Pick<PlannedSeries, 'gaps' | 'unavailable'> {
  if (!window) return { gaps: [], unavailable: [] }
  const lacking = merge([...missing, ...known])
  const unavailable = unavailableFor(want, window, keptSec).flatMap(({ windows, why }) => {
    const open = within(lacking, windows)
    return open.length > 0 ? [{ windows: open, why }] : []
  })
  const never = unavailable.flatMap(({ windows }) => windows)
  return { gaps: subtract(missing, never), unavailable }
}

/** A closed market's stretches are settled by IBKR's schedule: no request is needed for them. */
function requestsFor(
  gaps: readonly Window[],
  want: WantedSeries,
  spanSec: number,
  openings: KnownSessions | undefined,
): number {
  if (isToNow(want)) return Math.min(gaps.length, 1)
  if (!openings) return countChunks(gaps, spanSec)
  return stretchesOf(gaps, want, spanSec, openings).filter(({ closed }) => !closed).length
}

function keyOf({ instrumentId, spec, hours }: WantedSeries): SeriesKey {
  return { instrumentId, spec: formatSpec(spec), hours }
}

/** The instants that both lists of windows hold. */
function within(windows: readonly Window[], others: readonly Window[]): Window[] {
  return subtract(windows, subtract(windows, others))
}

/** By series and by instrument, the newest first in the answer. What refuses one spec of an instrument as a rule refuses the others. */
function refusalsOf(refused: readonly Refusal[]): Map<string, NonNullable<PlannedSeries['refusal']>> {
  const found = new Map<string, NonNullable<PlannedSeries['refusal']>>()
  for (const { instrumentId, spec, error, at } of refused) {
    for (const key of [`${instrumentId} ${spec}`, instrumentId]) {
      if (!found.has(key)) found.set(key, { spec, message: error.message, code: error.code, at })
    }
  }
  return found
}
