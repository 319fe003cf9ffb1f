import { emptyReply } from './empty.ts'
import { hmds } from './encode.ts'
import { type Farm, kindOf } from './kinds.ts'
import { openRequest } from './open.ts'
import { judgePacing, refuseUnpaced } from './pacing.ts'
import type { Peer } from './peer.ts'
import { NOT_FOUND } from './refusal.ts'

const MATCHING_SYMBOLS = 81
const DIFFERENT_IP = 'Trading TWS session is connected from a different IP address'
const COMPETING = 'No market data during competing live session'
const DISCONNECTED = 'HMDS server disconnect occurred.  Attempting reconnection...'

/**
 * What happens to a request for data before its handler sees it: pacing is judged, and the faults that stand have
 * their way. True where nothing is left to do. Whatever the faults, the judge counts the request: IBKR does.
 */
export function intercept(peer: Peer, messageId: number, fields: readonly string[]): boolean {
  const kind = kindOf(messageId, fields)
  if (!kind) return false
  const violation = judgePacing(peer, messageId, fields)
  if (isUnserved(peer, kind.farm)) {
    if (kind.farm === 'history') openRequest(peer, kind.reqId)
    return true
  }
  if (refuse(peer, messageId, kind)) return true
  if (violation && peer.gateway.pacing === 'strict') {
    refuseUnpaced(peer, messageId, kind.reqId, fields)
    return true
  }
  return isEmptied(peer, fields)
}

/** Whether requests of this farm get no answer now. */
function isUnserved({ gateway: { faults } }: Peer, farm: Farm): boolean {
  if (faults.lost) return true
  if (farm === 'history') return faults.silentHistory || faults.hmds === 'silent'
  return farm === 'definition' ? faults.secdefBroken : faults.marketBroken
}

/** Gives the error that a fault has for this request; false where none has. */
function refuse(peer: Peer, messageId: number, { farm, reqId }: { farm: Farm; reqId: number }): boolean {
  const refusal = refusalOf(peer, messageId, farm)
  if (!refusal) return false
  const [code, text] = refusal
  peer.reply(() => peer.errorBytes(reqId, code, text))
  return true
}

function refusalOf({ gateway: { faults } }: Peer, messageId: number, farm: Farm): [number, string] | undefined {
  if (faults.competing && farm === 'history') return [162, hmds(DIFFERENT_IP)]
  if (faults.competing && farm === 'market') return [10197, COMPETING]
  if (faults.hmds === 'refusing' && farm === 'history') return [162, hmds(DISCONNECTED)]
  const { refuse, refuseHistory } = faults
  if (refuse && refuse.times > 0 && (refuse.of ?? farm) === farm) {
    faults.refuse = refuse.times > 1 ? { ...refuse, times: refuse.times - 1 } : undefined
    return [refuse.code, refuse.text]
  }
  if (refuseHistory && refuseHistory.times > 0 && farm === 'history') {
    faults.refuseHistory = refuseHistory.times > 1 ? { ...refuseHistory, times: refuseHistory.times - 1 } : undefined
    return [refuseHistory.code ?? 162, refuseHistory.text]
  }
  if (faults.false200 > 0 && messageId !== MATCHING_SYMBOLS) {
    faults.false200 -= 1
    return [200, NOT_FOUND]
  }
  return undefined
}

/** Answers with nothing where a fault says so. */
function isEmptied(peer: Peer, fields: readonly string[]): boolean {
  const { faults } = peer.gateway
  const bytes = faults.emptyHistory > 0 ? emptyReply(peer.version, fields) : undefined
  if (!bytes) return false
  faults.emptyHistory -= 1
  peer.reply(() => bytes)
  return true
}
