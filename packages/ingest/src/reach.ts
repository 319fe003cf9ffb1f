import { formatSpec, intersect, isToNow, subtract } from '@tidegate/core'
import type { LearnedSpan, Store } from '@tidegate/db'
import type { GappedPart } from './cutting.ts'
import { FORGET_SEC } from './spans.ts'

const DAY_SEC = 86_400

/**
 * What IBKR answers up to now only, no further back than requests have lately been answered in time (`halveChunk`): a schedule
 * does not ask each time for what timed out. What lies before stays a gap, is asked for by hand, and by itself once that is
 * forgotten. Everything else as it is; a query where there is anything of the kind.
 */
export async function withinReach<Part extends GappedPart>(
  parts: readonly Part[],
  store: Pick<Store, 'spans'>,
  nowSec: number,
): Promise<Part[]> {
  if (!parts.some(({ want }) => isToNow(want))) return [...parts]
  const learned = await store.spans(nowSec - FORGET_SEC)
  return parts.flatMap((part) => {
    const reach = isToNow(part.want) ? reachOf(part, learned) : undefined
    if (reach === undefined) return [part]
    const { end } = part.window
    const window = intersect(part.window, { start: reachedFrom(end, reach), end })
    if (!window) return []
    const gaps = subtract(part.gaps, [{ start: part.window.start, end: window.start }])
    return gaps.length > 0 ? [{ ...part, window, gaps }] : []
  })
}

/**
 * Where a request up to `end` begins that is to reach back about so far: of days at the start of one, for an answer that begins
 * amid a day does not always show that it is whole.
 */
export function reachedFrom(end: number, reachSec: number): number {
  const start = end - reachSec
  return reachSec < 2 * DAY_SEC ? start : Math.floor(start / DAY_SEC) * DAY_SEC
}

function reachOf({ want: { spec, secType, hours } }: GappedPart, learned: readonly LearnedSpan[]): number | undefined {
  const text = formatSpec(spec)
  return learned.find((one) => one.spec === text && one.secType === secType && one.hours === hours)?.spanSec
}
