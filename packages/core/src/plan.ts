import { gridSec, MONDAY_SEC } from './finality.ts'
import { type BarSpec, isDated } from './spec.ts'
import { intersect, merge, type Window } from './window.ts'

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

/**
 * The chunks with those that hold no second of a session put together, so that a closed market costs no requests of its
 * own: with each other up to `mostSec`, and with a neighbour that they lengthen to no more than `spanSec`. The same
 * instants, in order. `sessions` must be all of them within the chunks.
 */
export function joinClosed(
  chunks: readonly Window[],
  sessions: readonly Window[],
  { spanSec, mostSec }: { readonly spanSec: number; readonly mostSec: number },
): Window[] {
  const open = merge(sessions)
  const joined: { window: Window; closed: boolean }[] = []
  let at = 0
  for (const window of chunks) {
    while (at < open.length && (open[at]?.end ?? 0) <= window.start) at++
    const session = open[at]
    const closed = !session || !intersect(session, window)
    const last = joined.at(-1)
    const lengthSec = last && last.window.end === window.start ? window.end - last.window.start : undefined
    const most = closed && last?.closed ? mostSec : closed || last?.closed ? spanSec : 0
    if (last && lengthSec !== undefined && lengthSec <= most) {
      joined[joined.length - 1] = {
        window: { start: last.window.start, end: window.end },
        closed: closed && last.closed,
      }
    } else joined.push({ window, closed })
  }
  return joined.map((one) => one.window)
}

/** A wanted window on the bars' own grid: whole days for daily and longer bars, whole minutes or bars otherwise. Undefined when nothing is left. */
export function alignWindow(window: Window, spec: BarSpec): Window | undefined {
  const grid = gridSec(spec)
  const start = Math.floor(window.start / grid) * grid
  const end = isDated(spec) ? Math.ceil(window.end / grid) * grid : Math.floor(window.end / grid) * grid
  return start < end ? { start, end } : undefined
}
