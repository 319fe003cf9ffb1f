import { type ErrorBody, PRIORITIES } from '@tidegate/core'
import { z } from 'zod'

export const farmSchema = z.object({
  name: z.string(),
  kind: z.enum(['market', 'history', 'definition']),
  state: z.enum(['ok', 'inactive', 'broken', 'connecting']),
  /** Since when it is in this state, by the bridge's clock. */
  since: z.iso.datetime(),
})

/** `GET /v1/status`. */
export const statusSchema = z.object({
  gateway: z.object({
    host: z.string(),
    port: z.int(),
    /** Whether history can be asked for: not yet, yes, or not any more. */
    state: z.enum(['connecting', 'ready', 'down']),
    /** Where the login stands: `degraded` is connected with a server of IBKR's out of reach. */
    phase: z.enum(['connecting', 'handshaking', 'ready', 'degraded', 'competing', 'login-required']),
    /** Why it is not ready, in words a person can act on. */
    reason: z.string().optional(),
    serverVersion: z.int().optional(),
    connectedAt: z.string().optional(),
    /** When a connection with an account last stood, ISO 8601, where none does now. */
    lastUpAt: z.string().optional(),
    /** The gateway's own clock, ISO 8601, where it is connected. */
    time: z.string().optional(),
    /** How far that is ahead of the bridge's, milliseconds, where it is more than a few seconds: one of the two is wrong. */
    aheadMs: z.number().optional(),
    /** Account numbers, all but the first letters and the last two digits masked. */
    accounts: z.array(z.string()),
    mode: z.enum(['paper', 'live', 'unknown']),
    /** The gateway is Tidegate's simulator: its data are made up. */
    simulated: z.boolean(),
    farms: z.array(farmSchema),
  }),
  /** How much of what IBKR's rules allow is used, at this instant. */
  pacing: z.object({
    /** Requests with the gateway, and how many may be. */
    open: z.int(),
    maxOpen: z.int(),
    /** Requests that wait to go, and how many of each priority. */
    queued: z.int(),
    queuedBy: z.record(z.enum(PRIORITIES), z.int()),
    messagesInLastSecond: z.int(),
    maxMessagesPerSecond: z.int(),
    /** What may go yet: messages in this second, weight of the small class in these ten minutes, open requests. */
    left: z.object({ messages: z.int(), small: z.int(), open: z.int() }),
    /** For how long everything, or the small class, holds since the gateway complained, milliseconds; 0: it does not. */
    heldMs: z.object({ messages: z.number(), small: z.number() }),
    /** Why nothing goes at all, in words a person can act on: the Redis of the bridges can't be reached. */
    trouble: z.string().optional(),
  }),
})

export type BridgeStatus = z.infer<typeof statusSchema>
export type Farm = z.infer<typeof farmSchema>

/** One bridge of several: what it says, or why it says nothing. */
export type BridgeReport = { readonly name: string } & (
  | ({ readonly ok: true } & BridgeStatus)
  | { readonly ok: false; readonly error: ErrorBody }
)

/** Where a relay stands; over several bridges the first that is ready speaks for all, and each for itself in `bridges`. */
export type RelayStatus = BridgeStatus & { readonly bridges?: readonly BridgeReport[] }
