import type { ContractDetails } from '@tidegate/core'

/** Details of a stock whose fields no benchmark looks at, but for those that it gives. */
export function detailsOf(more: Partial<ContractDetails> = {}): ContractDetails {
  const contract = { conId: 1, symbol: 'S', secType: 'STK', exchange: 'SMART', primaryExchange: 'NASDAQ' } as const
  // biome-ignore format: what no benchmark looks at.
  return {
    contract: { ...contract, currency: 'USD' }, longName: '', minTick: 0.01, priceMagnifier: 1, timeZoneId: 'US/Eastern',
    tradingHours: '', liquidHours: '', stockType: 'COMMON', industry: '', category: '', contractMonth: '',
    realExpirationDate: '', underConId: 0, minSize: 1, sizeIncrement: 1, validExchanges: [], secIds: {}, ...more,
  }
}
