import { z } from 'zod'

export const farmSchema = z.object({
  name: z.string(),
  kind: z.enum(['market', 'history', 'definition']),
  state: z.enum(['ok', 'inactive', 'broken', 'connecting']),
})

/** `GET /v1/status`. */
export const statusSchema = z.object({
  gateway: z.object({
    host: z.string(),
    port: z.int(),
    state: z.enum(['connecting', 'ready', 'down']),
    /** Why it is not ready, in words a person can act on. */
    reason: z.string().optional(),
    serverVersion: z.int().optional(),
    connectedAt: z.string().optional(),
    /** The gateway's own clock, ISO 8601, where it is connected. */
    time: z.string().optional(),
    /** Account numbers, all but the first letters and the last two digits masked. */
    accounts: z.array(z.string()),
    mode: z.enum(['paper', 'live', 'unknown']),
    /** The gateway is Tidegate's simulator: its data are made up. */
    simulated: z.boolean(),
    farms: z.array(farmSchema),
  }),
  pacing: z.object({
    open: z.int(),
    maxOpen: z.int(),
    queued: z.int(),
    messagesInLastSecond: z.int(),
    maxMessagesPerSecond: z.int(),
  }),
})

export type BridgeStatus = z.infer<typeof statusSchema>
export type Farm = z.infer<typeof farmSchema>
