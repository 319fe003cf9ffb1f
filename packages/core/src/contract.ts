/** The kinds of product, as IBKR's API names them. */
export const SEC_TYPES = [
  'STK',
  'CASH',
  'CRYPTO',
  'IND',
  'FUT',
  'CONTFUT',
  'OPT',
  'FOP',
  'CFD',
  'CMDTY',
  'BOND',
] as const
export type SecType = (typeof SEC_TYPES)[number]

/** What IBKR trades, as its API names it. An absent field is left out, never ''. */
export interface Contract {
  readonly conId?: number
  readonly symbol?: string
  readonly secType: SecType
  /** `yyyymm` or `yyyymmdd`. */
  readonly lastTradeDateOrContractMonth?: string
  readonly strike?: number
  readonly right?: 'C' | 'P'
  readonly multiplier?: string
  readonly exchange: string
  readonly primaryExchange?: string
  readonly currency?: string
  readonly localSymbol?: string
  readonly tradingClass?: string
  readonly includeExpired?: boolean
}

/** What the gateway says of one contract: the part that Tidegate stores as an instrument. */
export interface ContractDetails {
  readonly contract: Contract & { readonly conId: number; readonly symbol: string; readonly currency: string }
  readonly longName: string
  readonly minTick: number
  readonly priceMagnifier: number
  /** As IBKR names zones: `US/Eastern`. */
  readonly timeZoneId: string
  /** IBKR's own texts for the coming days, `20260402:0930-20260402:1600;…`. */
  readonly tradingHours: string
  readonly liquidHours: string
  readonly stockType: string
  readonly industry: string
  readonly category: string
  readonly contractMonth: string
  readonly realExpirationDate: string
  readonly underConId: number
  readonly minSize: number
  readonly sizeIncrement: number
  readonly validExchanges: readonly string[]
  readonly secIds: Readonly<Record<string, string>>
}
