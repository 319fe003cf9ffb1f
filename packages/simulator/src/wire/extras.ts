import type { Listing } from '../market/types.ts'
import { decimal, price } from './numbers.ts'
import type { Peer } from './peer.ts'
import type { Print, Quote } from './quote.ts'

/** Above 2.5, a thousand shares and more are there to be borrowed. Source: IBKR, tick types, Shortable. */
const EASY_TO_BORROW = 3

/** Tells of the generic ticks asked for, as far as the market knows of any; the others stay silent, as at IBKR what is not there. */
export type Extras = (quote: Quote | undefined) => void

/** By generic tick: what the tick types 37, 46, 48, 54, 55, 56, 77 and 89 say of a quote. Unchanged ones are not told again. */
export function createExtras(peer: Peer, reqId: number, listing: Listing, ids: ReadonlySet<number>): Extras {
  const cents = listing.secType === 'STK'
  const told = new Map<number, string>()

  /** Messages: 1 a price, 2 a size, 45 a number, 46 a text. */
  function tell(message: 1 | 2 | 45 | 46, type: number, value: string): void {
    if (told.get(type) === value) return
    told.set(type, value)
    peer.send(message === 1 ? [1, 6, reqId, type, value, 0, 0] : [message, 6, reqId, type, value])
  }
  const number = (type: number, value = 0) => tell(45, type, decimal(value))

  return (quote) => {
    if (ids.has(236) && listing.secType === 'STK') {
      number(46, EASY_TO_BORROW)
      tell(2, 89, String(sharesToBorrow(listing)))
    }
    if (!quote) return
    const mark = markOf(quote)
    if (ids.has(232) && mark !== undefined) tell(1, 37, price(mark, cents))
    if (quote.count === undefined) return
    if (ids.has(233) && quote.print) tell(46, 48, volumeText(quote.print, quote, cents))
    if (ids.has(375) && quote.last !== undefined) {
      const print = { price: quote.last, size: quote.lastSize ?? 0, timeSec: quote.lastSec ?? 0 }
      tell(46, 77, volumeText(print, quote, cents))
    }
    if (ids.has(293)) number(54, quote.count)
    if (ids.has(294)) number(55, quote.tradeRate)
    if (ids.has(295)) number(56, quote.volumeRate)
  }
}

/** Price, size, time in milliseconds, volume and average of the day, and whether one market maker filled it. */
function volumeText({ price: paid, size, timeSec }: Print, { volume = 0, average }: Quote, cents: boolean): string {
  const mean = price(average ?? paid, cents)
  return `${price(paid, cents)};${decimal(size)};${timeSec * 1000};${decimal(volume)};${mean};true`
}

/** The last price, or the nearer of bid and ask where it lies outside of them. */
function markOf({ bid, ask, last }: Quote): number | undefined {
  if (bid === undefined || ask === undefined) return last
  return last === undefined ? (bid + ask) / 2 : Math.min(Math.max(last, bid), ask)
}

const sharesToBorrow = ({ conId }: Listing): number => 1_000_000 + (conId % 1000) * 1000
