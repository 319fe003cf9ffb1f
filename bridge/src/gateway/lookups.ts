import type { SecType } from '@stoqey/ib'
import type { Contract, ContractDetails } from '@tidegate/core'
import type { Chain, Match } from '@tidegate/relay'
import type { Underlying } from '../connection.ts'
import { toIbContract } from './details.ts'
import type { Wire } from './wire.ts'

/** IBKR has no cancel for these: what still comes is for an id that nobody waits for. */
const cancel = () => {}
/** None of them is asked of the history servers, whose word "no data" is. */
const aside = { notice: () => {}, noData: () => false }

/** Everything the gateway says of the contracts that fit. */
export function askContracts(
  { ib, requests, hand }: Wire,
  contract: Contract,
  signal: AbortSignal,
): Promise<ContractDetails[]> {
  const found: ContractDetails[] = []
  return requests.open(
    signal,
    (resolve, fail) => ({ ...aside, details: (one) => found.push(one), end: () => resolve(found), fail }),
    { send: (id) => hand(() => ib.reqContractDetails(id, toIbContract(contract))), cancel },
  )
}

/** The contracts whose symbol or name begins so; none is an answer too. */
export function askMatches({ ib, requests, hand }: Wire, pattern: string, signal: AbortSignal): Promise<Match[]> {
  return requests.open(signal, (resolve, fail) => ({ ...aside, matches: resolve, fail }), {
    send: (id) => hand(() => ib.reqMatchingSymbols(id, pattern)),
    cancel,
  })
}

/** The option chains of an underlying, one an exchange and trading class. */
export function askChains({ ib, requests, hand }: Wire, underlying: Underlying, signal: AbortSignal): Promise<Chain[]> {
  const { symbol, exchange, secType, conId } = underlying
  const found: Chain[] = []
  return requests.open(
    signal,
    (resolve, fail) => ({ ...aside, chain: (one) => found.push(one), end: () => resolve(found), fail }),
    { send: (id) => hand(() => ib.reqSecDefOptParams(id, symbol, exchange, secType as SecType, conId)), cancel },
  )
}
