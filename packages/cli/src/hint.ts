import { frontQuarter } from './quarter.ts'

const CURRENCIES = new Set('AUD CAD CHF CNH CZK DKK EUR GBP HKD HUF ILS JPY MXN NOK NZD PLN SEK SGD USD ZAR'.split(' '))
/** Roots that people write for the future itself, and where its quarterly contracts trade. */
const QUARTERLY: Readonly<Record<string, string>> = {
  ES: 'CME',
  MES: 'CME',
  NQ: 'CME',
  MNQ: 'CME',
  RTY: 'CME',
  '6E': 'CME',
  '6B': 'CME',
  '6J': 'CME',
  YM: 'CBOT',
  MYM: 'CBOT',
}
const OTHERS: Readonly<Record<string, string>> = {
  SPX: '^SPX.CBOE',
  VIX: '^VIX.CBOE',
  NDX: '^NDX.NASDAQ',
  BTC: 'BTC/USD.PAXOS',
  ETH: 'ETH/USD.PAXOS',
  BTCUSD: 'BTC/USD.PAXOS',
  ETHUSD: 'ETH/USD.PAXOS',
}

/** The instrument id that was probably meant by a name as other programs write it: `EURUSD`, `EUR.USD`, `ES`, `ESZ6`. */
export function meantBy(name: string, nowSec: number): string | undefined {
  const text = name.trim().toUpperCase()
  const [, base = '', quote = ''] = /^([A-Z]{3})[.\-_ ]?([A-Z]{3})$/.exec(text) ?? []
  if (CURRENCIES.has(base) && CURRENCIES.has(quote)) return `${base}/${quote}`
  const other = OTHERS[text]
  if (other) return other
  const [, root = '', month = ''] = /^([A-Z0-9]{2,3}?)([HMUZ]\d{1,2})?$/.exec(text) ?? []
  const venue = QUARTERLY[root]
  if (!venue) return undefined
  return `${month ? root + month : frontQuarter(root, nowSec)}.${venue}`
}

/** A message with what was probably meant behind it, where that can be told. */
export function hinted(message: string, names: readonly string[], nowSec: number): string {
  const meant = names.flatMap((name) => meantBy(name, nowSec) ?? [])
  return meant.length === 0 ? message : `${message.replace(/\.$/, '')}. Did you mean ${meant.join(', ')}?`
}
