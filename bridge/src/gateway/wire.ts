import type { IBApi } from '@stoqey/ib'
import type { BarColumns, ContractDetails } from '@tidegate/core'
import type { Bar, Chain, Match, Quote, TickColumns } from '@tidegate/relay'
import type { OpenRequest, Requests } from '../requests.ts'

/** An open request, by what its answers are made of: each kind hears its own. */
export interface Request extends OpenRequest {
  details?(details: ContractDetails): void
  matches?(matches: Match[]): void
  chain?(chain: Chain): void
  bars?(bars: BarColumns): void
  bar?(bar: Bar): void
  ticks?(ticks: TickColumns, done: boolean): void
  head?(text: string): void
  schedule?(zone: string, sessions: readonly LocalSession[]): void
  quote?(quote: Quote): void
  /** The last of several messages. */
  end?(): void
}

/** A session as the gateway writes it: `20260312-09:30:00` in its own zone. */
export interface LocalSession {
  readonly start: string
  readonly end: string
  readonly date: string
}

/** The connection, for what asks over it. */
export interface Wire {
  readonly ib: IBApi
  readonly requests: Requests<Request>
  /** Calls the library to send at once: for requests, which pacing has let go already. */
  hand(message: () => void): void
  /** Sends what is no request when its turn comes. */
  send(message: () => void): Promise<void>
  /** Epoch seconds by the gateway's clock or ours, whichever is behind: what had ended by then is over. */
  asOf(): number
}
