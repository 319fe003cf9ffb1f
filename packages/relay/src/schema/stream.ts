import { HOURS } from '@tidegate/core'
import { z } from 'zod'
import { barColumnsSchema, barsOf } from './bars.ts'
import { contractSchema } from './contract.ts'
import { barSchema, LIVE_TICK_TYPES, quoteSchema, REALTIME_TO_SHOW } from './live.ts'
import { errorBodySchema, noticeSchema } from './notice.ts'
import { patience } from './patience.ts'
import { midpointColumnsSchema, quoteColumnsSchema, tradeColumnsSchema } from './ticks.ts'

/** IBKR's market data types, as the settings name them. */
const MARKET_DATA_NAMES = ['REALTIME', 'FROZEN', 'DELAYED', 'DELAYED_FROZEN'] as const

const hours = z.enum(HOURS).default('regular')

/** What can be subscribed to over `GET /v1/stream`. */
export const subscriptionSchema = z.discriminatedUnion('kind', [
  /** Bars of 5 seconds, each once it has closed. They count among IBKR's small requests. */
  z.strictObject({
    kind: z.literal('realtimeBars'),
    contract: contractSchema,
    whatToShow: z.enum(REALTIME_TO_SHOW),
    hours,
    ...patience,
  }),
  /** The bars up to now, and then each change of the one that forms and each new one. */
  z.strictObject({ kind: z.literal('bars'), ...barsOf, ...patience }),
  /** Tick by tick. */
  z.strictObject({
    kind: z.literal('ticks'),
    contract: contractSchema,
    tickType: z.enum(LIVE_TICK_TYPES),
    ...patience,
  }),
  /** The quote, whenever a field of it changes. */
  z.strictObject({
    kind: z.literal('quotes'),
    contract: contractSchema,
    /** Absent: the bridge's own setting. */
    marketDataType: z.enum(MARKET_DATA_NAMES).optional(),
    ...patience,
  }),
])

/** A name of the client's own for one request or subscription; free again after its last frame. */
export const streamIdSchema = z.union([z.int().nonnegative(), z.string().min(1).max(64)])

/**
 * A frame to the bridge. `op` is `subscribe`, `unsubscribe`, `cancel`, `status` or a kind of request (`bars`, `ticks`,
 * `head`, `sessions`, `contracts`, `search`, `chains`); the other fields are those of that request.
 */
export const streamCallSchema = z.looseObject({ id: streamIdSchema, op: z.string() })

export const tickColumnsSchema = z.union([tradeColumnsSchema, quoteColumnsSchema, midpointColumnsSchema])

/** What a subscription brings, one a frame. */
export const liveEventSchema = z.object({
  /** The bars up to now that bars kept up to date begin with: a frame or more, before the first `bar`. */
  history: barColumnsSchema.optional(),
  bar: barSchema.optional(),
  ticks: tickColumnsSchema.optional(),
  quote: quoteSchema.optional(),
  notice: noticeSchema.optional(),
  /** So many events did not come, because this socket is read too slowly. Bars and quotes then come whole once more. */
  dropped: z.int().positive().optional(),
  /** The subscription broke and stands again: what happened from `from` to `to`, epoch seconds, is not told. */
  gap: z.object({ from: z.int(), to: z.int() }).optional(),
})

/**
 * A frame from the bridge about `id` (null where the frame it answers had none). Of a request: `head`, `chunk`s, then
 * `done`. Of a subscription: `subscribed`, then live events. `done`, `error` and `cancelled` are the last of an id.
 */
export const streamFrameSchema = liveEventSchema.extend({
  id: streamIdSchema.nullable(),
  head: z.looseObject({}).optional(),
  chunk: z.looseObject({}).optional(),
  done: z.looseObject({}).optional(),
  subscribed: z.literal(true).optional(),
  /** Whether there was something to end. */
  cancelled: z.boolean().optional(),
  error: errorBodySchema.optional(),
})

export type SubscriptionRequest = z.input<typeof subscriptionSchema>
export type LiveEvent = z.infer<typeof liveEventSchema>
export type StreamFrame = z.infer<typeof streamFrameSchema>
export type StreamId = z.infer<typeof streamIdSchema>
