import { historyReply } from './bars.ts'
import { utcStamp } from './dates.ts'
import { hmds } from './encode.ts'
import type { FieldReader } from './fields.ts'
import { frame } from './frames.ts'
import { checkFormat, type HistoryRequest, planHistory, readHistory } from './history.ts'
import { keepUpToDate } from './keep.ts'
import { cancelRequest, openRequest, releaseRequest } from './open.ts'
import type { OpenRequest, Peer } from './peer.ts'
import { Refusal } from './refusal.ts'
import { scheduleReply } from './schedule.ts'
import { targetOf, unpermitted } from './target.ts'

/** Told beside an answer: a client that takes it for an error loses the bars that follow. */
const UP_TO_THE_SECOND =
  'Up-to-the-second historical data requires a market data subscription; the data shown may be delayed.'

/** Message 20. */
export function reqHistoricalData(peer: Peer, reader: FieldReader): void {
  const request = readHistory(reader)
  const { reqId } = request
  const open = openRequest(peer, reqId)
  if (!open) return
  peer.reply(() => closing(peer, reqId, open, () => answer(peer, request, open)))
}

/** Message 25. An open request ends with 162; one that is answered already, or never was, is unknown (366). */
export function cancelHistoricalData(peer: Peer, reader: FieldReader): void {
  reader.skip(1)
  const reqId = reader.reqId()
  peer.live.stop('history', reqId)
  if (cancelRequest(peer, reqId)) peer.error(reqId, 162, hmds(`API historical data query cancelled: ${reqId}`))
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
        checkFormat(formatDate)
        const { listing } = targetOf(peer.gateway, query)
        if (!peer.gateway.market.offers(listing, whatToShow)) throw new Refusal(162, hmds('No head time stamp'))
        const denied = unpermitted(peer.gateway, listing)
        if (denied) throw new Refusal(162, hmds(denied))
        const stamp = formatDate === 2 ? listing.headSec : utcStamp(listing.headSec)
        return breakable(peer, frame([88, reqId, stamp]))
      } catch (error) {
        releaseRequest(peer, reqId, open)
        throw error
      }
    })
  })
}

/** Message 90. IBKR answers nothing. */
export function cancelHeadTimestamp(peer: Peer, reader: FieldReader): void {
  cancelRequest(peer, reader.reqId())
}

async function answer(peer: Peer, request: HistoryRequest, open: OpenRequest): Promise<Buffer | undefined> {
  const { gateway, version } = peer
  const { reqId } = request
  const plan = request.whatToShow === 'SCHEDULE' ? undefined : planHistory(gateway, request)
  const bytes = plan
    ? await historyReply(gateway, plan, version, reqId, () => !open.cancelled)
    : scheduleReply(gateway, request)
  if (!bytes || open.cancelled) return bytes
  if (plan && request.keepUpToDate) keepUpToDate(peer, reqId, plan, open)
  if (!gateway.faults.upToTheSecond) return breakable(peer, bytes)
  return breakable(peer, Buffer.concat([peer.errorBytes(reqId, 2188, UP_TO_THE_SECOND), bytes]))
}

/** The bytes of an answer; undefined where the fault has its way, and half of them and the end are on the wire. */
export function breakable(peer: Peer, bytes: Buffer): Buffer | undefined {
  const { faults } = peer.gateway
  if (faults.dropMidReply <= 0) return bytes
  faults.dropMidReply -= 1
  peer.breakOff(bytes)
  return undefined
}

/** Makes the last word on a request, and says it unless the request was cancelled meanwhile. */
export async function closing(
  peer: Peer,
  reqId: number,
  open: OpenRequest,
  reply: () => Promise<Buffer | undefined> | Buffer | undefined,
): Promise<Buffer | undefined> {
  if (open.cancelled) return undefined
  const bytes = await refusing(peer, reqId, reply)
  if (open.cancelled) return undefined
  if (!open.isKept) releaseRequest(peer, reqId, open)
  return bytes
}

/** Turns a refusal into its error message; anything else thrown is the simulator's own fault, logged and answered. */
export async function refusing(
  peer: Peer,
  reqId: number,
  reply: () => Promise<Buffer | undefined> | Buffer | undefined,
): Promise<Buffer | undefined> {
  try {
    return await reply()
  } catch (error) {
    if (error instanceof Refusal) return peer.errorBytes(reqId, error.code, error.message)
    peer.gateway.log(`Request ${reqId} failed in the simulator.`, error)
    return peer.errorBytes(reqId, 322, "Error processing request.-'bK' : cause - The simulator failed; see its log.")
  }
}
