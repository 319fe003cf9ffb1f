import type { Listing, PriceKind } from './types.ts'

const VOLATILITIES: readonly PriceKind[] = ['HISTORICAL_VOLATILITY', 'OPTION_IMPLIED_VOLATILITY']
const QUOTES: readonly PriceKind[] = ['MIDPOINT', 'BID', 'ASK', 'BID_ASK']

/** IBKR's table of whatToShow by product, as far as this market has bars: https://www.interactivebrokers.com/campus/ibkr-api-page/twsapi-doc/#hist-what-to-show */
const OFFERED: Readonly<Record<Listing['secType'], readonly PriceKind[]>> = {
  STK: ['TRADES', 'ADJUSTED_LAST', ...QUOTES, ...VOLATILITIES, 'FEE_RATE'],
  FUT: ['TRADES', ...QUOTES],
  CONTFUT: ['TRADES', ...QUOTES],
  OPT: ['TRADES', ...QUOTES],
  FOP: ['TRADES', ...QUOTES],
  BOND: ['TRADES', ...QUOTES],
  CRYPTO: ['TRADES', 'AGGTRADES', ...QUOTES],
  IND: ['TRADES', ...VOLATILITIES],
  CASH: QUOTES,
  CFD: QUOTES,
  CMDTY: QUOTES,
}

export function isOffered({ secType }: Listing, whatToShow: string): boolean {
  return (OFFERED[secType] as readonly string[]).includes(whatToShow)
}
