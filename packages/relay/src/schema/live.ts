import { z } from 'zod'

/** What real-time bars can be made of. */
export const REALTIME_TO_SHOW = ['TRADES', 'MIDPOINT', 'BID', 'ASK'] as const
export type RealtimeToShow = (typeof REALTIME_TO_SHOW)[number]

/** IBKR's tick-by-tick kinds: trades, trades of every kind, quotes, midpoints. */
export const LIVE_TICK_TYPES = ['Last', 'AllLast', 'BidAsk', 'MidPoint'] as const
export type LiveTickType = (typeof LIVE_TICK_TYPES)[number]

const size = z.number().nullable()

/** One bar; the fields are those of the columns. */
export const barSchema = z.object({
  t: z.int(),
  o: z.number(),
  h: z.number(),
  l: z.number(),
  c: z.number(),
  v: size,
  w: size,
  n: size,
})

/** The fields of a quote that have changed. A price of −1 with a size of 0 is how IBKR says that there is none. */
export const quoteSchema = z.object({
  bid: z.number().optional(),
  bidSize: z.number().optional(),
  ask: z.number().optional(),
  askSize: z.number().optional(),
  last: z.number().optional(),
  lastSize: z.number().optional(),
  /** Epoch seconds of the last trade. */
  lastTime: z.number().optional(),
  /** Of the day. */
  volume: z.number().optional(),
  open: z.number().optional(),
  high: z.number().optional(),
  low: z.number().optional(),
  close: z.number().optional(),
  /** 0 no, 1 halted, 2 halted by volatility, −1 unknown. */
  halted: z.number().optional(),
  minTick: z.number().optional(),
  /** 1 live, 2 frozen, 3 delayed, 4 delayed and frozen: what the gateway really gives. */
  marketDataType: z.number().optional(),
})

export type Bar = z.infer<typeof barSchema>
export type Quote = z.infer<typeof quoteSchema>
