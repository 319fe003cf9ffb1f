import { HOURS } from '@tidegate/core'
import { z } from 'zod'
import { contractSchema } from './contract.ts'
import { noticeSchema } from './notice.ts'
import { origin } from './origin.ts'
import { patience } from './patience.ts'
import { instantSchema } from './time.ts'

/** IBKR's three kinds of historical ticks. */
export const TICKS_TO_SHOW = ['TRADES', 'BID_ASK', 'MIDPOINT'] as const
export type TicksToShow = (typeof TICKS_TO_SHOW)[number]

/** IBKR gives no more in one answer, but for the rest of its last second (ibkr-rules, "Historical ticks"). */
const MAX_TICKS = 1000

/** `POST /v1/ticks`: one page, forward from `start` or backward from `end`; exactly one of them. */
export const ticksRequestSchema = z
  .strictObject({
    contract: contractSchema,
    whatToShow: z.enum(TICKS_TO_SHOW),
    hours: z.enum(HOURS).default('regular'),
    /** Inclusive, epoch seconds: the ticks from it on. */
    start: instantSchema.optional(),
    /** Exclusive, epoch seconds: the ticks before it. */
    end: instantSchema.optional(),
    /** The last second is completed, so that more can come. */
    count: z.int().min(1).max(MAX_TICKS).default(MAX_TICKS),
    ...patience,
  })
  .refine(({ start, end }) => (start === undefined) !== (end === undefined), {
    path: ['start'],
    message: 'expected exactly one of start and end',
  })

export const ticksHeadSchema = z.object({ requestId: z.string(), whatToShow: z.enum(TICKS_TO_SHOW) })

const seconds = z.array(z.int())
const prices = z.array(z.number())
/** Null where the gateway says none. */
const sizes = z.array(z.number().nullable())
const texts = z.array(z.string())
const flags = z.array(z.boolean())

/**
 * Ticks as columns of equal length, in the gateway's order. `t` is whole epoch seconds: within one, the position tells
 * ticks apart. A `halt` (no price, no size, past its limit) is a row of its own: trading stopped, or at the next, went on.
 */
export const tradeColumnsSchema = z.object({
  t: seconds,
  price: prices,
  size: sizes,
  exchange: texts,
  conditions: texts,
  pastLimit: flags,
  unreported: flags,
  halt: flags,
})
export const quoteColumnsSchema = z.object({
  t: seconds,
  bid: prices,
  ask: prices,
  bidSize: sizes,
  askSize: sizes,
  bidPastLow: flags,
  askPastHigh: flags,
})
export const midpointColumnsSchema = z.object({ t: seconds, price: prices })

/** Last line of a ticks reply that the gateway answered in full. */
export const ticksDoneSchema = z.object({
  ticks: z.int().nonnegative(),
  /** True only where IBKR itself said "no data" (162 with that text). */
  empty: z.boolean(),
  /** Epoch seconds by the gateway's clock when the request went out. Only seconds that had ended by then are told: all whole. */
  asOf: z.int(),
  /**
   * Where the next page begins: with `start` the next `start` (the last second + 1), with `end` the next `end` (the first
   * second). Absent where this page was empty, or holds no second that had ended.
   */
  next: z.int().optional(),
  ...origin,
  notices: z.array(noticeSchema),
})

export type TicksRequest = z.input<typeof ticksRequestSchema>
export type TradeColumns = z.infer<typeof tradeColumnsSchema>
export type QuoteColumns = z.infer<typeof quoteColumnsSchema>
export type MidpointColumns = z.infer<typeof midpointColumnsSchema>
export type TickColumns = TradeColumns | QuoteColumns | MidpointColumns
export type TicksDone = z.infer<typeof ticksDoneSchema>
