import type { Contract as IbContract, ContractDetails as IbDetails } from '@stoqey/ib'
import type { Contract, ContractDetails, SecType } from '@tidegate/core'

/** A contract of ours in the library's words. */
export function toIbContract(contract: Contract): IbContract {
  const { primaryExchange, right, secType, multiplier, ...same } = contract
  return {
    ...same,
    secType: secType as IbContract['secType'],
    right: right as IbContract['right'],
    multiplier: multiplier === undefined ? undefined : Number(multiplier),
    primaryExch: primaryExchange,
  }
}

/** The gateway's details in our words; what it left out is '' or 0. */
export function fromIbDetails(details: IbDetails): ContractDetails {
  const c = details.contract
  return {
    contract: {
      conId: c.conId ?? 0,
      symbol: c.symbol ?? '',
      secType: c.secType as SecType,
      currency: c.currency ?? '',
      exchange: c.exchange ?? '',
      ...optional('lastTradeDateOrContractMonth', c.lastTradeDateOrContractMonth ?? c.lastTradeDate),
      ...(c.strike ? { strike: c.strike } : {}),
      ...(c.right ? { right: String(c.right).startsWith('C') ? ('C' as const) : ('P' as const) } : {}),
      ...optional('multiplier', c.multiplier === undefined ? undefined : String(c.multiplier)),
      ...optional('primaryExchange', c.primaryExch),
      ...optional('localSymbol', c.localSymbol),
      ...optional('tradingClass', c.tradingClass),
    },
    longName: details.longName ?? '',
    minTick: details.minTick ?? 0,
    priceMagnifier: details.priceMagnifier ?? 1,
    timeZoneId: details.timeZoneId ?? '',
    tradingHours: details.tradingHours ?? '',
    liquidHours: details.liquidHours ?? '',
    stockType: details.stockType ?? '',
    industry: details.industry ?? '',
    category: details.category ?? '',
    contractMonth: details.contractMonth ?? '',
    realExpirationDate: details.realExpirationDate ?? '',
    underConId: details.underConId ?? 0,
    minSize: details.minSize ?? 0,
    sizeIncrement: details.sizeIncrement ?? 0,
    validExchanges: (details.validExchanges ?? '').split(',').filter(Boolean),
    secIds: Object.fromEntries((details.secIdList ?? []).map(({ tag, value }) => [tag ?? '', value ?? ''])),
  }
}

/** Text fields come empty where a contract has none, and multipliers come as 0 or NaN. */
function optional<K extends string>(name: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined || value === '' || value === '0' || value === 'NaN'
    ? {}
    : ({ [name]: value } as Record<K, string>)
}
