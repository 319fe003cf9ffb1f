import type { ContractDescription } from '@stoqey/ib'
import type { Chain, Match } from '@tidegate/relay'

/** A contract that was searched for, in our words; what the gateway left out is ''. */
export function fromIbMatch({ contract, derivativeSecTypes }: ContractDescription): Match {
  return {
    conId: contract?.conId ?? 0,
    symbol: contract?.symbol ?? '',
    secType: contract?.secType ?? '',
    primaryExchange: contract?.primaryExch ?? '',
    currency: contract?.currency ?? '',
    description: contract?.description ?? '',
    derivatives: (derivativeSecTypes ?? []).map(String),
  }
}

/** A chain of options, expiries and strikes in order. The library reads the multiplier as a number, whatever its types say. */
export function fromIbChain(
  exchange: string,
  underConId: number,
  tradingClass: string,
  multiplier: string | number,
  expirations: readonly string[],
  strikes: readonly number[],
): Chain {
  return {
    exchange,
    underConId,
    tradingClass,
    multiplier: String(multiplier),
    expirations: [...expirations].sort(),
    strikes: [...strikes].sort((a, b) => a - b),
  }
}
