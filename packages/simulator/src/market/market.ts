import { type MarketEvents, noEvents } from './events.ts'
import { fits } from './find.ts'
import { createHistory, type History } from './history.ts'
import type { Product } from './listings/product.ts'
import { createOptionBook } from './options/book.ts'
import { createReel } from './reel.ts'
import { settledBars } from './settlement.ts'
import { splitBars, splitTicks } from './splits.ts'
import type { Listing, Market } from './types.ts'

/** A search names no more than this many listings, as IBKR's does. */
const MAX_FOUND = 16

export interface MarketParts {
  readonly products: readonly Product[]
  /** Another seed, another market. */
  readonly seed: string
  /** Histories that stand in for the generated ones of their listings. */
  readonly replayed: readonly History[]
  /** Default: nothing happens until `market.events` is told. */
  readonly events?: MarketEvents
}

/** A market of products: each has a history that is a pure function of the seed, the listing and time, or a replayed one. */
export function createMarket({ products, seed, replayed, events = noEvents() }: MarketParts): Market {
  const reel = createReel()
  const options = createOptionBook(products, seed)
  const histories = new Map(replayed.map((history) => [history.listing.conId, history]))
  const byConId = new Map(products.map((product) => [product.listing.conId, product]))
  const listings = products.map(({ listing }) => histories.get(listing.conId)?.listing ?? listing)

  /** A history is made when first asked for: few of the listings ever are. */
  function historyOf({ conId, localSymbol }: Listing): History {
    const known = histories.get(conId)
    if (known) return known
    const product = byConId.get(conId) ?? options.product(conId)
    if (!product) throw new Error(`The market does not list ${localSymbol} (conId ${conId}).`)
    const history = createHistory(product, seed, reel)
    histories.set(conId, history)
    return history
  }

  return {
    events,
    find(query, nowSec) {
      const found = listings.filter((listing) => fits(query, listing))
      return nowSec === undefined ? found : [...found, ...options.find(query, nowSec)]
    },
    chains: options.chains,
    search: (pattern) => listings.filter((listing) => isLike(listing, pattern)).slice(0, MAX_FOUND),
    sessions: (listing, useRTH, fromSec, toSec) => historyOf(listing).sessions(useRTH, fromSec, toSec),
    bars(query) {
      const history = historyOf(query.listing)
      return splitBars(events, query, settledBars(events, history, query, history.bars(query)))
    },
    ...splitTicks(events, historyOf),
    offers: (listing, whatToShow) => historyOf(listing).offers(whatToShow),
  }
}

/** What is found under the name of something else: dated futures, CFDs on stocks, single bonds. */
function isUnder({ secType, underSecType }: Listing): boolean {
  return secType === 'FUT' || secType === 'BOND' || (secType === 'CFD' && underSecType === 'STK')
}

/** A search names what stands for a contract to be chosen. */
function isLike(listing: Listing, pattern: string): boolean {
  const { symbol, longName } = listing
  const start = pattern.toUpperCase()
  return !isUnder(listing) && (symbol.startsWith(start) || longName.toUpperCase().startsWith(start))
}
