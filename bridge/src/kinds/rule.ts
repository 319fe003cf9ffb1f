import type { Contract, SecType } from '@tidegate/core'
import type { RuledRequest } from '../pacing/rules.ts'

const SECONDS: Readonly<Record<string, number>> = {
  ...{ secs: 1, min: 60, mins: 60, hour: 3600, hours: 3600 },
  ...{ day: 86_400, week: 7 * 86_400, month: 31 * 86_400 },
}

/** Nominal length of one of IBKR's bar sizes, seconds. */
export function barSec(barSize: string): number {
  const [count, unit = ''] = barSize.split(' ')
  return Number(count) * (SECONDS[unit] ?? 0)
}

/** A share or an index is meant by its symbol; of anything else, one symbol stands for many contracts. */
const ONE_A_SYMBOL: ReadonlySet<SecType> = new Set(['STK', 'IND'])

/**
 * What stands for a contract in the rule of fewer than six requests in two seconds. IBKR counts by the contract, however
 * it is named: by its id, by its symbol, with its currency or without. Which names mean the same contract, the bridge does
 * not know for sure: what it was once told of one (its details) can be of yesterday, or of another bridge. So it counts
 * by the symbol and the kind of product, which all of those names have in common: several contracts of one symbol, as
 * the months of a future, then share what each of them would have had, and none has more. That costs a burst some
 * seconds; the sixty in ten minutes it leaves as they are.
 *
 * What has no symbol, an id or a local symbol alone, counts by that: whoever asks for the same contract by both in turn
 * is not seen through.
 */
function contractKey({ symbol, conId, secType, localSymbol, ...named }: Contract): string {
  // The contract that a continuous future stands for is one of those.
  const product = secType === 'CONTFUT' ? 'FUT' : secType
  if (symbol !== undefined) return `${symbol} ${product}`
  return conId === undefined ? `${localSymbol ?? JSON.stringify(named)} ${product}` : String(conId)
}

/** As little of a contract as says which it is: of two requests for the same, the texts should be equal. */
function plainContract(contract: Contract): object {
  const { symbol, conId, secType, exchange, includeExpired } = contract
  if (symbol !== undefined && ONE_A_SYMBOL.has(secType)) return { symbol, secType, exchange }
  return conId === undefined ? contract : { conId, exchange, includeExpired }
}

/**
 * Canonical text of a request for the rule against identical ones: one contract that is named in two ways is one, as far
 * as the names tell. Coarser than what answers are shared by: two shares of one symbol wait for one another.
 */
export function identityOf(kind: string, request: object): string {
  return JSON.stringify([kind, request], (name, value) => (name === 'contract' ? plainContract(value) : value))
}

/** What IBKR's rules look at of a request for this contract. */
export function ruleOf(
  kind: RuledRequest['kind'],
  contract: Contract,
  whatToShow: string,
  barSize?: string,
): Omit<RuledRequest, 'identity'> {
  return {
    kind,
    contract: contractKey(contract),
    exchange: contract.exchange,
    whatToShow,
    barSec: barSize === undefined ? undefined : barSec(barSize),
  }
}
