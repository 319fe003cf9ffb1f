import {
  type BarColumns,
  barSize,
  compareBars,
  durationFor,
  gridSec,
  isToNow,
  keepBars,
  longestSec,
  OVERLAP_BARS,
  pickBars,
  requestEnd,
  type SeriesShape,
  type Spans,
  type Window,
} from '@tidegate/core'
import type { Claim, FoundSplit, Store } from '@tidegate/db'
import type { Asked } from './ask.ts'
import { specOf } from './planning.ts'
import { differing, type Now, splitOf } from './split.ts'

/** A stored neighbour is reached for where it is no further away than a long weekend. */
const NEIGHBOURS = { count: OVERLAP_BARS, withinSec: 5 * 86_400 }

/** What stored bars say of an answer. */
export type Overlap =
  /** It is of their scale. `corrections`: bars outside of its window that are stored and came otherwise; none, as a rule. */
  | { readonly kind: 'agrees'; readonly corrections: BarColumns }
  /** IBKR tells the series anew. */
  | { readonly kind: 'split'; readonly found: FoundSplit }
  /** No bar that both have says that it is. */
  | { readonly kind: 'unproven'; readonly corrections: BarColumns }

export function shapeOf({ series, instrument }: Pick<Claim, 'series' | 'instrument'>): SeriesShape {
  return { spec: specOf(series), secType: instrument.details.contract.secType, hours: series.hours }
}

/**
 * The window to ask for so that the answer overlaps what is stored on either side: the claim's, and some bars next to it, as far
 * as the request stays of the same kind; also where nothing is stored yet, for that may change while it is asked. What reaches
 * up to now overlaps what is behind the window anyway, and durations in days and longer what is before it.
 */
export async function windowAround(
  claim: Claim,
  store: Store,
  nowSec: number,
  spans: Spans = 'documented',
): Promise<Window> {
  const { window } = claim
  // A second opinion is about the window alone: bars around it would take the place of IBKR's "no data".
  if (claim.doubts > 0 || claim.adjustmentId !== undefined) return window
  const shape = shapeOf(claim)
  const after = await store.furthestFrom(claim.series.id, window.end, NEIGHBOURS)
  // Durations in seconds count trading time: so many bars back are there, whatever was closed in between.
  const start = window.start - OVERLAP_BARS * barSize(shape.spec).sec
  const near = window.end + OVERLAP_BARS * gridSec(shape.spec)
  const ends = after === undefined ? [near] : [after + gridSec(shape.spec), near]
  const wider = [
    ...ends.map((end) => ({ start, end })),
    ...ends.map((end) => ({ start: window.start, end })),
    { start, end: window.end },
  ]
  return wider.find((wide) => isAlike(window, wide, shape, { nowSec, spans })) ?? window
}

/**
 * Whether the wider window takes no other kind of request: no longer unit, nothing past what IBKR's tables allow, and at most a
 * fifth more, or a session, as a weekend takes: what lies open and is not stored between the two is another chunk's to ask.
 */
function isAlike(
  window: Window,
  wide: Window,
  shape: SeriesShape,
  { nowSec, spans }: { readonly nowSec: number; readonly spans: Spans },
): boolean {
  const end = requestEnd(window, shape)
  const wideEnd = requestEnd(wide, shape)
  if (end === undefined || wideEnd === undefined) return false
  if (wide.end > window.end && wideEnd >= nowSec) return false
  const [count, unit] = durationFor({ start: window.start, end }, shape)?.split(' ') ?? []
  const [wideCount, wideUnit] = durationFor({ start: wide.start, end: wideEnd }, shape)?.split(' ') ?? []
  if (unit === undefined || unit !== wideUnit) return false
  const more = unit === 'D' ? Math.max(1, Math.floor(Number(count) / 5)) : 0
  if (unit !== 'S') return wide.start === window.start && Number(wideCount) <= Number(count) + more
  return Number(wideCount) <= Math.max(Number(count), longestSec(barSize(shape.spec).sec, spans))
}

/**
 * Compares what came from outside of the claim's window with what is stored there. Of series that IBKR tells anew at every
 * dividend (ADJUSTED_LAST, continuous futures) any difference means all of it. Where all that is stored there differs, and not
 * as by a split, it is not enough to tell.
 */
export async function overlapOf(claim: Claim, { whole, wholeUntil }: Asked, store: Store, now: Now): Promise<Overlap> {
  const { window, series } = claim
  const [start] = whole.t
  const none: Overlap = { kind: 'unproven', corrections: pickBars(whole, []) }
  if (start === undefined) return none
  const outside = (t: number) => t < window.start || t >= window.end
  const limit = whole.t.length + NEIGHBOURS.count
  const near = keepBars(await store.bars(series.id, { start, end: wholeUntil }, limit), outside)
  if (near.t.length === 0) return none
  const tick = claim.instrument.details.minTick || 0
  let stored = near
  let compared = compareBars(stored, whole, tick)
  if (compared.kind !== 'same') {
    const since = await store.scaleSince(series.id)
    if (since !== undefined) stored = keepBars(near, (t) => t >= since)
    compared = compareBars(stored, whole, tick)
  }
  const corrections = differing(stored, whole)
  const isWhole = isToNow(shapeOf(claim))
  if (compared.kind === 'split' || (compared.kind === 'changed' && isWhole)) {
    const found = splitOf(claim, compared, { stored, came: whole }, now)
    return found ? { kind: 'split', found } : { kind: 'agrees', corrections }
  }
  return { kind: compared.agreeing > 0 ? 'agrees' : 'unproven', corrections }
}
