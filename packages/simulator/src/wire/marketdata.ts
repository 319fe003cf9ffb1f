import type { Listing } from '../market/types.ts'
import type { FieldReader } from './fields.ts'
import { type Gateway, nowSec } from './gateway.ts'
import { feed, subscribe, unsubscribe } from './live.ts'
import { decimal } from './numbers.ts'
import type { Peer } from './peer.ts'
import { closeBefore, lastInstant, type Quote, quoteAt } from './quote.ts'
import { invalid, Refusal } from './refusal.ts'
import { targetOf, unpermitted } from './target.ts'
import { createTicker } from './ticker.ts'

const NOT_SUBSCRIBED = 'Requested market data is not subscribed.'
/** How late delayed data is. */
const DELAY_SEC = 15 * 60

/** Market data types (message 59). */
const [LIVE, FROZEN, DELAYED, DELAYED_FROZEN] = [1, 2, 3, 4] as const

/** Message 59: which type of market data this client takes where it has no subscription, or the venue is closed. */
export function reqMarketDataType(peer: Peer, reader: FieldReader): void {
  reader.skip(1)
  const type = reader.integer()
  if (type >= LIVE && type <= DELAYED_FROZEN) peer.live.dataType = type
  else {
    const { code, message } = invalid(`Market data type ${type} is incorrect: 1, 2, 3 or 4.`)
    peer.error(-1, code, message)
  }
}

/** Message 1: what the data is like (81, 58), the quote as it stands, and every change of it; with the snapshot flag no changes but an end (57). */
export function reqMktData(peer: Peer, reader: FieldReader): void {
  reader.skip(1)
  const reqId = reader.reqId()
  const query = reader.contract(false)
  if (query.secType === 'BAG') reader.skip(4 * reader.integer())
  if (reader.flag()) reader.skip(3) // a delta-neutral contract: conId, delta, price
  reader.skip(1) // generic ticks: there are none besides what is always told
  const isSnapshot = reader.flag()
  const { gateway } = peer
  const { market } = gateway
  subscribe(peer, 'quotes', reqId, () => {
    const { listing } = targetOf(gateway, query)
    const type = typeOf(peer, reqId, listing)
    const isDelayed = type === DELAYED || type === DELAYED_FROZEN
    const at = (sec: number) => quoteOf(gateway, listing, type, isDelayed ? sec - DELAY_SEC : sec)
    const now = nowSec(gateway)
    peer.send([81, reqId, decimal(listing.minTick), bboExchange(listing), 3])
    peer.send([58, 1, reqId, type])
    const ticker = createTicker(peer, reqId, listing, isDelayed)
    ticker.close(closeBefore(market, listing, isDelayed ? now - DELAY_SEC : now))
    ticker.tell(at(now))
    if (isSnapshot) peer.send([57, 1, reqId])
    else feed(peer, 'quotes', reqId, (_fromSec, toSec) => ticker.tell(at(toSec)))
  })
}

/** Message 2. */
export function cancelMktData(peer: Peer, reader: FieldReader): void {
  reader.skip(1)
  unsubscribe(peer, 'quotes', reader.reqId())
}

/** The type of data a client gets: live where there is a subscription to it, otherwise delayed, said by 10167, or error 354. */
function typeOf(peer: Peer, reqId: number, listing: Listing): number {
  const { dataType } = peer.live
  if (unpermitted(peer.gateway, listing) === undefined) {
    return dataType === FROZEN || dataType === DELAYED_FROZEN ? FROZEN : LIVE
  }
  if (dataType < DELAYED) throw new Refusal(354, NOT_SUBSCRIBED)
  peer.error(reqId, 10167, `${NOT_SUBSCRIBED} Displaying delayed market data.`)
  return dataType
}

/** The quote at an instant; frozen types show that of the last session's end while the venue is closed. */
function quoteOf({ market }: Gateway, listing: Listing, type: number, atSec: number): Quote | undefined {
  const isFrozen = type === FROZEN || type === DELAYED_FROZEN
  return quoteAt(market, listing, isFrozen ? lastInstant(market, listing, atSec) : atSec)
}

/** IBKR's code for the map of exchanges behind a quote: SMART's, or none. */
const bboExchange = ({ validExchanges }: Listing): string => (validExchanges.includes('SMART') ? '9c0001' : '')
