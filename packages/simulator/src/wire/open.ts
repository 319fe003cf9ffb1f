import type { OpenRequest, Peer } from './peer.ts'

/**
 * Registers a historical request (bars, ticks, head timestamp); undefined, and an error sent, where its id is in use
 * or too many are open on this login.
 */
export function openRequest(peer: Peer, reqId: number): OpenRequest | undefined {
  const { judge, now, violated } = peer.gateway
  const refuse = (cause: string) => peer.error(reqId, 322, `Error processing request.-'bK' : cause - ${cause}`)
  if (peer.open.has(reqId)) {
    refuse('Duplicate ticker ID for API historical data query')
    return undefined
  }
  const key = `${peer.serial}:${reqId}`
  const violation = judge.opened(now(), key)
  if (violation) {
    judge.ended(key)
    violated(violation)
    refuse(`Only ${violation.count - 1} simultaneous API historical data requests allowed.`)
    return undefined
  }
  const open = { key, cancelled: false }
  peer.open.set(reqId, open)
  return open
}

/** Ends a request that its client does not want any more; false where none is open under this id. */
export function cancelRequest(peer: Peer, reqId: number): boolean {
  const open = peer.open.get(reqId)
  if (!open) return false
  open.cancelled = true
  peer.gateway.judge.ended(open.key)
  return peer.open.delete(reqId)
}

/** Forgets a request that has had its last word, unless its id has passed to another since. */
export function releaseRequest(peer: Peer, reqId: number, open: OpenRequest): void {
  peer.gateway.judge.ended(open.key)
  if (peer.open.get(reqId) === open) peer.open.delete(reqId)
}
