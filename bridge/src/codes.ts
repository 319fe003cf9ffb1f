import { type ErrorKind, TidegateError } from '@tidegate/core'
import { maskedText } from './account.ts'

/** What a message of the gateway means for the request it names: an error of a kind, an answer, or something said beside it. */
export type Meaning = ErrorKind | 'no-data' | 'notice' | 'ignore'

export interface CodeRow {
  readonly codes: readonly number[]
  /** Where one code means several things, its text decides; seen to vary in case, spaces and tail. */
  readonly text?: RegExp
  readonly means: Meaning
  /** What the gateway says by it, and what the bridge does. */
  readonly does: string
  /** What a person can do. */
  readonly advice?: string
  /** The text is one we do not know: it is told in the log. */
  readonly strange?: true
}

const SUBSCRIBE = 'Subscribe to this market data in the account.'
const CLOSE_OTHER = 'Close the other TWS session of this login.'

/** IBKR's codes (TWS API documentation, "Message Codes"; the texts as users' logs show them). The first row that fits counts. */
// biome-ignore format: a table.
export const CODES: readonly CodeRow[] = [
  { codes: [100], means: 'pacing', does: 'too many messages a second: everything holds, then goes on' },
  { codes: [101], means: 'pacing', does: 'no more market data lines: later' },
  { codes: [162], text: /query returned no data/i, means: 'no-data', does: 'the window is empty, and that is the answer' },
  { codes: [162], text: /pacing violation/i, means: 'pacing', does: 'backs off and asks again' },
  { codes: [162], text: /no market data permissions/i, means: 'no-permission', does: 'final', advice: 'Subscribe to this market in the account.' },
  { codes: [162], text: /different ip address/i, means: 'competing-session', does: 'pauses the login', advice: CLOSE_OTHER },
  { codes: [162], text: /query cancelled/i, means: 'timeout', does: 'our own cancel come back' },
  { codes: [162], text: /no historical market data for/i, means: 'invalid', does: 'final', advice: 'IBKR has no such data for this product.' },
  { codes: [162], text: /no head time ?stamp/i, means: 'not-found', does: 'there is no such data of this product' },
  { codes: [162], text: /HMDS (server|connection)|(dis)?connect/i, means: 'farm-down', does: 'the history servers are out of reach: later' },
  { codes: [162], means: 'internal', does: 'another failure of the history servers: asked again a few times', strange: true },
  { codes: [165], means: 'notice', does: 'said beside the answer' },
  { codes: [200], text: /ambiguous/i, means: 'invalid', does: 'final', advice: 'Name its primary exchange and currency.' },
  { codes: [200], means: 'not-found', does: 'no such contract; in an outage it can be false, and is then no word on the contract' },
  { codes: [300], means: 'ignore', does: 'the cancel of a subscription that had ended' },
  { codes: [320, 321], means: 'invalid', does: 'the gateway can not read, or does not take, the request: final' },
  { codes: [322], text: /simultaneous|pacing|exceed|max/i, means: 'pacing', does: 'too many at once: backs off and asks again' },
  { codes: [322, 323], means: 'internal', does: 'the server failed over the request: asked again a few times' },
  { codes: [326], means: 'conflict', does: 'another program has our client id: the next id is tried' },
  { codes: [337, 10314], means: 'invalid', does: 'a date or zone the gateway does not take: final' },
  { codes: [354, 10186], means: 'no-permission', does: 'not subscribed: final', advice: SUBSCRIBE },
  { codes: [366], means: 'ignore', does: 'a cancel that came after the end' },
  { codes: [386], means: 'internal', does: 'an id used twice: asked again under another' },
  { codes: [420], text: /permission|subscri/i, means: 'no-permission', does: 'final', advice: SUBSCRIBE },
  { codes: [420], means: 'pacing', does: 'live bars refused for pacing: backs off and asks again' },
  { codes: [502, 504, 507, 1100, 2110], means: 'disconnected', does: 'no connection, to the gateway or from it to IBKR: held until it is back' },
  { codes: [503, 506], means: 'disconnected', does: 'versions that do not fit: the connection ends', advice: 'Update IB Gateway or TWS.' },
  { codes: [1101], means: 'notice', does: 'connected again, subscriptions lost: they are made anew' },
  { codes: [1102], means: 'notice', does: 'connected again, subscriptions kept' },
  { codes: [2103, 2105, 2157], means: 'farm-down', does: 'a farm is out of reach: history waits for 2105, definitions for 2157' },
  { codes: [2104, 2106, 2158], means: 'notice', does: 'the farm is fine: what waits for it goes' },
  { codes: [2107, 2108], means: 'notice', does: 'the farm sleeps and wakes on demand: normal' },
  { codes: [2119], means: 'notice', does: 'the farm is being connected' },
  { codes: [10089, 10090, 10091], means: 'notice', does: 'a part of the quotes is not subscribed: said beside what follows, which goes on' },
  { codes: [2174, 2176, 2188, 10167, 10168], means: 'notice', does: 'said beside the data, which follow' },
  { codes: [10187], text: /pacing/i, means: 'pacing', does: 'backs off and asks again' },
  { codes: [10187], means: 'no-permission', does: 'no history of ticks: final', advice: SUBSCRIBE },
  { codes: [10189], text: /permission|subscri/i, means: 'no-permission', does: 'final', advice: SUBSCRIBE },
  { codes: [10189], means: 'invalid', does: 'no live ticks of this: final' },
  { codes: [10190], means: 'busy', does: 'too many live tick subscriptions: later' },
  { codes: [10197], means: 'competing-session', does: 'pauses the login', advice: CLOSE_OTHER },
  { codes: [10225], means: 'disconnected', does: 'a bust ended the subscription: it is made anew' },
  { codes: [10339], means: 'invalid', does: 'a continuous future takes no end: final' },
]

/** IBKR numbers its warnings so ("System Message Codes", "Warning Message Codes"). */
const isWarning = (code: number) => code >= 2100 && code < 2200

/**
 * What the gateway's message means for a request. Codes of no row are treated with care: from 2100 to 2199 they are
 * IBKR's warnings, said beside the answer; any other ends its request with an error that is tried again a few times.
 * `known` is false for those, and for a known code with a text never seen.
 */
export function meaningOf(
  code: number,
  text: string,
): { readonly means: Meaning; readonly advice: string | undefined; readonly known: boolean } {
  const row = CODES.find((r) => r.codes.includes(code) && (r.text === undefined || r.text.test(text)))
  if (row) return { means: row.means, advice: row.advice, known: !row.strange }
  return { means: isWarning(code) ? 'notice' : 'internal', advice: undefined, known: false }
}

/** A gateway's message as an error of ours, account numbers masked. */
export function gatewayError(kind: ErrorKind, code: number, text: string, advice?: string): TidegateError {
  const words = maskedText(text.trim())
  return new TidegateError(kind, `IBKR answered ${code}: ${words}${advice ? ` — ${advice}` : ''}`, { code })
}
