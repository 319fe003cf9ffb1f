import type { GatewayEvent } from './events.ts'
import type { Faults } from './faults.ts'
import type { Violation } from './judge.ts'
import type { MarketEvents } from './market/events.ts'
import type { Replayed } from './market/replay/load.ts'
import type { ContractQuery, MarketBar, PriceKind, Replay } from './market/types.ts'
import type { Pulse } from './pulse.ts'

export interface SimulatorOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port; `simulator.port` tells which. */
  readonly port?: number
  /** Epoch milliseconds. Default: Date.now; with files to replay, a clock that starts where the newest ends (`replayStartMs`). */
  readonly now?: () => number
  /** Beats for live data, once a second of the clock. Default: real timers; a test that moves the clock by hand beats by hand. */
  readonly pulse?: Pulse
  /** Another seed, another market. Default 'tidegate'. */
  readonly seed?: string
  /** Default ['SIM0000001']: no real account begins with SIM. */
  readonly accounts?: readonly string[]
  readonly replay?: readonly Replay[]
  readonly faults?: Partial<Faults>
  /**
   * What becomes of requests that break a pacing rule: `strict` refuses them as IBKR does, `lenient` notes and answers
   * them. Bars of a minute and longer are free either way, the message rate and open requests never. Default `lenient`.
   */
  readonly pacing?: 'strict' | 'lenient'
  /** Serves faults, events and violations over HTTP; on 127.0.0.1 unless told otherwise, as it asks for no key. Default: not at all. */
  readonly admin?: { readonly host?: string; readonly port: number }
  /** The newest server version offered, 163 to 200. Default 200; a client's own maximum wins when lower. */
  readonly serverVersion?: number
  /** Told what goes wrong inside: broken framing, a failed reply. Default: nobody. */
  readonly log?: (message: string, error?: unknown) => void
}

/** One message as it came from a client. */
export interface Received {
  readonly atMs: number
  readonly clientId: number | undefined
  readonly messageId: number
  readonly fields: readonly string[]
}

export interface TruthQuery {
  /** Any part that finds exactly one listing, e.g. `{ symbol: 'AAPL', secType: 'STK', primaryExchange: 'NASDAQ' }`. */
  readonly contract: Partial<ContractQuery>
  readonly barSize: string
  readonly whatToShow: PriceKind
  readonly useRTH: boolean
  /** `[startSec, endSec)` of bar starts, epoch seconds. */
  readonly startSec: number
  readonly endSec: number
}

export interface Simulator {
  readonly host: string
  readonly port: number
  /** Where the admin interface listens. */
  readonly admin: { readonly host: string; readonly port: number } | undefined
  readonly faults: Faults
  /** Splits and late settlements of the market, changeable while it runs. */
  readonly marketEvents: MarketEvents
  /** Every message received, oldest first, for a test or a judge to read. Keeps the last 100,000. */
  readonly received: readonly Received[]
  /** Every breach of a pacing rule, oldest first, whether it was refused or not. Keeps the last 100,000. */
  readonly violations: readonly Violation[]
  /** What the files replayed hold, in the order given. */
  readonly replayed: readonly Replayed[]
  /** The simulator's clock, epoch milliseconds. */
  now(): number
  /** Makes something happen to the gateway; resolves when it has. */
  event(event: GatewayEvent): Promise<void>
  /** The bars a client should end up with: final ones only, none that is still forming. Does not pass through the wire code. */
  truth(query: TruthQuery): readonly MarketBar[]
  /** Closes every connection and the port. */
  close(): Promise<void>
}
