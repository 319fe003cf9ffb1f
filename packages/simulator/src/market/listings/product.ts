import type { VenueName } from '../calendar.ts'
import { hashText } from '../noise.ts'
import type { Listing } from '../types.ts'

/** A listing with what only the market needs of it. */
export interface Product {
  readonly listing: Listing
  readonly venue: VenueName
  /** Products of one name move together: the futures of one root. */
  readonly path: string
  /** Around what the price moves. */
  readonly price: number
  /** Yearly swing: 1 for a stock, less for a currency. */
  readonly swing: number
  /** Shares, contracts or coins in a busy minute; 0 where nothing is traded but quotes. */
  readonly volume: number
  /** The chance that a minute in regular hours passes without a trade. */
  readonly quiet: number
  /** The chance of that outside regular hours, and the part of the volume traded there. */
  readonly offHours: { readonly quiet: number; readonly volume: number }
  /** Half the distance of bid and ask, in half ticks. */
  readonly halfSpread: number
  /** Whether trading is halted now and then. */
  readonly halts?: boolean
  /** The price at an instant (epoch seconds) as a part of `price`, where it follows another; default: a walk of its own. */
  readonly level?: (atSec: number) => number
}

export const BLANK: Listing = {
  conId: 0,
  symbol: '',
  secType: 'STK',
  lastTradeDate: '',
  contractMonth: '',
  strike: 0,
  right: '',
  multiplier: '',
  validExchanges: [],
  primaryExchange: '',
  currency: 'USD',
  localSymbol: '',
  tradingClass: '',
  marketName: '',
  longName: '',
  industry: '',
  category: '',
  subcategory: '',
  stockType: '',
  minTick: 0.01,
  priceMagnifier: 1,
  minSize: 1,
  sizeIncrement: 1,
  underConId: 0,
  underSymbol: '',
  underSecType: '',
  timeZoneId: 'US/Eastern',
  secIds: [],
  headSec: 0,
  endSec: undefined,
}

export const NO_OFF_HOURS = { quiet: 0, volume: 0 } as const

/** Real conIds are given where they are well known; the others follow from the name. */
export function idOf(name: string): number {
  return 600_000_000 + (hashText(`conId ${name}`) % 300_000_000)
}

/** Epoch seconds of a date and a UTC time of day. */
export function instant(date: string, clock: string): number {
  return Date.parse(`${date}T${clock}:00Z`) / 1000
}
