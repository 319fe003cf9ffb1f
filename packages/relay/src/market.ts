import type { Contract } from '@tidegate/core'

/** Where a contract is traded, as far as its request says. */
export interface Market {
  readonly secType: string
  /** The exchange it is listed at; undefined for one that is only routed (`SMART`). */
  readonly venue: string | undefined
}

/** `NASDAQ`: all that is listed there; `CASH:*`: all of a type; `STK:NYSE`: both; `*`: everything. */
export const MARKET_PATTERN = /^(?:[A-Z]+:)?(?:[A-Z0-9][A-Z0-9._]{0,31}|\*)$/

const ROUTED = 'SMART'

/** The market of a contract as it is asked for. */
export function marketOf({
  secType,
  exchange,
  primaryExchange,
}: Pick<Contract, 'secType' | 'exchange' | 'primaryExchange'>): Market {
  return { secType, venue: primaryExchange ?? (exchange === ROUTED ? undefined : exchange) }
}

/** Its name: `STK:NASDAQ`; `STK:SMART` where nobody knows where it is listed. */
export function marketName({ secType, venue = ROUTED }: Market): string {
  return `${secType}:${venue}`
}

/** Whether one of the patterns is meant of this market; no patterns mean all. One whose venue is not known may be any of its type. */
export function isOf({ secType, venue }: Market, patterns: readonly string[] | undefined): boolean {
  if (!patterns) return true
  return patterns.some((pattern) => {
    const [place = '', type] = pattern.split(':').reverse()
    return (type === undefined || type === secType) && (place === '*' || venue === undefined || place === venue)
  })
}
