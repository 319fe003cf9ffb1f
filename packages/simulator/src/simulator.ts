import type { Replayed } from './market/replay/load.ts'
import type { ContractQuery, MarketBar, PriceKind, Replay } from './market/types.ts'

/** Misbehaviour to inject, changeable while the simulator runs. All off by default. */
export interface Faults {
  /** Historical requests get no answer at all. */
  silentHistory: boolean
  /** The next N historical replies break off halfway and the socket closes. */
  dropMidReply: number
  /** The next N historical requests are answered by error 162 with this text instead. */
  refuseHistory: { times: number; text: string } | undefined
  /** Every reply waits this long. */
  delayMs: number
}

export interface SimulatorOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port; `simulator.port` tells which. */
  readonly port?: number
  /** Epoch milliseconds. Default: Date.now; with files to replay, a clock that starts where the newest ends (`replayStartMs`). */
  readonly now?: () => number
  /** Another seed, another market. Default 'tidegate'. */
  readonly seed?: string
  /** Default ['SIM0000001']: no real account begins with SIM. */
  readonly accounts?: readonly string[]
  readonly replay?: readonly Replay[]
  readonly faults?: Partial<Faults>
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
  readonly faults: Faults
  /** Every message received, oldest first, for a test or a judge to read. Keeps the last 100,000. */
  readonly received: readonly Received[]
  /** What the files replayed hold, in the order given. */
  readonly replayed: readonly Replayed[]
  /** The simulator's clock, epoch milliseconds. */
  now(): number
  /** The bars a client should end up with: final ones only, none that is still forming. Does not pass through the wire code. */
  truth(query: TruthQuery): readonly MarketBar[]
  /** Closes every connection and the port. */
  close(): Promise<void>
}
