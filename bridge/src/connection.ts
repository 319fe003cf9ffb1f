import type { BarColumns, Contract, ContractDetails, TidegateError } from '@tidegate/core'
import type {
  Bar,
  Chain,
  LiveTickType,
  Match,
  Notice,
  Quote,
  RealtimeToShow,
  SessionRow,
  TickColumns,
  TicksToShow,
} from '@tidegate/relay'
import type { Clock } from './clock.ts'

/** One historical request, in the gateway's words. */
export interface GatewayHistory {
  readonly contract: Contract
  readonly barSize: string
  readonly whatToShow: string
  readonly regularHours: boolean
  /** Exclusive, epoch seconds; undefined: now. */
  readonly end: number | undefined
  readonly duration: string
}

export interface GatewayBars {
  readonly bars: BarColumns
  /** IBKR's own "no data". */
  readonly empty: boolean
  /** Epoch seconds by the gateway's clock when the request went out; never later than that, nor than by ours. */
  readonly asOf: number
  readonly notices: readonly Notice[]
}

/** One page of ticks: of `start` and `end`, exactly one. */
export interface GatewayTicksRequest {
  readonly contract: Contract
  readonly whatToShow: TicksToShow
  readonly regularHours: boolean
  readonly start: number | undefined
  readonly end: number | undefined
  readonly count: number
}

export interface GatewayTicks {
  /** As they came: the last second can still be under way. */
  readonly ticks: TickColumns
  readonly empty: boolean
  readonly asOf: number
  readonly notices: readonly Notice[]
}

export interface GatewaySchedule {
  readonly zone: string
  readonly sessions: readonly SessionRow[]
  readonly empty: boolean
}

/** What can be subscribed to. */
export type GatewayLive =
  | {
      readonly kind: 'realtimeBars'
      readonly contract: Contract
      readonly whatToShow: RealtimeToShow
      readonly regularHours: boolean
    }
  | ({ readonly kind: 'bars' } & Omit<GatewayHistory, 'end'>)
  | { readonly kind: 'ticks'; readonly contract: Contract; readonly tickType: LiveTickType }
  | { readonly kind: 'quotes'; readonly contract: Contract; readonly marketDataType: number | undefined }

/** What a subscription brings, one of these at a time. */
export interface LiveEvent {
  /** The bars up to now that bars kept up to date begin with. */
  readonly history?: BarColumns
  readonly bar?: Bar
  readonly ticks?: TickColumns
  /** What has changed. */
  readonly quote?: Quote
  readonly notice?: Notice
}

export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly clientId: number
  readonly marketDataType: number
  readonly clock: Clock
  /** The same, which nobody sets; absent: `clock`. */
  readonly steady?: Clock
  readonly requestTimeoutMs: number
  /** Waits until one more message that is no request may leave: handshake, cancel, probe. */
  readonly message: () => Promise<void>
  /** The gateway has taken the connection; nothing is said yet. */
  readonly onHandshake?: () => void
  /** What the gateway says of no request (id −1: farms, connectivity, versions), as it comes. What it means is not decided here. */
  readonly onNotice?: (code: number, text: string) => void
  /** A message about a request, under the gateway's id of it, whatever became of that. */
  readonly onMessage?: (code: number, text: string, id: number) => void
  /** The gateway's clock is found so many milliseconds ahead of ours. */
  readonly onAhead?: (ms: number) => void
  /** Gives up connecting when it aborts. */
  readonly signal: AbortSignal
}

/** One TCP connection to a gateway, from the handshake to its end. Never used again after that: the library keeps stale requests. */
export interface Connection {
  readonly serverVersion: number
  readonly accounts: readonly string[]
  /** It is Tidegate's simulator. */
  readonly simulated: boolean
  /** The id at the gateway that the next request will have. */
  readonly nextId: number
  /** Epoch milliseconds by the gateway's clock. */
  now(): number
  /** How far that is ahead of ours, milliseconds, where that is worth telling. */
  readonly aheadMs: number | undefined
  /** These send their request at once: pacing has let it go already. When `signal` aborts they are cancelled upstream. */
  contracts(contract: Contract, signal: AbortSignal): Promise<ContractDetails[]>
  search(pattern: string, signal: AbortSignal): Promise<Match[]>
  chains(underlying: Underlying, signal: AbortSignal): Promise<Chain[]>
  history(request: GatewayHistory, signal: AbortSignal): Promise<GatewayBars>
  ticks(request: GatewayTicksRequest, signal: AbortSignal): Promise<GatewayTicks>
  /** Epoch seconds. Its cancel has gone when it resolves: until then IBKR counts it as an open historical request. */
  head(request: Pick<GatewayHistory, 'contract' | 'whatToShow' | 'regularHours'>, signal: AbortSignal): Promise<number>
  sessions(
    request: Pick<GatewayHistory, 'contract' | 'regularHours' | 'end' | 'duration'>,
    signal: AbortSignal,
  ): Promise<GatewaySchedule>
  /** Subscribes, and tells what comes until `signal` aborts, which cancels upstream. Rejects when it ends, with why. */
  live(request: GatewayLive, tell: (event: LiveEvent) => void, signal: AbortSignal): Promise<never>
  /** Settles when the connection is over, with why. */
  readonly ended: Promise<TidegateError>
  close(): void
}

/** What option chains are asked by. */
export interface Underlying {
  readonly symbol: string
  readonly secType: string
  readonly conId: number
  /** The exchange of options on a future; '' otherwise. */
  readonly exchange: string
}
