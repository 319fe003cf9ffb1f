import type { Market } from '../market/types.ts'
import type { Faults, Received } from '../simulator.ts'

/** What the connections of one simulator share. */
export interface Gateway {
  readonly market: Market
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly accounts: readonly string[]
  /** The newest version offered, 163 to 200. */
  readonly serverVersion: number
  /** Read at the time of use: a test changes them while connections stand. */
  readonly faults: Faults
  readonly log: (message: string, error?: unknown) => void
  readonly record: (received: Received) => void
  /** Client ids in use; a second connection with one of them is refused. */
  readonly clientIds: Set<number>
}

/** The market's clock in whole epoch seconds. */
export const nowSec = (gateway: Gateway): number => Math.floor(gateway.now() / 1000)
