import type { Listing } from '../market/types.ts'
import { invalid } from './refusal.ts'

type SecType = Listing['secType']

interface Generic {
  readonly id: number
  /** An older number of the same; it wins over an id of that number. */
  readonly alias?: number
  readonly name: string
  /** Where only some products have it. */
  readonly of?: readonly SecType[]
}

/** IBKR's generic ticks in its own order and words, as its error 321 lists them to whoever asks for another. */
// biome-ignore format: a table
const GENERICS: readonly Generic[] = [
  { id: 100, name: 'Option Volume' },
  { id: 101, name: 'Option Open Interest' },
  { id: 105, name: 'Average Opt Volume' },
  { id: 106, name: 'impvolat' },
  { id: 162, name: 'Index Future Premium', of: ['IND'] },
  { id: 165, name: 'Misc. Stats' },
  { id: 221, alias: 220, name: 'Creditman Mark Price' },
  { id: 225, name: 'Auction' },
  { id: 232, alias: 221, name: 'Pl Price' },
  { id: 233, name: 'RTVolume' },
  { id: 236, name: 'inventory' },
  { id: 258, alias: 47, name: 'Fundamentals' },
  { id: 292, name: 'Wide_news' },
  { id: 293, name: 'TradeCount' },
  { id: 294, name: 'TradeRate' },
  { id: 295, name: 'VolumeRate' },
  { id: 318, name: 'LastRTHTrade' },
  { id: 375, name: 'RTTrdVolume' },
  { id: 411, name: 'rthistvol' },
  { id: 456, alias: 59, name: 'IBDividends', of: ['STK', 'CFD', 'OPT', 'FOP', 'FUT', 'IND'] },
  { id: 460, name: 'Bond Factor Multiplier' },
  { id: 577, name: 'EtfNavLast(navlast)' },
  { id: 586, name: 'IPOHLMPRC' },
  { id: 587, name: 'Pl Price Delayed' },
  { id: 588, name: 'Futures Open Interest' },
  { id: 595, name: 'Short-Term Volume X Mins', of: ['STK', 'CFD', 'OPT', 'FOP', 'FUT', 'BOND', 'CRYPTO'] },
  { id: 614, name: 'EtfNavMisc(high/low)' },
  { id: 619, name: 'Creditman Slow Mark Price' },
  { id: 623, name: 'EtfFrozenNavLast(fznavlast)' },
]

/** Historical volatility is taken, and stands in no list of IBKR's. */
const UNLISTED = [104]

export interface GenericTicks {
  readonly ids: ReadonlySet<number>
  /** `mdoff`: those alone, without the quote. */
  readonly withoutQuote: boolean
}

/** Reads a request's list of generic ticks, '' for none; throws Refusal 321 where one is unknown or not for this product. */
export function parseGenerics(text: string, secType: SecType): GenericTicks {
  if (text.trim() === '') return { ids: new Set(), withoutQuote: false }
  const parts = text.split(',').map((part) => part.trim())
  const names = parts.filter((part) => part !== '' && part.toLowerCase() !== 'mdoff')
  const ids = names.map((name) => idOf(name, secType))
  if (ids.length === 0 || ids.includes(undefined)) throw invalid(refusalOf(text, secType))
  const found = ids.filter((id) => id !== undefined)
  return { ids: new Set(found), withoutQuote: parts.some((part) => part.toLowerCase() === 'mdoff') }
}

/** A number, which may be followed by a colon and a parameter, as providers of news are named. */
function idOf(name: string, secType: SecType): number | undefined {
  const match = /^\+?(\d{1,9})(?::[^:].*)?$/.exec(name)
  if (!match) return undefined
  const number = Number(match[1])
  if (UNLISTED.includes(number)) return number
  const legal = legalFor(secType)
  return (legal.find(({ alias }) => alias === number) ?? legal.find(({ id }) => id === number))?.id
}

const legalFor = (secType: SecType): readonly Generic[] =>
  GENERICS.filter(({ of }) => of === undefined || of.includes(secType))

function refusalOf(text: string, secType: SecType): string {
  const legal = legalFor(secType).map(({ id, alias, name }) => `${id}${alias ? `/${alias}` : ''}(${name})`)
  return `Incorrect generic tick list of ${text}.  Legal ones for (${secType}) are: ${legal.join(',')}`
}
