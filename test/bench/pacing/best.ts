import type { Load } from './mixes.ts'

/** IBKR's rules and our own limits below them, written out once more: a bench that asks pacing what is best proves nothing. */
const MESSAGES_PER_SEC = 45
const OPEN = 32
const SMALL = { weight: 60, perSec: 600 }

/** The least time, seconds, in which these requests can be sent, whoever sends them: what the tightest rule asks for. */
export function bestSec(loads: readonly Load[]): number {
  const count = loads.reduce((sum, load) => sum + load.count, 0)
  const weight = loads.reduce((sum, load) => sum + load.count * weightOf(load), 0)
  // The last request goes when every place has been used in turn for all that went before it.
  const busySec = loads.reduce((sum, load) => sum + (load.count * load.lastsMs) / 1000, 0)
  const longestSec = Math.max(...loads.map((load) => load.lastsMs)) / 1000
  return Math.max(
    Math.ceil(count / MESSAGES_PER_SEC) - 1,
    (Math.ceil(weight / SMALL.weight) - 1) * SMALL.perSec,
    busySec / OPEN - longestSec,
  )
}

function weightOf({ rule: { kind, barSec = 0, whatToShow } }: Load): number {
  if (kind === 'bars' && barSec > 30) return 0
  return whatToShow === 'BID_ASK' ? 2 : 1
}
