import { type BarSpec, barSize } from './spec.ts'

/** Small bars (≤ 30 s): IBKR's hard limits are theirs (TWS API documentation, "Historical Data Limitations"). */
const SMALL_BAR_SEC = 30
/** Weight in any ten minutes, BID_ASK counting twice. */
const SMALL = { limit: 60, perSec: 600 }
/** Fewer than six requests within two seconds for one contract and type of data. */
const CONTRACT = { limit: 5, perSec: 2 }

/** How much one request of this spec weighs in the small-bar budget; 0 for bars of a minute and longer. */
export function smallBarWeight(spec: BarSpec): number {
  if (barSize(spec).sec > SMALL_BAR_SEC) return 0
  return spec.price === 'BID_ASK' ? 2 : 1
}

/** What else paces a login, beside the small bars' rules. */
export interface Pace {
  /** Messages a second, of which each request is one. */
  readonly perSecond: number
  /** Requests open at once. */
  readonly open: number
  /** What an answer takes, as a rule, seconds: IBKR holds back bars of a minute and more by answering slower. */
  readonly answerSec: number
  /** How many logins share the work, each with all of this for itself. Default 1. */
  readonly logins?: number
}

/** The rule that a plan's time is due to. */
export type Bound = 'messages' | 'small bars' | 'one contract' | 'open requests'

export interface Paced {
  /** Whole seconds until the last request may go and is answered; 0 where there is nothing to ask. */
  readonly sec: number
  /** The rule that takes longest; undefined where none takes a second. */
  readonly boundBy: Bound | undefined
}

/**
 * The time that requests take under every rule of IBKR's that binds, after a quiet spell: the rules hold side by side, so
 * the slowest of them counts. `contract` tells one contract from another.
 */
export function pacedSec(
  requests: readonly { readonly contract: string; readonly spec: BarSpec; readonly count: number }[],
  { perSecond, open, answerSec, logins = 1 }: Pace,
): Paced {
  let [count, weight] = [0, 0]
  const small = new Map<string, number>()
  for (const { contract, spec, count: own } of requests) {
    const heavy = smallBarWeight(spec)
    count += own
    weight += own * heavy
    const lane = `${contract} ${spec.price}`
    if (heavy > 0) small.set(lane, (small.get(lane) ?? 0) + own)
  }
  // A budget that is full at the start: what fits goes at once, and each window after it as much again.
  const waits = (total: number, { limit, perSec }: typeof SMALL) =>
    Math.max(0, Math.ceil(total / (limit * logins)) - 1) * perSec
  let lanes = 0
  for (const own of small.values()) lanes = Math.max(lanes, waits(own, CONTRACT))
  const bounds: readonly (readonly [Bound, number])[] = [
    ['small bars', waits(weight, SMALL)],
    ['open requests', (count * answerSec) / (open * logins)],
    ['one contract', lanes],
    ['messages', count / (perSecond * logins)],
  ]
  const [boundBy, sec] = bounds.reduce((most, bound) => (bound[1] > most[1] ? bound : most))
  return { sec: Math.floor(sec), boundBy: sec >= 1 ? boundBy : undefined }
}
