import {
  chunksOf,
  closedSpanSec,
  countChunks,
  finalUntil,
  isToNow,
  joinClosed,
  type KnownSessions,
  newestChunks,
  type Spans,
  type Stretch,
  subtract,
  type Unavailable,
  unavailableFor,
  type Window,
} from '@tidegate/core'
import type { ChunkPlan, Series, Store } from '@tidegate/db'
import { storedOpenings } from './openings.ts'
import type { WantedSeries } from './planning.ts'
import { knownSpans } from './spans.ts'

/** One run's most chunks: they are put down in one statement. What is beyond is planned once they are done. */
export const MOST_CHUNKS = 10_000
/** A series that is answered up to now only is asked whole so seldom, seconds: once for each day's end. */
const WHOLE_EVERY_SEC = 20 * 3600

/** A series with the part of its window that is wanted and final. */
export interface WantedPart {
  readonly want: WantedSeries
  readonly series: Pick<Series, 'id'>
  readonly window: Window
}

export interface GappedPart extends WantedPart {
  /** What of the window is to be asked: neither covered, nor asked for, nor lately given up. */
  readonly gaps: readonly Window[]
}

export interface Cut {
  readonly chunks: ChunkPlan[]
  /** Requests that are left for later runs. */
  readonly remaining: number
}

export interface CutOptions {
  readonly nowSec: number
  /** By which clock IBKR's rules of what it keeps go, epoch seconds (`Origin.keptSec`). */
  readonly keptSec: number
  /** What failed or was parked at or after this instant is left alone, epoch seconds; undefined: it is asked again. */
  readonly givenUpSince?: number | undefined
  readonly spans?: Spans | undefined
  /** Default 10,000. */
  readonly most?: number | undefined
}

/** A chunk for every gap of the series: the store's gaps, cut as `cutChunks` does. */
export async function planChunks(wanted: readonly WantedPart[], store: Store, options: CutOptions): Promise<Cut> {
  const { givenUpSince } = options
  const gaps = await store.gaps(
    wanted.map(({ series, window }) => ({ seriesId: series.id, window })),
    { givenUpSince },
  )
  return cutChunks(
    wanted.map((part, i) => ({ ...part, gaps: gaps[i]?.windows ?? [] })),
    store,
    options,
  )
}

/**
 * The chunks that close the gaps. What can never be had is covered as unavailable first, and not asked. Of more than `most`
 * the newest of every series, in turns, for the newest data are wanted most; the rest is counted.
 */
export async function cutChunks(parts: readonly GappedPart[], store: Store, options: CutOptions): Promise<Cut> {
  const { nowSec, keptSec, spans, most = MOST_CHUNKS } = options
  const gapped = parts.filter(({ gaps }) => gaps.length > 0)
  if (gapped.length === 0) return { chunks: [], remaining: 0 }
  const askable = await withoutUnavailable(gapped, store, keptSec)
  if (askable.length === 0) return { chunks: [], remaining: 0 }
  const spanOf = await knownSpans(store, spans, nowSec)
  const whole = await wholeChunks(askable, store, options)
  const openingsOf = await storedOpenings(askable, store, spanOf)
  let total = 0
  const lanes = askable.map(({ want, series, gaps }) => {
    const spanSec = spanOf(want)
    const openings = openingsOf(want)
    const listed = isToNow(want) ? (whole.get(series.id) ?? []) : openings && stretchesOf(gaps, want, spanSec, openings)
    total += listed ? listed.length : countChunks(gaps, spanSec)
    return { seriesId: series.id, windows: listed ? listed.toReversed().values() : newestChunks(gaps, spanSec) }
  })
  const chunks = inTurns(lanes, most)
  return { chunks, remaining: total - chunks.length }
}

/** The gaps cut where requests can be, a closed market's put together. */
export function stretchesOf(
  gaps: readonly Window[],
  want: WantedSeries,
  spanSec: number,
  openings: KnownSessions,
): Stretch[] {
  return joinClosed(chunksOf(gaps, spanSec), openings, { spanSec, mostSec: closedSpanSec(want, spanSec) })
}

type Askable = GappedPart & { readonly unavailable: readonly Unavailable[] }

/** The parts whose gaps can be had at least in part; the rest of the gaps is covered as unavailable. */
async function withoutUnavailable(parts: readonly GappedPart[], store: Store, keptSec: number): Promise<Askable[]> {
  const marks: ChunkPlan[] = []
  const askable: Askable[] = []
  for (const part of parts) {
    const unavailable = unavailableFor(part.want, part.window, keptSec)
    if (unavailable.length === 0) {
      askable.push({ ...part, unavailable })
      continue
    }
    const gaps = subtract(
      part.gaps,
      unavailable.flatMap(({ windows }) => windows),
    )
    for (const window of subtract(part.gaps, gaps)) marks.push({ seriesId: part.series.id, window })
    if (gaps.length > 0) askable.push({ ...part, gaps, unavailable })
  }
  if (marks.length > 0) await store.markUnavailable(marks)
  return askable
}

/**
 * What to ask of series that IBKR answers up to now only, by their ids. A dividend changes all of their past, so the whole
 * window is asked again by one request, up to what is final now; but only where that was not answered lately, and in between
 * only from the first gap on. While one request is open there is no second.
 */
async function wholeChunks(
  parts: readonly Askable[],
  store: Store,
  options: CutOptions,
): Promise<Map<number, Window[]>> {
  const { nowSec, givenUpSince } = options
  const wholes = parts.flatMap(({ want, series, window, gaps, unavailable }) => {
    if (!isToNow(want)) return []
    const end = Math.max(window.end, finalUntil(want.spec, nowSec, want))
    const windows = unavailable.flatMap((one) => one.windows)
    const start = subtract([{ start: window.start, end }], windows)[0]?.start
    const first = gaps[0]?.start
    return start === undefined || first === undefined ? [] : [{ seriesId: series.id, start, first, end }]
  })
  if (wholes.length === 0) return new Map()
  const states = await store.wholes(wholes, { answeredSince: nowSec - WHOLE_EVERY_SEC, givenUpSince })
  return new Map(
    wholes.flatMap(({ seriesId, start, first, end }, i): [number, Window[]][] => {
      const state = states[i]
      if (state === 'open' || state === 'given-up') return []
      return [[seriesId, [{ start: state === 'answered' ? first : start, end }]]]
    }),
  )
}

/** The first of every lane, then the second of every lane, and so on, at most so many. */
function inTurns(
  lanes: readonly { readonly seriesId: number; readonly windows: Iterator<Window> }[],
  most: number,
): ChunkPlan[] {
  const chunks: ChunkPlan[] = []
  for (let rest = lanes; rest.length > 0; ) {
    const going: (typeof rest)[number][] = []
    for (const lane of rest) {
      if (chunks.length >= most) return chunks
      const { value, done } = lane.windows.next()
      if (done) continue
      chunks.push({ seriesId: lane.seriesId, window: { start: value.start, end: value.end } })
      going.push(lane)
    }
    rest = going
  }
  return chunks
}
