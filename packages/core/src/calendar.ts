import type { Contract } from './contract.ts'

/**
 * The name of the sessions a contract trades in: contracts of one name share them, so that they are asked for once.
 * A stock's are its exchange's; of everything else the symbol counts as well, a pair's with its currency. Undefined for
 * what IBKR gives no sessions of (options: ibkr-rules, "whatToShow"; SCHEDULE), and for what no exchange is known of.
 */
export function calendarOf(contract: Contract): string | undefined {
  const { secType, symbol, exchange, primaryExchange, currency } = contract
  switch (secType) {
    case 'STK': {
      const home = primaryExchange || exchange
      return home === '' || home === 'SMART' ? undefined : `STK ${home}`
    }
    case 'FUT':
    case 'CONTFUT':
      return symbol && exchange ? `FUT ${symbol} ${exchange}` : undefined
    case 'IND':
    case 'CMDTY':
      return symbol && exchange ? `${secType} ${symbol} ${exchange}` : undefined
    case 'CASH':
    case 'CRYPTO':
    case 'CFD':
      return symbol && exchange ? `${secType} ${symbol}/${currency ?? ''} ${exchange}` : undefined
    default:
      return undefined
  }
}
