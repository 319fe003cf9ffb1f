import { createMessageJudge, MAX_MESSAGES_PER_SECOND, type MessageJudge } from './judge/messages.ts'
import { createWindow } from './judge/window.ts'

/*
 * IBKR's pacing rules as it publishes them ("Historical Data Limitations", "Pacing Violations"; the message rate under
 * "Architecture"), judged with no margin: whoever keeps them to the millisecond passes, whoever misses by one does not.
 */

/** Bars of this length and shorter fall under the rules below; for a minute and longer "the hard limits are lifted". */
export const SMALL_BAR_SEC = 30
/** More than 60 requests within any ten minutes are a violation. */
export const MAX_SMALL_WEIGHT = 60
export const SMALL_WINDOW_MS = 600_000
/** "Six or more historical data requests for the same contract, exchange and tick type within two seconds." */
export const SAME_CONTRACT_LIMIT = 6
export const SAME_CONTRACT_WINDOW_MS = 2000
/** "Identical historical data requests within 15 seconds." */
export const IDENTICAL_WINDOW_MS = 15_000
/** "The maximum number of simultaneous open historical data requests." */
export const MAX_OPEN_REQUESTS = 50

export type PacingRule = 'messages' | 'small' | 'same-contract' | 'identical' | 'open'

/** A rule broken, and by how much. */
export interface Violation {
  readonly rule: PacingRule
  readonly atMs: number
  /** What was in the window with this one: messages, weight, requests. Where it is over the limit, it is a breach. */
  readonly count: number
  /** For people: the rule, the count and the request. */
  readonly text: string
  /** Breaches of the message rate so far on this connection; the third ends the session. 0 for other rules. */
  readonly breaches: number
}

/** What the rules look at of one request. */
export interface JudgedRequest {
  /** `realtime` is a live subscription to 5-second bars, which shares the bucket of the small requests. */
  readonly kind: 'bars' | 'ticks' | 'head' | 'realtime'
  /** The contract id, or any text that stands for one contract. */
  readonly contract: string
  readonly exchange: string
  readonly whatToShow: string
  /** Bars only: the length of one, seconds. */
  readonly barSec?: number
  /** Canonical text of all that was asked: equal for identical requests, and for those alone. */
  readonly identity: string
}

/** Judges one login. Instants are epoch milliseconds, in the order things happened. */
export interface PacingJudge {
  /** One message of a connection. `ticksMs` is a second clock, by which it may leave the window earlier. */
  message(atMs: number, connection: string | number, ticksMs?: number): Violation | undefined
  /** One request, as it comes in. It counts whether it breaks a rule or not. Where it breaks several, the first of the list above is told. */
  request(atMs: number, request: JudgedRequest): Violation | undefined
  /** A historical request or head timestamp is open from now on; ids are the caller's own, one a request. */
  opened(atMs: number, id: string): Violation | undefined
  /** It has been answered in full, refused or cancelled: a head timestamp by its cancel alone. */
  ended(id: string): void
  /** A connection is gone: its message count, and nothing else. */
  disconnected(connection: string | number): void
}

export interface JudgeOptions {
  /** Also hold bars of a minute and longer to the rule against identical requests, from which IBKR frees them. Default false. */
  readonly identicalMinutes?: boolean
}

/** A strict judge of IBKR's pacing for one login, across its connections. It knows no clock, and keeps ten minutes of what it saw. */
export function createPacingJudge({ identicalMinutes = false }: JudgeOptions = {}): PacingJudge {
  const small = createWindow(SMALL_WINDOW_MS)
  const same = createWindow(SAME_CONTRACT_WINDOW_MS)
  const identical = createWindow(IDENTICAL_WINDOW_MS)
  const messages = new Map<string | number, MessageJudge>()
  const open = new Set<string>()

  return {
    message(atMs, connection, ticksMs = atMs) {
      const judge = messages.get(connection) ?? createMessageJudge()
      messages.set(connection, judge)
      const breaches = judge.count(atMs, ticksMs)
      if (breaches === undefined) return undefined
      const count = MAX_MESSAGES_PER_SECOND + 1
      const text = `${count} messages within a second on connection ${connection}; ${MAX_MESSAGES_PER_SECOND} are allowed.`
      return { rule: 'messages', atMs, count, text, breaches }
    },

    request(atMs, request) {
      const { whatToShow, contract, exchange, identity } = request
      if (!isSmall(request)) {
        if (!identicalMinutes || identical.count(atMs, identity) === 1) return undefined
        return broken('identical', atMs, 2, request)
      }
      // Every window counts this request, whichever rule it breaks.
      const weight = small.count(atMs, '', whatToShow === 'BID_ASK' ? 2 : 1)
      const alike = same.count(atMs, `${contract}\0${exchange}\0${whatToShow}`)
      const twins = identical.count(atMs, identity)
      if (weight > MAX_SMALL_WEIGHT) return broken('small', atMs, weight, request)
      if (alike >= SAME_CONTRACT_LIMIT) return broken('same-contract', atMs, alike, request)
      return twins > 1 ? broken('identical', atMs, twins, request) : undefined
    },

    opened(atMs, id) {
      open.add(id)
      if (open.size <= MAX_OPEN_REQUESTS) return undefined
      const text = `${open.size} historical requests are open; ${MAX_OPEN_REQUESTS} are allowed.`
      return { rule: 'open', atMs, count: open.size, text, breaches: 0 }
    },
    ended: (id) => void open.delete(id),
    disconnected: (connection) => void messages.delete(connection),
  }
}

/** Bars of 30 seconds and shorter, and all that has no bars of its own: ticks, head timestamps, live 5-second bars. */
export function isSmall({ kind, barSec }: Pick<JudgedRequest, 'kind' | 'barSec'>): boolean {
  return kind !== 'bars' || (barSec ?? 0) <= SMALL_BAR_SEC
}

const SAYS = {
  small: `Weight %s of small requests within 600 s; ${MAX_SMALL_WEIGHT} is allowed, BID_ASK counting twice`,
  'same-contract': `%s requests for one contract, exchange and type within 2 s; fewer than ${SAME_CONTRACT_LIMIT} are allowed`,
  identical: '%s identical requests within 15 s; one is allowed',
} as const

function broken(rule: keyof typeof SAYS, atMs: number, count: number, { kind, identity }: JudgedRequest): Violation {
  return { rule, atMs, count, text: `${SAYS[rule].replace('%s', String(count))}: ${kind} ${identity}`, breaches: 0 }
}
