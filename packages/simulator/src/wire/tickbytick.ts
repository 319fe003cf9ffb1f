import type { Listing, Market } from '../market/types.ts'
import type { FieldReader } from './fields.ts'
import { type Gateway, nowSec } from './gateway.ts'
import { feed, subscribe, unsubscribe } from './live.ts'
import { decimal, price } from './numbers.ts'
import type { Peer } from './peer.ts'
import { invalid, Refusal } from './refusal.ts'
import { liveTargetOf, unpermitted } from './target.ts'
import { MAX_TICKS, type TickKind } from './tickplan.ts'
import { ticksMessage, tradeMask, withNewPrices } from './ticks.ts'

/** A login with the usual 100 market data lines may have so many at once. Source: IBKR, limits of tick-by-tick data. */
const MAX_AT_ONCE = 3

interface Type {
  readonly id: number
  readonly kind: TickKind
}

/** What may be subscribed to. Last leaves out what is reported late or at an average price; AllLast has it too. */
const TYPES: ReadonlyMap<string, Type> = new Map<string, Type>([
  ['Last', { id: 1, kind: 'TRADES' }],
  ['AllLast', { id: 2, kind: 'TRADES' }],
  ['BidAsk', { id: 3, kind: 'BID_ASK' }],
  ['MidPoint', { id: 4, kind: 'MIDPOINT' }],
])

/** Of options there is the past only, and of indices those of CME alone, of which none is listed. Source: IBKR, reqTickByTickData. */
const WITHOUT: ReadonlySet<string> = new Set<Listing['secType']>(['OPT', 'FOP', 'IND'])

type Send = (fields: readonly (string | number)[]) => void

/** Message 97: where asked for, so many ticks of the past as one historical message; then every tick as it happens (99). */
export function reqTickByTick(peer: Peer, reader: FieldReader): void {
  const reqId = reader.reqId()
  const query = reader.contract(false)
  const name = reader.text()
  const count = reader.integer()
  const ignoreSize = reader.flag()
  const { gateway } = peer
  subscribe(peer, 'ticks', reqId, () => {
    const type = TYPES.get(name)
    if (!type) throw invalid(`Tick-by-tick type ${name} is incorrect: Last, AllLast, BidAsk or MidPoint.`)
    if (count < 0 || count > MAX_TICKS) throw invalid(`Number of ticks must be between 0 and ${MAX_TICKS}: ${count}`)
    const { listing } = liveTargetOf(gateway, query)
    if (WITHOUT.has(listing.secType) || !gateway.market.offers(listing, type.kind)) {
      const text = `${name} tick-by-tick requests are not supported for ${listing.symbol}.`
      throw new Refusal(10189, `Failed to request tick-by-tick data.${text}`)
    }
    const denied = unpermitted(gateway, listing)
    if (denied) throw new Refusal(10189, `Failed to request tick-by-tick data.${denied}`)
    if (subscriptions(gateway) >= MAX_AT_ONCE) {
      throw new Refusal(10190, 'Max number of tick-by-tick requests has been reached.')
    }
    if (count > 0) {
      const now = nowSec(gateway)
      const page = { listing, useRTH: false, count, startSec: undefined, endSec: now, nowSec: now }
      peer.reply(() => ticksMessage(peer, reqId, { ...page, kind: type.kind, ignoreSize }))
    }
    const tell = teller(gateway.market, listing, type, ignoreSize, (fields) =>
      peer.send([99, reqId, type.id, ...fields]),
    )
    feed(peer, 'ticks', reqId, tell)
  })
}

/** Message 98. */
export function cancelTickByTick(peer: Peer, reader: FieldReader): void {
  unsubscribe(peer, 'ticks', reader.reqId())
}

/** Those of all clients: the login pays for them together. */
function subscriptions({ peers }: Gateway): number {
  return [...peers].reduce((sum, { live }) => sum + live.count('ticks'), 0)
}

/** Tells the ticks of `[startSec, endSec)` in the fields of their type. */
function teller(
  market: Market,
  listing: Listing,
  { id, kind }: Type,
  ignoreSize: boolean,
  send: Send,
): (startSec: number, endSec: number) => void {
  const cents = listing.secType === 'STK'
  const query = (startSec: number, endSec: number) => ({ listing, useRTH: false, startSec, endSec, nowSec: endSec })
  if (kind === 'MIDPOINT') {
    return (startSec, endSec) => {
      for (const tick of market.midpoints(query(startSec, endSec))) send([tick.timeSec, decimal(tick.price)])
    }
  }
  if (kind === 'TRADES') {
    return (startSec, endSec) => {
      for (const tick of market.trades(query(startSec, endSec))) {
        if (tick.unreported && id === 1) continue
        const printed = tick.price === 0 ? '0' : price(tick.price, cents)
        send([tick.timeSec, printed, decimal(tick.size), tradeMask(tick), tick.exchange, tick.conditions])
      }
    }
  }
  return (startSec, endSec) => {
    const quotes = market.quotes(query(startSec, endSec))
    for (const tick of ignoreSize ? withNewPrices(quotes) : quotes) {
      // Not the order of history: here bit 0 is bidPastLow.
      const mask = (tick.bidPastLow ? 1 : 0) | (tick.askPastHigh ? 2 : 0)
      const sizes = [decimal(tick.bidSize), decimal(tick.askSize)]
      send([tick.timeSec, price(tick.bid, cents), price(tick.ask, cents), ...sizes, mask])
    }
  }
}
