import type { Faults } from '../faults.ts'
import type { PacingJudge, Violation } from '../judge.ts'
import type { Market } from '../market/types.ts'
import type { Pulse } from '../pulse.ts'
import type { Received } from '../simulator.ts'
import type { Peer } from './peer.ts'

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
  /** Whether a request that breaks a pacing rule is refused, or noted and answered all the same. */
  readonly pacing: 'strict' | 'lenient'
  /** Judges all connections together, as one login. */
  readonly judge: PacingJudge
  readonly violated: (violation: Violation) => void
  /** Drives live data. */
  readonly pulse: Pulse
  readonly log: (message: string, error?: unknown) => void
  readonly record: (received: Received) => void
  /** Client ids in use; a second connection with one of them is refused. */
  readonly clientIds: Set<number>
  /** Clients that have started their API. */
  readonly peers: Set<Peer>
}

/** The market's clock in whole epoch seconds. */
export const nowSec = (gateway: Gateway): number => Math.floor(gateway.now() / 1000)
