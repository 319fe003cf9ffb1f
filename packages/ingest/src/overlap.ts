import {
  type BarColumns,
  barSize,
  COLUMNS,
  chunkSpanSec,
  compareBars,
  durationFor,
  gridSec,
  isToNow,
  keepBars,
  pickBars,
  reachSec,
  requestEnd,
  type SeriesShape,
  unavailableFor,
  type Window,
} from '@tidegate/core'
import type { Claim, FoundSplit, Store } from '@tidegate/db'
import type { Asked } from './ask.ts'
import { plannable, specOf } from './planning.ts'

/** Stored bars that a request takes in on either side of its window, where they are no further away than a long weekend. */
const NEIGHBOURS = { count: 5, withinSec: 5 * 86_400 }
const DAY_SEC = 86_400

/** What stored bars around a window say of its answer. */
export type Overlap =
  /** Bars that are stored and came otherwise; none, as a rule. */
  | { readonly corrections: BarColumns; readonly found?: undefined }
  /** IBKR tells the series anew. */
  | { readonly found: FoundSplit }

export function shapeOf({ series, instrument }: Pick<Claim, 'series' | 'instrument'>): SeriesShape {
  return { spec: specOf(series), secType: instrument.details.contract.secType, hours: series.hours }
}

/**
 * The window to ask for so that the answer overlaps what is stored on either side: the claim's, and bars next to it, as far
 * as the request stays of the same kind. What reaches up to now overlaps what is behind the window anyway, and durations in
 * days and longer what is before it.
 */
export async function windowAround(claim: Claim, store: Store, nowSec: number): Promise<Window> {
  const { window } = claim
  // A second opinion is about the window alone: bars around it would take the place of IBKR's "no data".
  if (claim.doubts > 0 || claim.adjustmentId !== undefined) return window
  const { before, after } = await store.neighbours(claim.series.id, window, NEIGHBOURS)
  const shape = shapeOf(claim)
  const { sec } = barSize(shape.spec)
  // Durations in seconds count trading time: so many bars back are there, whatever was closed in between.
  const start = before === undefined ? window.start : window.start - NEIGHBOURS.count * sec
  const end = after === undefined ? window.end : after + gridSec(shape.spec)
  const wider = [
    { start, end },
    { start: window.start, end },
    { start, end: window.end },
  ]
  return wider.find((wide) => isAlike(window, wide, shape, nowSec)) ?? window
}

/** Whether the wider window takes no other kind of request: no longer unit, and nothing past what IBKR documents. */
function isAlike(window: Window, wide: Window, shape: SeriesShape, nowSec: number): boolean {
  const end = requestEnd(window, shape)
  const wideEnd = requestEnd(wide, shape)
  if (end === undefined || wideEnd === undefined) return false
  if (wide.end > window.end && wideEnd >= nowSec) return false
  const [count, unit] = durationFor({ start: window.start, end }, shape)?.split(' ') ?? []
  const [wideCount, wideUnit] = durationFor({ start: wide.start, end: wideEnd }, shape)?.split(' ') ?? []
  if (unit === undefined || unit !== wideUnit) return false
  if (unit === 'D') return wide.start === window.start
  if (unit !== 'S') return count === wideCount && wide.start === window.start
  const { sec } = barSize(shape.spec)
  // Of 1-second bars IBKR documents some more than a chunk has.
  const most = sec === 1 || sec === 60 ? Number.POSITIVE_INFINITY : chunkSpanSec(shape)
  return Number(wideCount) <= Math.max(Number(count), most)
}

/**
 * Compares what came from outside of the claim's window with what is stored there. The reply's first bar is left out: a
 * duration may begin in its midst. Of series that IBKR tells anew at every dividend (ADJUSTED_LAST, continuous futures) any
 * difference means all of it.
 */
export async function overlapOf(
  claim: Claim,
  { reply, wholeUntil }: Asked,
  store: Store,
  nowSec: number,
): Promise<Overlap> {
  const { window, series } = claim
  const [, start] = reply.bars.t
  const none: Overlap = { corrections: pickBars(reply.bars, []) }
  if (start === undefined || start >= wholeUntil) return none
  const outside = (t: number) => t < window.start || t >= window.end
  const stored = keepBars(
    await store.bars(series.id, { start, end: wholeUntil }, reply.bars.t.length + NEIGHBOURS.count),
    outside,
  )
  if (stored.t.length === 0) return none
  const shape = shapeOf(claim)
  const compared = compareBars(stored, reply.bars, claim.instrument.details.minTick || 0)
  const corrections = differing(stored, reply.bars)
  if (compared.kind === 'same') return { corrections }
  const isWhole = isToNow(shape)
  if (compared.kind === 'changed' && !isWhole) return { corrections }
  const last = compared.kind === 'split' ? compared.last : (compared.at.at(-1) ?? 0)
  const agreesFrom = compared.kind === 'split' ? compared.agreesFrom : undefined
  const before = isWhole || last < window.start ? window.start : (agreesFrom ?? nowSec)
  const since = sinceFor(claim, before, nowSec)
  // Nothing of it can be had any more: what came stands beside what is stored.
  if (since !== undefined && since >= before) return { corrections }
  const ratio = compared.kind === 'split' ? compared.ratio : ratioAt(stored, reply.bars, last)
  return { found: { ratio, since, before } }
}

/** From where on bars can be had again, epoch seconds, with a day to spare; undefined: all of them. */
function sinceFor({ instrument, series }: Claim, before: number, nowSec: number): number | undefined {
  const want = { ...plannable(instrument), spec: specOf(series), hours: series.hours }
  const old = unavailableFor(want, { start: 0, end: before }, nowSec).flatMap(({ windows }) => windows)
  const ends = old.filter(({ start }) => start === 0).map(({ end }) => end + DAY_SEC)
  if (isToNow(want)) ends.push(nowSec - reachSec(want) + DAY_SEC)
  const since = Math.max(...ends)
  return since > 0 ? Math.ceil(since / DAY_SEC) * DAY_SEC : undefined
}

function ratioAt(stored: BarColumns, came: BarColumns, t: number): number {
  const [old, now] = [stored.c[stored.t.indexOf(t)], came.c[came.t.indexOf(t)]]
  return old && now ? now / old : 1
}

/** The bars that came and are stored otherwise, be it in their volume alone. */
function differing(stored: BarColumns, came: BarColumns): BarColumns {
  const at = new Map(stored.t.map((t, i) => [t, i]))
  const positions = came.t.flatMap((t, j) => {
    const i = at.get(t)
    return i !== undefined && COLUMNS.some((key) => stored[key][i] !== came[key][j]) ? [j] : []
  })
  return pickBars(came, positions)
}
