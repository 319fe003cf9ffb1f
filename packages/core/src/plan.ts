import { MONDAY_SEC } from './finality.ts'
import { gridSec } from './grid.ts'
import { type BarSpec, isDated } from './spec.ts'
import type { Window } from './window.ts'

/**
 * The windows to ask for, one request each, that together are exactly the gaps, none longer than `spanSec`.
 * Cut on a fixed grid, so that two planners that see the same gap cut it alike.
 */
export function chunksOf(gaps: readonly Window[], spanSec: number): Window[] {
  return [...newestChunks(gaps, spanSec)].reverse()
}

/** What `chunksOf` gives, the newest first and one at a time: of years of small bars there are more than anybody takes at once. */
export function* newestChunks(gaps: readonly Window[], spanSec: number): Generator<Window, void> {
  for (const gap of gaps.toReversed()) {
    let { end } = gap
    while (end > gap.start) {
      const start = Math.max(cellOf(end - 1, spanSec) * spanSec + MONDAY_SEC, gap.start)
      yield { start, end }
      end = start
    }
  }
}

/** How many windows `chunksOf` would cut these gaps into, without cutting them. */
export function countChunks(gaps: readonly Window[], spanSec: number): number {
  return gaps.reduce(
    (sum, { start, end }) => sum + (end > start ? cellOf(end - 1, spanSec) - cellOf(start, spanSec) + 1 : 0),
    0,
  )
}

function cellOf(sec: number, spanSec: number): number {
  return Math.floor((sec - MONDAY_SEC) / spanSec)
}

/** A window to ask for. `closed`: the market's own schedule has no session in it. */
export interface Stretch extends Window {
  readonly closed: boolean
}

/**
 * The chunks with those of closed markets put together, so that they cost no requests of their own: with each other up to
 * `mostSec`, and with a neighbour that they lengthen to no more than `spanSec`. The same instants, in order. Both lists of
 * the schedule are ordered: outside of what is known everything may be open.
 */
export function joinClosed(
  chunks: readonly Window[],
  schedule: { readonly known: readonly Window[]; readonly sessions: readonly Window[] },
  { spanSec, mostSec }: { readonly spanSec: number; readonly mostSec: number },
): Stretch[] {
  const known = lookup(schedule.known)
  const session = lookup(schedule.sessions)
  const joined: Stretch[] = []
  for (const { start, end } of chunks) {
    const asked = known(start)
    const opened = session(start)
    const closed = asked !== undefined && asked.start <= start && end <= asked.end && !(opened && opened.start < end)
    const last = joined.at(-1)
    const touching = last?.end === start ? last : undefined
    const most = closed && touching?.closed ? mostSec : closed || touching?.closed ? spanSec : 0
    if (touching && end - touching.start <= most) {
      joined[joined.length - 1] = { start: touching.start, end, closed: closed && touching.closed }
    } else joined.push({ start, end, closed })
  }
  return joined
}

/** The first of ordered windows that ends after an instant, for instants that only grow. */
function lookup(windows: readonly Window[]): (sec: number) => Window | undefined {
  let at = 0
  return (sec) => {
    while ((windows[at]?.end ?? Number.POSITIVE_INFINITY) <= sec) at++
    return windows[at]
  }
}

/** A wanted window on the bars' own grid: whole days for daily and longer bars, whole minutes or bars otherwise. Undefined when nothing is left. */
export function alignWindow(window: Window, spec: BarSpec): Window | undefined {
  const grid = gridSec(spec)
  const start = Math.floor(window.start / grid) * grid
  const end = isDated(spec) ? Math.ceil(window.end / grid) * grid : Math.floor(window.end / grid) * grid
  return start < end ? { start, end } : undefined
}
