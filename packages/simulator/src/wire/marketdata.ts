import type { Listing } from '../market/types.ts'
import { createExtras } from './extras.ts'
import type { FieldReader } from './fields.ts'
import { type Gateway, nowSec } from './gateway.ts'
import { parseGenerics } from './generics.ts'
import { feed, subscribe, takeLine, unsubscribe } from './live.ts'
import { decimal } from './numbers.ts'
import type { Peer } from './peer.ts'
import { closeBefore, lastInstant, type Quote, quoteAt } from './quote.ts'
import { invalid, Refusal } from './refusal.ts'
import { takeSnapshot } from './snapshot.ts'
import { liveTargetOf, unpermitted } from './target.ts'
import { createTicker } from './ticker.ts'

const NOT_SUBSCRIBED = 'Requested market data is not subscribed.'
const PARTLY_SUBSCRIBED =
  'Part of requested market data is not subscribed. Subscription-independent ticks are still active.'
const NO_GENERIC_SNAPSHOT = 'Snapshot market data subscription is not applicable to generic ticks'
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

/**
 * Message 1: the type of the data (58), what it is like (81), the quote as it stands, and every change of it, with the
 * generic ticks asked for; with the snapshot flag no changes but an end (57).
 */
export function reqMktData(peer: Peer, reader: FieldReader): void {
  reader.skip(1)
  const reqId = reader.reqId()
  const query = reader.contract(false)
  if (query.secType === 'BAG') reader.skip(4 * reader.integer())
  if (reader.flag()) reader.skip(3) // a delta-neutral contract: conId, delta, price
  const list = reader.text()
  const isSnapshot = reader.flag()
  const { gateway } = peer
  subscribe(peer, 'quotes', reqId, () => {
    const { listing } = liveTargetOf(gateway, query)
    const generics = parseGenerics(list, listing.secType)
    if (isSnapshot && generics.ids.size > 0) throw invalid(NO_GENERIC_SNAPSHOT)
    takeLine(peer)
    const type = typeOf(peer, reqId, listing)
    const isPart = gateway.faults.partlySubscribed.includes(listing.symbol)
    if (isPart) peer.error(reqId, 10090, `${PARTLY_SUBSCRIBED}${bookOf(listing)}`)
    const isDelayed = type === DELAYED || type === DELAYED_FROZEN
    const lateSec = isDelayed ? DELAY_SEC : 0
    peer.send([58, 1, reqId, type])
    peer.send([81, reqId, decimal(listing.minTick), bboExchange(listing), 3])
    const ticker = createTicker(peer, reqId, listing, { isDelayed, isOnce: isSnapshot })
    // There are no generic ticks of what is delayed.
    const tellExtras = createExtras(peer, reqId, listing, isDelayed ? new Set() : generics.ids)
    const tell = (sec: number): boolean => {
      const quote = quoteOf(gateway, listing, type, sec - lateSec)
      const shown = isPart && quote ? withoutBook(quote) : quote
      if (!generics.withoutQuote) ticker.tell(shown)
      tellExtras(shown)
      return isWhole(gateway, listing, shown)
    }
    const now = nowSec(gateway)
    if (!generics.withoutQuote) ticker.close(closeBefore(gateway.market, listing, now - lateSec))
    if (isSnapshot) {
      takeSnapshot(peer, reqId, tell)
      return
    }
    tell(now)
    feed(peer, 'quotes', reqId, (_fromSec, toSec) => {
      tell(toSec)
    })
  })
}

/** What is left of a quote where bid and ask are not subscribed. */
function withoutBook({ bid: _bid, ask: _ask, bidSize: _bidSize, askSize: _askSize, ...rest }: Quote): Quote {
  return rest
}

/** Whether there is nothing more to come of a quote: bid, ask and last, as far as the listing has them. */
function isWhole({ market }: Gateway, listing: Listing, quote: Quote | undefined): boolean {
  const isQuoted = quote?.bid !== undefined && quote.ask !== undefined
  const isTraded = quote?.last !== undefined
  return (isQuoted || !market.offers(listing, 'BID_ASK')) && (isTraded || !market.offers(listing, 'TRADES'))
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
  if (!isFrozen) return quoteAt(market, listing, atSec)
  const quote = quoteAt(market, listing, lastInstant(market, listing, atSec))
  return quote?.halted === undefined ? quote : { ...quote, halted: -1 }
}

/** The data that 10090 misses, in IBKR's words: `CSCO NASDAQ.NMS/TOP/BID_ASK`. */
function bookOf({ symbol, primaryExchange, validExchanges, tradingClass }: Listing): string {
  const exchange = primaryExchange || validExchanges[0]
  return `${symbol} ${exchange}${exchange === 'NASDAQ' ? `.${tradingClass}` : ''}/TOP/BID_ASK`
}

/** IBKR's code for the map of exchanges behind a quote: SMART's, or none. */
const bboExchange = ({ validExchanges }: Listing): string => (validExchanges.includes('SMART') ? '9c0001' : '')
