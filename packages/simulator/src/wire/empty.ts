import { SINCE } from './encode.ts'
import { frame } from './frames.ts'

/** Which message answers a request for ticks of a kind. */
const TICKS: Readonly<Record<string, number>> = { MIDPOINT: 96, BID_ASK: 97, TRADES: 98 }
/** Where whatToShow stands in a request for ticks. */
const TICKS_WHAT = 18

/**
 * A reply that holds nothing and says no more: how farms have been seen to answer requests they did not want to serve.
 * Undefined for requests whose reply cannot be empty: all but bars and ticks.
 */
export function emptyReply(version: number, fields: readonly string[]): Buffer | undefined {
  const [messageId = '', reqId = ''] = fields
  if (messageId === '96') return frame([TICKS[(fields[TICKS_WHAT] ?? '').toUpperCase()] ?? 98, reqId, 0, 1])
  if (messageId !== '20') return undefined
  if (version < SINCE.historicalDataEnd) return frame([17, reqId, '', '', 0])
  return Buffer.concat([frame([17, reqId, 0]), frame([108, reqId, '', ''])])
}
