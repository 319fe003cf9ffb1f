import type { FieldReader } from './fields.ts'
import { frame } from './frames.ts'
import { nowSec } from './gateway.ts'
import { decimal } from './numbers.ts'
import type { Peer } from './peer.ts'
import { invalid } from './refusal.ts'
import { resolve } from './resolve.ts'

/**
 * Message 78: one message (75) for each exchange and trading class of options on an underlying, then the end (76). The
 * underlying is named by its id; an id that is none, or of another symbol or type, is refused (321).
 */
export function reqSecDefOptParams(peer: Peer, reader: FieldReader): void {
  const reqId = reader.reqId()
  const symbol = reader.text().trim()
  const exchange = reader.text().trim().toUpperCase()
  const secType = reader.text().trim().toUpperCase()
  const conId = reader.integer()
  const { market } = peer.gateway
  const now = nowSec(peer.gateway)
  peer.reply(() => {
    const [underlying] = conId === 0 ? [] : resolve(market, { ...NOTHING, conId, symbol, secType }, now)
    if (!underlying) {
      const { code, message } = invalid('Invalid contract id')
      return peer.errorBytes(reqId, code, message)
    }
    const chains = market.chains(underlying, now).filter((chain) => exchange === '' || chain.exchange === exchange)
    const messages = chains.map((chain) => {
      const { expirations, strikes } = chain
      const head = [chain.exchange, chain.underConId, chain.tradingClass, chain.multiplier]
      return frame([75, reqId, ...head, expirations.length, ...expirations, strikes.length, ...strikes.map(decimal)])
    })
    return Buffer.concat([...messages, frame([76, reqId])])
  })
}

const NOTHING = {
  ...{ conId: 0, symbol: '', secType: '', lastTradeDateOrContractMonth: '', strike: 0, right: '', multiplier: '' },
  ...{ exchange: '', primaryExchange: '', currency: '', localSymbol: '', tradingClass: '', includeExpired: false },
}
