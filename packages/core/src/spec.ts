import type { SecType } from './contract.ts'
import { TidegateError } from './errors.ts'

export const UNITS = ['SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH'] as const
export type Unit = (typeof UNITS)[number]

/** What a bar is made of, in the words of users; `whatToShow` turns it into IBKR's. */
export const PRICES = [
  'LAST',
  'MID',
  'BID',
  'ASK',
  'BID_ASK',
  'ADJUSTED_LAST',
  'HISTORICAL_VOLATILITY',
  'OPTION_IMPLIED_VOLATILITY',
  'FEE_RATE',
] as const
export type Price = (typeof PRICES)[number]

/** Which hours of a day count: `regular` is IBKR's useRTH. */
export const HOURS = ['regular', 'all'] as const
export type Hours = (typeof HOURS)[number]

/** A bar specification such as `1-MINUTE-LAST`. */
export interface BarSpec {
  readonly step: number
  readonly unit: Unit
  readonly price: Price
}

interface BarSize {
  /** IBKR's literal text. */
  readonly text: string
  /** Nominal length in seconds; a month's is 31 days, the longest. */
  readonly sec: number
}

/** Every legal bar size (IBKR's TWS API documentation, "Valid Bar Sizes"; `1 sec` has been refused since 2023). */
const SIZES: Record<
  Unit,
  { readonly steps: readonly number[]; readonly word: [one: string, many: string]; readonly sec: number }
> = {
  SECOND: { steps: [1, 5, 10, 15, 30], word: ['secs', 'secs'], sec: 1 },
  MINUTE: { steps: [1, 2, 3, 5, 10, 15, 20, 30], word: ['min', 'mins'], sec: 60 },
  HOUR: { steps: [1, 2, 3, 4, 8], word: ['hour', 'hours'], sec: 3600 },
  DAY: { steps: [1], word: ['day', 'day'], sec: 86_400 },
  WEEK: { steps: [1], word: ['week', 'week'], sec: 7 * 86_400 },
  MONTH: { steps: [1], word: ['month', 'month'], sec: 31 * 86_400 },
}

const GRAMMAR = new RegExp(`^(\\d{1,3})-(${UNITS.join('|')})-(${PRICES.join('|')})$`)

/** Reads `15-MINUTE-MID`. Throws `invalid`, naming what was expected, on anything else or on a step IBKR has no bars for. */
export function parseSpec(text: string): BarSpec {
  const match = GRAMMAR.exec(text.trim().toUpperCase())
  if (!match) {
    throw new TidegateError(
      'invalid',
      `"${text}" is no bar specification: expected STEP-UNIT-PRICE such as 1-MINUTE-LAST, ` +
        `with a unit of ${UNITS.join(', ')} and a price of ${PRICES.join(', ')}.`,
    )
  }
  const spec: BarSpec = { step: Number(match[1]), unit: match[2] as Unit, price: match[3] as Price }
  if (!SIZES[spec.unit].steps.includes(spec.step)) {
    throw new TidegateError(
      'invalid',
      `IBKR has no ${spec.step}-${spec.unit} bars ("${text}"): steps for ${spec.unit} are ${SIZES[spec.unit].steps.join(', ')}.`,
    )
  }
  return spec
}

/** `1-MINUTE-LAST`. */
export function formatSpec(spec: BarSpec): string {
  return `${spec.step}-${spec.unit}-${spec.price}`
}

/** IBKR's literal text and the nominal length of a spec's bars. */
export function barSize(spec: BarSpec): BarSize {
  const { word, sec } = SIZES[spec.unit]
  return { text: `${spec.step} ${spec.step === 1 ? word[0] : word[1]}`, sec: spec.step * sec }
}

/** Whether the bars carry a date instead of a time: daily, weekly, monthly. */
export function isDated(spec: BarSpec): boolean {
  return spec.unit === 'DAY' || spec.unit === 'WEEK' || spec.unit === 'MONTH'
}

const TIMEFRAMES: Record<string, readonly [step: number, unit: Unit]> = {
  '1MIN': [1, 'MINUTE'],
  '5MIN': [5, 'MINUTE'],
  '1HOUR': [1, 'HOUR'],
  DAILY: [1, 'DAY'],
}

/** Products that have no trades at IBKR, so that their bars are made of quotes (IBKR's whatToShow table). */
export function hasTrades(secType: SecType): boolean {
  return secType !== 'CASH' && secType !== 'CFD' && secType !== 'CMDTY'
}

/**
 * Reads a timeframe (`1MIN 5MIN 1HOUR DAILY`) or any spec, for a kind of product:
 * a timeframe means LAST where the product trades and MID where it has quotes only.
 */
export function parseTimeframe(text: string, secType: SecType): BarSpec {
  const short = TIMEFRAMES[text.trim().toUpperCase()]
  if (!short) {
    // Whoever writes three parts means a bar specification, and is told what is wrong with it.
    if (text.split('-').length > 2) return parseSpec(text)
    throw new TidegateError(
      'invalid',
      `"${text}" is no timeframe: expected ${Object.keys(TIMEFRAMES).join(', ')} or a bar specification such as 15-MINUTE-MID.`,
    )
  }
  return { step: short[0], unit: short[1], price: hasTrades(secType) ? 'LAST' : 'MID' }
}

/** IBKR's whatToShow for a price on a kind of product. Throws `invalid` where IBKR's table has no such data. */
export function whatToShow(price: Price, secType: SecType): string {
  const refuse = (why: string): never => {
    throw new TidegateError('invalid', `IBKR has no ${price} bars for ${secType}: ${why}.`)
  }
  switch (price) {
    case 'LAST':
      if (!hasTrades(secType)) return refuse('use MID, BID or ASK')
      return secType === 'CRYPTO' ? 'AGGTRADES' : 'TRADES'
    case 'ADJUSTED_LAST':
      return secType === 'STK' ? price : refuse('stocks and ETFs only')
    case 'FEE_RATE':
      return secType === 'STK' ? price : refuse('stocks and ETFs only')
    case 'HISTORICAL_VOLATILITY':
    case 'OPTION_IMPLIED_VOLATILITY':
      return secType === 'STK' || secType === 'IND' ? price : refuse('stocks, ETFs and indices only')
    default:
      if (secType === 'IND') return refuse('indices have trades only, use LAST')
      return price === 'MID' ? 'MIDPOINT' : price
  }
}
