import { gridSec, MONDAY_SEC } from './finality.ts'
import { chunkSpanSec, type SeriesShape } from './request.ts'
import { type BarSpec, barSize, isDated } from './spec.ts'
import type { Window } from './window.ts'

/**
 * The windows to ask for, one request each, that together are exactly the gaps.
 * Cut on a fixed grid, so that two planners that see the same gap cut it alike.
 */
export function chunksOf(gaps: readonly Window[], shape: SeriesShape): Window[] {
  const span = chunkSpanSec(shape)
  const chunks: Window[] = []
  for (const gap of gaps) {
    let { start } = gap
    while (start < gap.end) {
      const cell = Math.floor((start - MONDAY_SEC) / span) * span + MONDAY_SEC
      const end = Math.min(cell + span, gap.end)
      chunks.push({ start, end })
      start = end
    }
  }
  return chunks
}

/** How many windows `chunksOf` would cut these gaps into, without cutting them. */
export function countChunks(gaps: readonly Window[], shape: SeriesShape): number {
  const span = chunkSpanSec(shape)
  const cell = (sec: number) => Math.floor((sec - MONDAY_SEC) / span)
  return gaps.reduce((sum, { start, end }) => sum + (end > start ? cell(end - 1) - cell(start) + 1 : 0), 0)
}

/** A wanted window on the bars' own grid: whole days for daily and longer bars, whole minutes or bars otherwise. Undefined when nothing is left. */
export function alignWindow(window: Window, spec: BarSpec): Window | undefined {
  const grid = gridSec(spec)
  const start = Math.floor(window.start / grid) * grid
  const end = isDated(spec) ? Math.ceil(window.end / grid) * grid : Math.floor(window.end / grid) * grid
  return start < end ? { start, end } : undefined
}

/** Small bars (≤ 30 s): 60 requests in any ten minutes, BID_ASK counting twice (IBKR, "Historical Data Limitations"). */
const SMALL_BAR_SEC = 30
const SMALL_WEIGHT = { limit: 60, perSec: 600 }

/** How much one request of this spec weighs in the small-bar budget; 0 for bars of a minute and longer. */
export function smallBarWeight(spec: BarSpec): number {
  if (barSize(spec).sec > SMALL_BAR_SEC) return 0
  return spec.price === 'BID_ASK' ? 2 : 1
}

/**
 * The least time pacing leaves for these requests, seconds: `perSecond` messages a second for all,
 * and the ten-minute budget for small bars, whose first 60 may go at once.
 */
export function pacedSec(
  requests: readonly { readonly spec: BarSpec; readonly count: number }[],
  perSecond: number,
): number {
  const count = requests.reduce((sum, r) => sum + r.count, 0)
  const weight = requests.reduce((sum, r) => sum + r.count * smallBarWeight(r.spec), 0)
  const windows = Math.max(0, Math.ceil(weight / SMALL_WEIGHT.limit) - 1)
  return Math.max(Math.floor(count / perSecond), windows * SMALL_WEIGHT.perSec)
}
