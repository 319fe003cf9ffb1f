import type { FieldReader } from './fields.ts'
import type { Peer } from './peer.ts'
import { invalid } from './refusal.ts'

/** The first order id of every login: the simulator takes no orders, so it never moves. */
const NEXT_ORDER_ID = 1

/** A gateway whose login has expired has none. */
export function sendAccounts(peer: Peer): void {
  const { accounts, faults } = peer.gateway
  peer.send([15, 1, faults.loggedOut === 'no' ? accounts.join(',') : ''])
}

export function sendNextId(peer: Peer): void {
  peer.send([9, 1, NEXT_ORDER_ID])
}

/** Message 6 with its subscribe flag set: an account with nothing in it, and its end (54). */
export function reqAccountUpdates(peer: Peer, reader: FieldReader): void {
  reader.skip(1)
  const subscribe = reader.flag()
  const account = reader.text()
  if (subscribe) peer.send([54, 1, account || (peer.gateway.accounts[0] ?? '')])
}

/** Answers with a closing message that carries no id. */
export function closeWith(...fields: readonly number[]): (peer: Peer) => void {
  return (peer) => peer.send(fields)
}

/** Answers with a closing message that carries the request's id, the first field after `skip` others. */
export function closeById(messageId: number, skip: number): (peer: Peer, reader: FieldReader) => void {
  return (peer, reader) => {
    reader.skip(skip)
    peer.send([messageId, 1, reader.reqId()])
  }
}

/** Orders of every kind: the gateway image logs in read-only by default, and the simulator always does. */
export function refuseOrder(peer: Peer, reader: FieldReader): void {
  const { code, message } = invalid('The API interface is currently in Read-Only mode.')
  peer.error(reader.reqId(), code, message)
}
