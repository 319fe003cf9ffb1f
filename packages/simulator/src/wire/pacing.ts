import type { Violation } from '../judge.ts'
import { emptyReply } from './empty.ts'
import { hmds } from './encode.ts'
import { judgedOf } from './kinds.ts'
import type { Peer } from './peer.ts'

const REAL_TIME_BARS = 50

/** Has the judge count a request; what it says, which the simulator has noted. */
export function judgePacing(peer: Peer, messageId: number, fields: readonly string[]): Violation | undefined {
  const { gateway } = peer
  const request = judgedOf(gateway, messageId, fields)
  const violation = request && gateway.judge.request(gateway.now(), request)
  if (violation) gateway.violated(violation)
  return violation
}

/** The end of a request that broke a rule, as IBKR gives it: 162, or 420 for a subscription; or, as a fault, an empty reply. */
export function refuseUnpaced(peer: Peer, messageId: number, reqId: number, fields: readonly string[]): void {
  const text = 'Historical data request pacing violation'
  const silent = peer.gateway.faults.emptyViolations ? emptyReply(peer.version, fields) : undefined
  if (messageId === REAL_TIME_BARS) peer.error(reqId, 420, `Invalid Real-time Query:${text}`)
  else peer.reply(() => silent ?? peer.errorBytes(reqId, 162, hmds(text)))
}
