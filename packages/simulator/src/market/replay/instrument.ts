import type { Product } from '../listings/product.ts'
import type { Listing } from '../types.ts'

/** Venues whose MIC (ISO 10383) users may write instead. */
const MICS: Readonly<Record<string, string>> = {
  XNAS: 'NASDAQ',
  XNYS: 'NYSE',
  ARCX: 'ARCA',
  XCME: 'CME',
  XCBT: 'CBOT',
  XNYM: 'NYMEX',
  XCEC: 'COMEX',
  XCBO: 'CBOE',
  XETR: 'IBIS',
  XEUR: 'EUREX',
  XLON: 'LSE',
  XTKS: 'TSEJ',
}

/** How many listings an error names. */
const MAX_NAMED = 20

/**
 * The product a user means by `GBP/USD.IDEALPRO`, `6EH4.CME`, `AAPL.NASDAQ`, whose history includes `atSec` (epoch
 * seconds): a future's name comes back every ten years, and the file's own time tells which one it is.
 * Throws where there is none, naming what is listed.
 */
export function findInstrument(products: readonly Product[], instrument: string, atSec: number): Product {
  const id = normalize(instrument)
  const named = products.filter(({ listing }) => idsOf(listing).includes(id))
  const then = named.filter(({ listing: { endSec } }) => endSec === undefined || endSec > atSec)
  const [product] = then
  if (product) return product
  const date = new Date(atSec * 1000).toISOString().slice(0, 10)
  const text = JSON.stringify(instrument)
  if (named.length > 0) throw new Error(`${text} had expired by ${date}, the last row of its file.`)
  throw new Error(`${text} is not listed here. The simulator lists ${listedLike(products, id)}.`)
}

function normalize(instrument: string): string {
  const text = instrument.trim().toUpperCase()
  const dot = text.lastIndexOf('.')
  if (dot < 0) return text
  const venue = text.slice(dot + 1)
  return `${text.slice(0, dot)}.${MICS[venue] ?? venue}`
}

/** The ids of a listing, the usual one first. */
function idsOf(listing: Listing): string[] {
  const { secType, symbol, currency, localSymbol, tradingClass, primaryExchange, lastTradeDate, contractMonth } =
    listing
  const exchange = listing.validExchanges[0] ?? ''
  if (secType === 'CASH') return [`${symbol}/${currency}.${exchange}`, `${symbol}/${currency}`]
  if (secType === 'CRYPTO') return [`${symbol}/${currency}.${exchange}`]
  if (secType === 'IND') return [`^${symbol}.${exchange}`]
  if (secType === 'CONTFUT') return [`${tradingClass}.${exchange}`, `${symbol}.${exchange}`]
  if (secType === 'FUT') {
    if (exchange === 'EUREX') return [`${symbol} ${tradingClass} ${lastTradeDate}.${exchange}`]
    return [`${localSymbol}.${exchange}`, `${localSymbol.slice(0, -1)}${contractMonth.slice(2, 4)}.${exchange}`]
  }
  if (secType === 'BOND') return [`${localSymbol.toUpperCase()}.${exchange}`]
  if (secType === 'CFD') return [`${symbol}.IBCFD`]
  if (secType === 'CMDTY') return [`${symbol}.IBCMDTY`]
  const name = symbol.replaceAll(' ', '-')
  return [`${name}.${primaryExchange}`, ...(currency === 'USD' ? [name, `${name}.SMART`] : [])]
}

/** Names those of the same venue, or else of every kind. */
function listedLike(products: readonly Product[], id: string): string {
  const names = products
    .filter(({ listing }) => listing.secType !== 'FUT')
    .map(({ listing }) => idsOf(listing)[0] ?? '')
  const venue = id.slice(id.lastIndexOf('.'))
  const near = names.filter((name) => name.endsWith(venue))
  const shown = near.length > 0 ? near : names
  const more = shown.length > MAX_NAMED ? ` and ${shown.length - MAX_NAMED} more` : ''
  return `${shown.slice(0, MAX_NAMED).join(', ')}${more}, and futures by month (ESZ6.CME, 6EH4.CME)`
}
