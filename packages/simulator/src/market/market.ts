import { fits } from './find.ts'
import { createHistory, type History } from './history.ts'
import { allProducts } from './listings/listings.ts'
import { createReel } from './reel.ts'
import type { Listing, Market } from './types.ts'

/** A search names no more than this many listings, as IBKR's does. */
const MAX_FOUND = 16

/** The market of a seed: every listing with a history that is a pure function of the seed, the listing and time. */
export function createMarket({ seed = 'tidegate' }: { readonly seed?: string | undefined } = {}): Market {
  const reel = createReel()
  const histories = allProducts().map((product, id) => createHistory(product, id, seed, reel))
  const byConId = new Map(histories.map((history) => [history.listing.conId, history]))
  const listings = histories.map(({ listing }) => listing)
  const historyOf = ({ conId, localSymbol }: Listing): History => {
    const history = byConId.get(conId)
    if (!history) throw new Error(`The market does not list ${localSymbol} (conId ${conId}).`)
    return history
  }
  return {
    find: (query) => listings.filter((listing) => fits(query, listing)),
    search: (pattern) => listings.filter((listing) => isLike(listing, pattern)).slice(0, MAX_FOUND),
    sessions: (listing, useRTH, fromSec, toSec) => historyOf(listing).sessions(useRTH, fromSec, toSec),
    bars: (query) => historyOf(query.listing).bars(query),
    offers: (listing, whatToShow) => historyOf(listing).offers(whatToShow),
  }
}

/** A search names what stands for a contract to be chosen: no dated future, but the index or stock beneath it. */
function isLike({ symbol, longName, secType }: Listing, pattern: string): boolean {
  const start = pattern.toUpperCase()
  return secType !== 'FUT' && (symbol.startsWith(start) || longName.toUpperCase().startsWith(start))
}
