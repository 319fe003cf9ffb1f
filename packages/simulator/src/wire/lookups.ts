import { bondMessage } from './bond.ts'
import { detailsMessage } from './details.ts'
import { ascii7, SINCE } from './encode.ts'
import type { FieldReader } from './fields.ts'
import { frame } from './frames.ts'
import { nowSec } from './gateway.ts'
import { refusing } from './historical.ts'
import type { Peer } from './peer.ts'
import { NOT_FOUND, Refusal } from './refusal.ts'
import { resolve } from './resolve.ts'
import { checkType } from './target.ts'

/** Message 9: one contractDetails (10, of a bond 18) for each listing that fits, then the end (52); error 200 where none does. */
export function reqContractDetails(peer: Peer, reader: FieldReader): void {
  reader.skip(1)
  const reqId = reader.reqId()
  const query = reader.contract()
  const { gateway, version } = peer
  const answer = () => {
    checkType(query)
    const now = nowSec(gateway)
    const listings = resolve(gateway.market, query, now)
    if (listings.length === 0) throw new Refusal(200, NOT_FOUND)
    const details = listings.map((listing) => {
      const message = { version, reqId, query, listing, market: gateway.market, nowSec: now }
      return listing.bond ? bondMessage(message, listing.bond) : detailsMessage(message)
    })
    return Buffer.concat([...details, frame([52, 1, reqId])])
  }
  peer.reply(() => refusing(peer, reqId, answer))
}

/** Message 81: the listings whose symbol or name begins with the pattern (79). */
export function reqMatchingSymbols(peer: Peer, reader: FieldReader): void {
  const reqId = reader.reqId()
  const pattern = reader.text().trim()
  const { market } = peer.gateway
  const now = nowSec(peer.gateway)
  const listings = pattern === '' ? [] : market.search(pattern)
  const rows = listings.flatMap((listing) => [
    listing.conId,
    listing.symbol,
    listing.secType,
    listing.primaryExchange,
    listing.currency,
    ...(market.chains(listing, now).length > 0 ? [1, 'OPT'] : [0]), // what is derived from it
    ...(peer.version >= SINCE.issuerId ? [ascii7(listing.longName), ''] : []),
  ])
  peer.send([79, reqId, listings.length, ...rows])
}

/** Message 49. Epoch seconds. */
export function reqCurrentTime(peer: Peer): void {
  peer.send([49, 1, nowSec(peer.gateway)])
}

/** Message 105, known since server version 197. Epoch milliseconds. */
export function reqCurrentTimeInMillis(peer: Peer): void {
  peer.send([109, Math.floor(peer.gateway.now())])
}
