import type { PriceKind } from '../market/types.ts'
import type { FieldReader } from './fields.ts'
import { feed, subscribe, takeLine, unsubscribe } from './live.ts'
import { decimal, price } from './numbers.ts'
import type { Peer } from './peer.ts'
import { invalid, Refusal } from './refusal.ts'
import { liveTargetOf, unpermitted } from './target.ts'

const LENGTH_SEC = 5
const KINDS: ReadonlySet<string> = new Set<PriceKind>(['TRADES', 'MIDPOINT', 'BID', 'ASK'])

/** Message 50: every five seconds the bar that has closed, the same as history has it. */
export function reqRealTimeBars(peer: Peer, reader: FieldReader): void {
  reader.skip(1)
  const reqId = reader.reqId()
  const query = reader.contract(false)
  reader.skip(1) // a size: IBKR gives five seconds whatever it says
  const whatToShow = reader.text().toUpperCase()
  const useRTH = reader.flag()
  const { gateway } = peer
  const { market } = gateway
  subscribe(peer, 'bars', reqId, () => {
    if (!isKind(whatToShow)) throw invalid('What to show field is missing or incorrect.')
    const { listing, exchange } = liveTargetOf(gateway, query)
    if (!market.offers(listing, whatToShow)) {
      const name = `${listing.symbol}/${listing.secType}@${exchange}`
      throw new Refusal(420, `Invalid Real-time Query:No market data permissions for ${name} ${whatToShow}`)
    }
    const denied = unpermitted(gateway, listing)
    if (denied) throw new Refusal(420, `Invalid Real-time Query:${denied}`)
    takeLine(peer)
    const cents = listing.secType === 'STK'
    feed(peer, 'bars', reqId, (fromSec, toSec) => {
      // Stretches of time follow one another, so that each bar closes in one; the first told is the one that forms now.
      const window = { startSec: floorBar(fromSec), endSec: floorBar(toSec), nowSec: toSec }
      for (const bar of market.bars({ listing, barSize: '5 secs', whatToShow, useRTH, ...window })) {
        const prices = [bar.open, bar.high, bar.low, bar.close].map((one) => price(one, cents))
        const average = bar.wap === -1 ? '-1' : price(bar.wap, cents)
        peer.send([50, 3, reqId, bar.timeSec, ...prices, decimal(bar.volume), average, bar.count])
      }
    })
  })
}

/** Message 51. */
export function cancelRealTimeBars(peer: Peer, reader: FieldReader): void {
  reader.skip(1)
  unsubscribe(peer, 'bars', reader.reqId())
}

/** Bars begin at seconds divisible by five, on every clock there is. */
const floorBar = (sec: number): number => Math.floor(sec / LENGTH_SEC) * LENGTH_SEC

function isKind(kind: string): kind is PriceKind {
  return KINDS.has(kind)
}
