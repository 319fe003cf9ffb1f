import { historyReply } from './bars.ts'
import { utcStamp } from './dates.ts'
import { hmds } from './encode.ts'
import type { FieldReader } from './fields.ts'
import { frame } from './frames.ts'
import { type HistoryRequest, planHistory, readHistory } from './history.ts'
import type { OpenRequest, Peer } from './peer.ts'
import { Refusal } from './refusal.ts'
import { scheduleReply } from './schedule.ts'
import { targetOf } from './target.ts'

/** IBKR takes no more than this many historical requests of one client at a time. */
export const MAX_OPEN_HISTORY = 50

/** Message 20. */
export function reqHistoricalData(peer: Peer, reader: FieldReader): void {
  const request = readHistory(reader)
  const { reqId } = request
  const open = openRequest(peer, reqId)
  const { faults } = peer.gateway
  if (!open || faults.silentHistory) return
  const refusal = faults.refuseHistory
  if (refusal && refusal.times > 0) {
    faults.refuseHistory = refusal.times > 1 ? { ...refusal, times: refusal.times - 1 } : undefined
    peer.reply(() => closing(peer, reqId, open, () => peer.errorBytes(reqId, 162, refusal.text)))
    return
  }
  peer.reply(() => closing(peer, reqId, open, () => answer(peer, request, open)))
}

/** Message 25. An open request ends with 162; one that is answered already, or never was, is unknown (366). */
export function cancelHistoricalData(peer: Peer, reader: FieldReader): void {
  reader.skip(1)
  const reqId = reader.reqId()
  if (cancel(peer, reqId)) peer.error(reqId, 162, hmds(`API historical data query cancelled: ${reqId}`))
  else peer.error(reqId, 366, `No historical data query found for ticker id:${reqId}`)
}

/** Message 87. It counts as an open historical request until cancelled, answered or not. */
export function reqHeadTimestamp(peer: Peer, reader: FieldReader): void {
  const reqId = reader.reqId()
  const query = reader.contract()
  reader.skip(1) // useRTH: the first instant of history is the same
  const whatToShow = reader.text().toUpperCase()
  const formatDate = reader.integer()
  const open = openRequest(peer, reqId)
  if (!open) return
  peer.reply(() => {
    if (open.cancelled) return undefined
    return refusing(peer, reqId, () => {
      try {
        const { listing } = targetOf(peer.gateway, query)
        if (!peer.gateway.market.offers(listing, whatToShow)) throw new Refusal(162, hmds('No head time stamp'))
        return frame([88, reqId, formatDate === 2 ? listing.headSec : utcStamp(listing.headSec)])
      } catch (error) {
        release(peer, reqId, open)
        throw error
      }
    })
  })
}

/** Message 90. IBKR answers nothing. */
export function cancelHeadTimestamp(peer: Peer, reader: FieldReader): void {
  cancel(peer, reader.reqId())
}

async function answer(peer: Peer, request: HistoryRequest, open: OpenRequest): Promise<Buffer | undefined> {
  const { gateway, version } = peer
  const { reqId } = request
  const bytes =
    request.whatToShow === 'SCHEDULE'
      ? scheduleReply(gateway, request)
      : await historyReply(gateway, planHistory(gateway, request), version, reqId, () => !open.cancelled)
  if (!bytes || open.cancelled || gateway.faults.dropMidReply <= 0) return bytes
  gateway.faults.dropMidReply -= 1
  peer.breakOff(bytes)
  return undefined
}

/** Makes the last word on a request, and says it unless the request was cancelled meanwhile. */
async function closing(
  peer: Peer,
  reqId: number,
  open: OpenRequest,
  reply: () => Promise<Buffer | undefined> | Buffer,
): Promise<Buffer | undefined> {
  if (open.cancelled) return undefined
  const bytes = await refusing(peer, reqId, reply)
  if (open.cancelled) return undefined
  release(peer, reqId, open)
  return bytes
}

/** Turns a refusal into its error message; anything else thrown is the simulator's own fault, logged and answered. */
async function refusing(
  peer: Peer,
  reqId: number,
  reply: () => Promise<Buffer | undefined> | Buffer,
): Promise<Buffer | undefined> {
  try {
    return await reply()
  } catch (error) {
    if (error instanceof Refusal) return peer.errorBytes(reqId, error.code, error.message)
    peer.gateway.log(`Request ${reqId} failed in the simulator.`, error)
    return peer.errorBytes(reqId, 322, "Error processing request.-'bK' : cause - The simulator failed; see its log.")
  }
}

/** Registers a historical request; undefined, and an error sent, where its id is in use or too many are open. */
function openRequest(peer: Peer, reqId: number): OpenRequest | undefined {
  const refuse = (cause: string) => peer.error(reqId, 322, `Error processing request.-'bK' : cause - ${cause}`)
  if (peer.open.has(reqId)) {
    refuse('Duplicate ticker ID for API historical data query')
    return undefined
  }
  if (peer.open.size >= MAX_OPEN_HISTORY) {
    refuse(`Only ${MAX_OPEN_HISTORY} simultaneous API historical data requests allowed.`)
    return undefined
  }
  const open = { cancelled: false }
  peer.open.set(reqId, open)
  return open
}

function cancel(peer: Peer, reqId: number): boolean {
  const open = peer.open.get(reqId)
  if (!open) return false
  open.cancelled = true
  return peer.open.delete(reqId)
}

/** Forgets a request, unless its id has passed to another since. */
function release(peer: Peer, reqId: number, open: OpenRequest): void {
  if (peer.open.get(reqId) === open) peer.open.delete(reqId)
}
