import { hash } from 'node:crypto'

/** A sliding window: in no stretch of `windowMs`, wherever it begins, more than `limit`. */
export interface Rule {
  readonly limit: number
  readonly windowMs: number
  /**
   * How much longer we make the window than IBKR does, milliseconds. Only the gateway's own instant of receiving counts:
   * of two messages the first may be held up on its way and the second not, and both clocks tick in milliseconds.
   */
  readonly marginMs: number
  /** Where IBKR says so. */
  readonly source: string
}

/** The message rate, of which we leave some free: that many may be late. */
export interface MessageRule extends Rule {
  /** What IBKR allows in the window. */
  readonly most: number
  /** What is held up by no more than this, milliseconds, breaks nothing. */
  readonly jitterMs: number
}

/** What IBKR allows one login, all of it. `small` is the class of bars of 30 s and less, ticks, head timestamps and live 5-second bars. */
export interface Rules {
  /** Messages of any kind. */
  readonly messages: MessageRule
  /** Weight of small requests. */
  readonly small: Rule
  /** Small requests for one contract, exchange and type of data. */
  readonly contract: Rule
  /** Requests that are the same in everything. */
  readonly identical: Rule
  /** Requests open at once. */
  readonly open: { readonly limit: number; readonly source: string }
}

const SECOND_MS = 1000
/** With the usual 100 market data lines. */
const MOST_MESSAGES = 50

export const RULES: Rules = {
  messages: messageRule(45),
  small: {
    limit: 60,
    windowMs: 600_000,
    marginMs: 1000,
    source: 'TWS API documentation, "Historical Data Limitations": 60 requests within any ten minutes',
  },
  contract: {
    limit: 5,
    windowMs: 2000,
    marginMs: 200,
    source: 'TWS API documentation, "Historical Data Limitations": fewer than six within two seconds',
  },
  identical: {
    limit: 1,
    windowMs: 15_000,
    marginMs: 500,
    source: 'TWS API documentation, "Historical Data Limitations": no identical request within 15 seconds',
  },
  open: {
    // IBKR's limit is 50, and its advice far fewer.
    limit: 32,
    source: 'TWS API documentation, "Historical Data Limitations": at most 50 open requests',
  },
}

/** How long a message counts by our reckoning, milliseconds. */
export function lengthMs({ windowMs, marginMs }: Rule): number {
  return windowMs + marginMs
}

/**
 * So many messages in any second. After a quiet spell all of them may go at once. But two such bursts a second apart are
 * one burst to a gateway that was held up while the first came, so those that follow are spread: beyond `limit` within
 * the window and the jitter, only what IBKR's own limit leaves free goes within the jitter. In the long run that costs
 * nothing.
 */
function messageRule(limit: number): MessageRule {
  const free = MOST_MESSAGES - limit
  return {
    limit,
    windowMs: SECOND_MS,
    // Who wants all of it has nothing left for jitter but a longer second.
    marginMs: free > 0 ? 0 : 20,
    most: MOST_MESSAGES,
    jitterMs: Math.min(100, Math.floor((SECOND_MS * free) / limit)),
    source: 'TWS API documentation, "Pacing Limitations": market data lines ÷ 2 messages a second',
  }
}

/** The rules with the message rate that the settings give. */
export function rulesWith({ messagesPerSec }: { messagesPerSec: number }): Rules {
  return { ...RULES, messages: messageRule(messagesPerSec) }
}

/** Bars of this length and shorter are small ("Historical Data Limitations"); for longer ones the hard limits are lifted. */
export const SMALL_BAR_SEC = 30
const BID_ASK_WEIGHT = 2

/** What IBKR's rules look at of one request. */
export interface RuledRequest {
  readonly kind: 'bars' | 'ticks' | 'head' | 'realtime'
  /** The contract id, or any text that stands for one contract. */
  readonly contract: string
  readonly exchange: string
  readonly whatToShow: string
  /** The length of one bar, seconds; bars only. */
  readonly barSec?: number
  /** Canonical text of the whole request: equal for identical ones, and for those alone. */
  readonly identity: string
}

/** What a message takes of the budgets; every message takes one of the message rate as well. */
export interface Charge {
  /** Weight in the small class; 0 outside it. */
  readonly small: number
  /** Contract, exchange and type of data; small class only. */
  readonly contract?: string
  /** Short text that stands for the request's identity. */
  readonly identity?: string
}

/** What is no historical request: it counts for the message rate alone. */
export const MESSAGE: Charge = { small: 0 }

/** What a request takes of each rule's budget. The rule against identical requests is kept for all bars, from which IBKR frees longer ones. */
export function chargeOf(request: RuledRequest | undefined): Charge {
  if (!request) return MESSAGE
  // Hashed, for whole requests are kept by the thousand, in memory and in a file.
  const identity = hash('sha1', request.identity, 'base64url')
  // A bar of unknown length is taken for a small one.
  if (request.kind === 'bars' && (request.barSec ?? 0) > SMALL_BAR_SEC) return { small: 0, identity }
  const { contract, exchange, whatToShow } = request
  return {
    small: whatToShow === 'BID_ASK' ? BID_ASK_WEIGHT : 1,
    contract: `${contract}|${exchange}|${whatToShow}`,
    identity,
  }
}
