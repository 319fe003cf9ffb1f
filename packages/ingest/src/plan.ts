import {
  type BarSpec,
  countChunks,
  formatSpec,
  isToNow,
  type Pace,
  pacedSec,
  parseInstrument,
  type Spans,
  smallBarWeight,
  subtract,
  unavailableFor,
  type Window,
} from '@tidegate/core'
import type { Refusal, Store } from '@tidegate/db'
import { type Plannable, type WantedSeries, wantedSeries, wantedWindow } from './planning.ts'
import { knownSpans } from './spans.ts'
import type { FetchRequest, Plan, PlannedSeries } from './types.ts'

/** An instrument the gateway has not described yet: its dates are taken to end last on earth, and it not to expire. */
const UNKNOWN = { timeZoneId: '', expires: undefined }

export interface PlanOptions {
  readonly nowSec: number
  readonly spans?: Spans | undefined
  readonly pace: Pace
}

/** One series with what is asked of it, before what is final. */
export interface PlanWant {
  readonly want: WantedSeries
  readonly window: Window
}

/** The plan of a fetch by what is stored alone: the gateway is not asked, so an instrument not yet stored is one whole gap. */
export async function planFetch(request: FetchRequest, store: Store, options: PlanOptions): Promise<Plan> {
  const names = request.instruments.map((text) => text.trim().toUpperCase())
  const stored = new Map((await store.listings(names)).map(({ name, ...listing }) => [name, listing]))
  const known = names.map(
    (name): Plannable => stored.get(name) ?? { instrumentId: name, secType: parseInstrument(name).secType, ...UNKNOWN },
  )
  const wants = wantedSeries(request, known).map((want) => ({ want, window: request.window }))
  return planSeries(wants, store, options)
}

/** The plan of series and their windows, by what is stored alone: three queries, however many they are. */
export async function planSeries(wants: readonly PlanWant[], store: Store, options: PlanOptions): Promise<Plan> {
  const { nowSec, spans, pace } = options
  const wanted = wants.map(({ want, window }) => {
    const { instrumentId, spec, hours } = want
    const final = wantedWindow(window, want, nowSec)
    return { want, window: final, key: { instrumentId, spec: formatSpec(spec), hours } }
  })
  const final = wanted.flatMap(({ key, window }) => (window ? [{ key, window }] : []))
  const [uncovered, spanOf, refused] = await Promise.all([
    store.uncovered(final),
    knownSpans(store, spans, nowSec),
    store.refusals([...new Set(wants.map(({ want }) => want.instrumentId))]),
  ])
  const refusals = refusalsOf(refused)
  let next = 0
  const series = wanted.map(({ want, window, key }): PlannedSeries & { parsed: BarSpec } => {
    const missing = window ? (uncovered[next++] ?? []) : []
    const unavailable = window
      ? unavailableFor(want, window, nowSec).flatMap(({ windows, why }) => {
          const open = within(missing, windows)
          return open.length > 0 ? [{ windows: open, why }] : []
        })
      : []
    const gaps = subtract(
      missing,
      unavailable.flatMap(({ windows }) => windows),
    )
    const requests = isToNow(want) ? Math.min(gaps.length, 1) : countChunks(gaps, spanOf(want))
    const refusal = refusals.get(`${key.instrumentId} ${key.spec}`) ?? refusals.get(key.instrumentId)
    const weight = requests * smallBarWeight(want.spec)
    return { ...key, wanted: window, gaps, requests, weight, unavailable, refusal, parsed: want.spec }
  })
  const { sec, boundBy } = pacedSec(
    series.map(({ instrumentId, parsed, requests }) => ({ contract: instrumentId, spec: parsed, count: requests })),
    pace,
  )
  return {
    series: series.map(({ parsed: _, ...planned }) => planned),
    requests: series.reduce((sum, one) => sum + one.requests, 0),
    weight: series.reduce((sum, one) => sum + one.weight, 0),
    expectedSec: sec,
    boundBy,
  }
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
