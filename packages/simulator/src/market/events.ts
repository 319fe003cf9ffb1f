/** What happens to a market's past while it runs: changed at any time, and from then on every answer agrees with it. */
export interface MarketEvents {
  /** Splits: from its instant on, a listing's whole history is told in new shares. */
  splits: readonly Split[]
  /**
   * How long after a future's session its daily close turns from the last trade into the settlement, seconds. Undefined:
   * it stays the last trade.
   */
  settlementDelaySec: number | undefined
}

/** So many new shares for one old. */
export interface Split {
  readonly conId: number
  /** Epoch seconds. */
  readonly atSec: number
  readonly ratio: number
}

/** A market in which nothing happens. */
export const noEvents = (): MarketEvents => ({ splits: [], settlementDelaySec: undefined })
