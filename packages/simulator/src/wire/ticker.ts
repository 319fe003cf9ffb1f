import type { Listing } from '../market/types.ts'
import { decimal, price } from './numbers.ts'
import type { Peer } from './peer.ts'
import type { Quote } from './quote.ts'

/** TWS's numbers of tick types, and of the same delayed. */
const TYPES = {
  bid: [1, 66],
  ask: [2, 67],
  last: [4, 68],
  bidSize: [0, 69],
  askSize: [3, 70],
  lastSize: [5, 71],
  high: [6, 72],
  low: [7, 73],
  volume: [8, 74],
  close: [9, 75],
  open: [14, 76],
  lastTimestamp: [45, 88],
  halted: [49, 90],
} as const satisfies Record<string, readonly [live: number, delayed: number]>

/** Prices that come with their size, and can be traded at. */
const SIZED = [
  ['bid', 'bidSize'],
  ['ask', 'askSize'],
  ['last', 'lastSize'],
] as const

export interface TickerOptions {
  readonly isDelayed: boolean
  /** A snapshot: no tick type comes twice. */
  readonly isOnce: boolean
}

/** Tells a client of one listing's quote: what is new in it, and nothing twice. */
export interface Ticker {
  close(value: number | undefined): void
  /** Undefined where the venue is closed: nothing is told. */
  tell(quote: Quote | undefined): void
}

export function createTicker(
  peer: Peer,
  reqId: number,
  listing: Listing,
  { isDelayed, isOnce }: TickerOptions,
): Ticker {
  const cents = listing.secType === 'STK'
  const typeOf = (name: keyof typeof TYPES) => TYPES[name][isDelayed ? 1 : 0]
  let told: Quote = {}

  /** Message 1. Bit 0 of the mask: an order may be executed against it automatically. */
  function sendPrice(name: keyof typeof TYPES, value: number, size = 0, isQuoted = false): void {
    peer.send([1, 6, reqId, typeOf(name), price(value, cents), decimal(size), isQuoted && !isDelayed ? 1 : 0])
  }

  function sendSize(name: keyof typeof TYPES, size: number): void {
    peer.send([2, 6, reqId, typeOf(name), decimal(size)])
  }

  /** Whether a value has to be told: another than before, or in a snapshot the first. */
  const isNews = (name: keyof Quote, value: unknown) =>
    value !== undefined && (isOnce ? told[name] === undefined : value !== told[name])

  return {
    close(value) {
      if (value !== undefined) sendPrice('close', value)
    },
    tell(quote) {
      if (!quote) return
      if (quote.lastSec !== undefined && isNews('lastSec', quote.lastSec)) {
        peer.send([46, 6, reqId, typeOf('lastTimestamp'), quote.lastSec])
      }
      for (const [name, sizeName] of SIZED) {
        const value = quote[name]
        const size = quote[sizeName] ?? 0
        if (value === undefined) continue
        const isPriceNew = isNews(name, value)
        if (isPriceNew) sendPrice(name, value, size, name !== 'last')
        if (isPriceNew || isNews(sizeName, size)) sendSize(sizeName, size)
      }
      for (const name of ['open', 'high', 'low'] as const) {
        const value = quote[name]
        if (value !== undefined && isNews(name, value)) sendPrice(name, value)
      }
      if (quote.volume !== undefined && isNews('volume', quote.volume)) sendSize('volume', quote.volume)
      if (quote.halted !== undefined && isNews('halted', quote.halted)) {
        peer.send([45, 6, reqId, typeOf('halted'), quote.halted])
      }
      told = isOnce ? { ...quote, ...told } : quote
    },
  }
}
