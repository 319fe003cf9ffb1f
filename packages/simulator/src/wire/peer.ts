import type { Gateway } from './gateway.ts'
import type { Live } from './live.ts'
import type { Reply } from './outbox.ts'

/** A historical request that has had no answer yet. */
export interface OpenRequest {
  /** Names it among those of all clients. */
  readonly key: string
  cancelled: boolean
  /** Answered, and kept up to date from then on: it stays open until cancelled. */
  isKept?: boolean
}

/** The client as the handlers of its requests see it. */
export interface Peer {
  /** Names this connection among all there have been. */
  readonly serial: number
  /** The server version agreed on. */
  readonly version: number
  readonly gateway: Gateway
  /** Historical requests and head timestamps without their end, by request id. */
  readonly open: Map<number, OpenRequest>
  readonly live: Live
  /** Whether it reads so slowly that thousands of messages wait for it. */
  isBehind(): boolean
  send(fields: readonly (string | number)[]): void
  /** An error or notice; `reqId` −1 where it belongs to no request. */
  error(reqId: number, code: number, text: string): void
  /** The bytes of an error, for a reply that is made later. */
  errorBytes(reqId: number, code: number, text: string): Buffer
  reply(reply: Reply): void
  /** Sends half of these bytes and closes. */
  breakOff(bytes: Buffer): void
}
