import type { Contract, SecType } from './contract.ts'
import { SEC_TYPES } from './contract.ts'
import { TidegateError } from './errors.ts'
import { CRYPTO_VENUES, FUTURES_VENUES, venueName } from './venue.ts'

/**
 * Instrument ids, `SYMBOL.VENUE`: read by venue first, then by shape, a stock as the fallback.
 * The venue may be IBKR's name or its MIC. Without a venue a pair is FX at IDEALPRO and anything else a US stock.
 */

const PAIR = /^([A-Z0-9]{2,8})\/([A-Z]{3,4})$/
const FX = /^[A-Z]{3}\/[A-Z]{3}$/
const FUTURE = /^([A-Z0-9]{1,5})([FGHJKMNQUVXZ])(\d{1,2})$/
const EUREX_FUTURE = /^([A-Z0-9]+) ([A-Z0-9]+) (\d{8})$/
const FUTURE_OPTION = /^([A-Z0-9]{2,5}[FGHJKMNQUVXZ]\d) ([CP])(\d+(?:\.\d+)?)$/
const EUREX_OPTION = /^([CP]) ([A-Z0-9]+) (\d{8}) (\d+(?:\.\d+)?)$/
const OCC = /^([A-Z]{1,6}) *(\d{6})([CP])(\d{8})$/
const RAW = /^(.+)=([A-Z]+)\.([A-Z0-9/]+)$/
const SYMBOL = /^[A-Z0-9][A-Z0-9 .+-]{0,31}$/
const VENUE = /^[A-Z][A-Z0-9]{1,11}$/
/** Venues whose own name holds a dot. */
const DOTTED = [...FUTURES_VENUES].filter((venue) => venue.includes('.'))
const MONTH_CODES = 'FGHJKMNQUVXZ'

/** The contract an instrument id asks for. Throws `invalid`, naming the id and what was expected, when it is none. */
export function parseInstrument(id: string): Contract {
  const text = id.trim().toUpperCase()
  const raw = RAW.exec(text)
  if (raw) return parseRaw(id, raw)
  const { symbol, venue } = split(text)
  if (!symbol || (venue !== undefined && !VENUE.test(venue.replace('.', '')))) throw malformed(id)
  const contract = venue === undefined ? bare(symbol) : atVenue(symbol, venueName(venue))
  if (!contract) throw malformed(id)
  return contract
}

function split(text: string): { symbol: string; venue: string | undefined } {
  const dotted = DOTTED.find((venue) => text.endsWith(`.${venue}`))
  const at = dotted ? text.length - dotted.length - 1 : text.lastIndexOf('.')
  return at < 0 ? { symbol: text, venue: undefined } : { symbol: text.slice(0, at), venue: text.slice(at + 1) }
}

function bare(symbol: string): Contract | undefined {
  if (FX.test(symbol)) return atVenue(symbol, 'IDEALPRO')
  return SYMBOL.test(symbol)
    ? { secType: 'STK', localSymbol: stockSymbol(symbol), exchange: 'SMART', currency: 'USD' }
    : undefined
}

function atVenue(symbol: string, exchange: string): Contract | undefined {
  if (exchange === 'IDEALPRO') return FX.test(symbol) ? pair('CASH', symbol, exchange) : undefined
  if (CRYPTO_VENUES.has(exchange)) return pair('CRYPTO', symbol, exchange)
  if (exchange === 'IBCFD') return pair('CFD', symbol, 'SMART') ?? plain('CFD', symbol, 'SMART')
  if (exchange === 'IBCMDTY') return plain('CMDTY', symbol, 'SMART')
  if (symbol.startsWith('^')) return plain('IND', symbol.slice(1), exchange)
  if (FUTURES_VENUES.has(exchange)) return derivative(symbol, exchange)
  return option(symbol, exchange) ?? stock(symbol, exchange)
}

function pair(secType: SecType, text: string, exchange: string): Contract | undefined {
  const match = PAIR.exec(text)
  return match ? { secType, symbol: match[1], currency: match[2], exchange } : undefined
}

function plain(secType: SecType, symbol: string, exchange: string): Contract | undefined {
  return SYMBOL.test(symbol) ? { secType, symbol, exchange } : undefined
}

function stock(symbol: string, exchange: string): Contract | undefined {
  if (!SYMBOL.test(symbol)) return undefined
  const routed = exchange === 'SMART' ? {} : { primaryExchange: exchange }
  return { secType: 'STK', localSymbol: stockSymbol(symbol), exchange: 'SMART', ...routed }
}

/** IBKR writes share classes with a space (`BF B`), ids with a hyphen. */
function stockSymbol(symbol: string): string {
  return symbol.replaceAll('-', ' ')
}

/** Expired contracts stay askable: IBKR keeps a future's history for two years past its expiry, but only with includeExpired. */
function derivative(symbol: string, exchange: string): Contract | undefined {
  const eurex = EUREX_FUTURE.exec(symbol)
  if (eurex) {
    const [, underlying, tradingClass, date] = eurex
    return {
      secType: 'FUT',
      symbol: underlying,
      tradingClass,
      lastTradeDateOrContractMonth: date,
      exchange,
      includeExpired: true,
    }
  }
  const eurexOption = EUREX_OPTION.exec(symbol)
  if (eurexOption) {
    const [, right, tradingClass, date, strike] = eurexOption
    return {
      secType: 'OPT',
      tradingClass,
      right: right as 'C' | 'P',
      lastTradeDateOrContractMonth: date,
      strike: Number(strike),
      exchange,
    }
  }
  const fop = FUTURE_OPTION.exec(symbol)
  if (fop) return { secType: 'FOP', localSymbol: symbol, exchange }
  const future = FUTURE.exec(symbol)
  if (future) return datedFuture(future, exchange)
  return /^[A-Z0-9]{1,9}$/.test(symbol) ? { secType: 'CONTFUT', symbol, exchange } : undefined
}

/** `ESM4` as it is; `ESM24` says its decade, which IBKR takes as the contract month beside the one-digit local symbol. */
function datedFuture([, root = '', code = '', year = '']: readonly string[], exchange: string): Contract {
  const localSymbol = `${root}${code}${year.slice(-1)}`
  const month = String(MONTH_CODES.indexOf(code) + 1).padStart(2, '0')
  const decade = year.length === 2 ? { lastTradeDateOrContractMonth: `20${year}${month}` } : {}
  return { secType: 'FUT', localSymbol, ...decade, exchange, includeExpired: true }
}

function option(symbol: string, exchange: string): Contract | undefined {
  const match = OCC.exec(symbol)
  if (!match) return undefined
  const [, root = '', date = '', right = '', strike = ''] = match
  return { secType: 'OPT', localSymbol: `${root.padEnd(6)}${date}${right}${strike}`, exchange, currency: 'USD' }
}

function parseRaw(id: string, [, localSymbol = '', secType = '', exchange = '']: readonly string[]): Contract {
  if (!SEC_TYPES.includes(secType as SecType)) {
    throw new TidegateError('invalid', `"${id}" names the type ${secType}: expected one of ${SEC_TYPES.join(', ')}.`)
  }
  return { secType: secType as SecType, localSymbol, exchange: exchange.replaceAll('/', '.') }
}

function malformed(id: string): TidegateError {
  return new TidegateError(
    'invalid',
    `"${id}" is no instrument id: expected SYMBOL.VENUE such as AAPL.NASDAQ, EUR/USD.IDEALPRO, ESZ6.CME or ^SPX.CBOE.`,
  )
}

/** The id of a contract as the gateway describes it: the same contract always gets the same id, however it was asked for. */
export function instrumentId(contract: Contract & { readonly symbol: string; readonly currency: string }): string {
  const { secType, symbol, currency, exchange } = contract
  const local = contract.localSymbol || symbol
  const venue = contract.primaryExchange || exchange
  switch (secType) {
    case 'CASH':
    case 'CRYPTO':
      return `${symbol}/${currency}.${exchange}`
    case 'CFD':
      return /^[A-Z]{3}$/.test(symbol) && local.includes('.') ? `${symbol}/${currency}.IBCFD` : `${symbol}.IBCFD`
    case 'CMDTY':
      return `${symbol}.IBCMDTY`
    case 'IND':
      return `^${symbol}.${exchange}`
    case 'CONTFUT':
      return `${symbol}.${exchange}`
    case 'FUT':
      return FUTURE.test(local)
        ? `${local}.${exchange}`
        : `${symbol} ${contract.tradingClass} ${contract.lastTradeDateOrContractMonth}.${exchange}`
    case 'STK':
      return `${local.replaceAll(' ', '-')}.${venue}`
    default:
      return `${local}.${exchange}`
  }
}
