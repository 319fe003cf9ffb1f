import type { MarketBar } from '../market/types.ts'
import { type Gateway, nowSec } from './gateway.ts'
import type { HistoryPlan } from './history.ts'

const DAY_SECONDS = 86_400
/** No market is closed for longer. */
const LONGEST_BREAK_DAYS = 14

/** The plan as a gateway that leaks follows it: all hours where regular ones were asked for, in durations of seconds. */
export function leaky(gateway: Gateway, plan: HistoryPlan): HistoryPlan {
  return gateway.faults.rthLeak && plan.duration.unit === 'S' ? { ...plan, useRTH: false } : plan
}

/** Bars from before the window that come with the reply, oldest first. */
export function barsBefore(gateway: Gateway, plan: HistoryPlan): readonly MarketBar[] {
  const { overlapBars } = gateway.faults
  if (overlapBars <= 0) return []
  const { listing, size, whatToShow, useRTH, window } = plan
  const query = { listing, barSize: size.name, whatToShow, useRTH, endSec: window.startSec, nowSec: nowSec(gateway) }
  const longest = overlapBars * size.seconds * 8 + LONGEST_BREAK_DAYS * DAY_SECONDS
  // Looks no further back than it must: two weeks of seconds are over a million bars.
  for (let reach = overlapBars * size.seconds; ; reach *= 4) {
    const bars = gateway.market.bars({ ...query, startSec: window.startSec - Math.min(reach, longest) })
    if (bars.length >= overlapBars || reach >= longest) return bars.slice(-overlapBars)
  }
}

/** A reply's bars with what the faults make of them: sentinels for numbers, and edges told twice. */
export function distorted(
  gateway: Gateway,
  bars: readonly MarketBar[],
  edges: { readonly first: boolean; readonly last: boolean },
): readonly MarketBar[] {
  const { noVolume, doubleEdges } = gateway.faults
  const numbered = noVolume ? bars.map((bar) => ({ ...bar, volume: -1, wap: -1, count: -1 })) : bars
  if (!doubleEdges) return numbered
  return [...(edges.first ? numbered.slice(0, 1) : []), ...numbered, ...(edges.last ? numbered.slice(-1) : [])]
}
