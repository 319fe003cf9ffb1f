import type { BarColumns, Contract, ContractDetails, TidegateError } from '@tidegate/core'
import type { Farm } from '@tidegate/relay'
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
  /** Epoch seconds by the gateway's clock when the request went out; never later than that. */
  readonly asOf: number
  readonly notices: readonly { readonly code: number; readonly message: string }[]
}

export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly clientId: number
  readonly marketDataType: number
  readonly clock: Clock
  readonly requestTimeoutMs: number
  /** Waits until one more message that is no request may leave: handshake, cancel, probe. */
  readonly message: () => Promise<void>
  /** Called at farm notices and connectivity messages, as they come. */
  readonly onChange: () => void
  /** What the gateway says of no request (id −1: farms, connectivity, versions), as it comes. What it means is not decided here. */
  readonly onNotice?: (code: number, text: string) => void
  /** Gives up connecting when it aborts. */
  readonly signal: AbortSignal
}

/** One TCP connection to a gateway, from the handshake to its end. Never used again after that: the library keeps stale requests. */
export interface Connection {
  readonly serverVersion: number
  readonly accounts: readonly string[]
  readonly farms: readonly Farm[]
  /** 1100 stands: the gateway itself is cut off from IBKR. */
  readonly cutOff: boolean
  /** Both send their request at once: pacing has let it go already. */
  contracts(contract: Contract, signal: AbortSignal): Promise<ContractDetails[]>
  history(request: GatewayHistory, signal: AbortSignal): Promise<GatewayBars>
  /** Settles when the connection is over, with why. */
  readonly ended: Promise<TidegateError>
  close(): void
}
