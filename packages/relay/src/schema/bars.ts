import { HOURS } from '@tidegate/core'
import { z } from 'zod'
import { contractSchema } from './contract.ts'
import { noticeSchema } from './notice.ts'
import { origin } from './origin.ts'
import { patience } from './patience.ts'
import { durationSchema, instantSchema } from './time.ts'

/** IBKR's literal bar sizes (TWS API documentation, "Valid Bar Sizes"). */
export const BAR_SIZES = [
  ...['1 secs', '5 secs', '10 secs', '15 secs', '30 secs'],
  ...['1 min', '2 mins', '3 mins', '5 mins', '10 mins', '15 mins', '20 mins', '30 mins'],
  ...['1 hour', '2 hours', '3 hours', '4 hours', '8 hours', '1 day', '1 week', '1 month'],
] as const

export const WHAT_TO_SHOW = [
  ...['TRADES', 'MIDPOINT', 'BID', 'ASK', 'BID_ASK', 'ADJUSTED_LAST', 'AGGTRADES'],
  ...['HISTORICAL_VOLATILITY', 'OPTION_IMPLIED_VOLATILITY', 'FEE_RATE'],
] as const

/** What bars of every kind are asked by. */
export const barsOf = {
  contract: contractSchema,
  barSize: z.enum(BAR_SIZES),
  whatToShow: z.enum(WHAT_TO_SHOW),
  hours: z.enum(HOURS).default('regular'),
  duration: durationSchema,
}

/** One historical request, as IBKR takes it. */
export const barsRequestSchema = z
  .strictObject({
    ...barsOf,
    /** The exclusive end, epoch seconds; absent: now. */
    end: instantSchema.optional(),
    /** True: the answer must be of what IBKR says from now on, not one that somebody was given, or asked for, before. */
    fresh: z.boolean().default(false),
    ...patience,
  })
  // ibkr-rules, "whatToShow": the end of these two must be empty (10339 for CONTFUT).
  .refine(({ end, whatToShow }) => end === undefined || whatToShow !== 'ADJUSTED_LAST', {
    path: ['end'],
    message: 'ADJUSTED_LAST is answered up to now only: leave the end out',
  })
  .refine(({ end, contract }) => end === undefined || contract.secType !== 'CONTFUT', {
    path: ['end'],
    message: 'a continuous future (CONTFUT) is answered up to now only: leave the end out, or ask for a FUT',
  })

/** First line of a bars reply. */
export const barsHeadSchema = z.object({ requestId: z.string(), barSize: z.string(), whatToShow: z.string() })

// Checked as a whole: a schema for each number costs more than to read it.
const isNumber = (value: unknown): value is number => Number.isFinite(value)
const numbers = z.custom<number[]>((column) => Array.isArray(column) && column.every(isNumber), {
  message: 'expected numbers',
})
const maybeNumbers = z.custom<(number | null)[]>(
  (column) => Array.isArray(column) && column.every((value) => value === null || isNumber(value)),
  { message: 'expected numbers, or null' },
)

/** A line of at most 1000 bars. */
export const barColumnsSchema = z.object({
  t: numbers,
  o: numbers,
  h: numbers,
  l: numbers,
  c: numbers,
  v: maybeNumbers,
  w: maybeNumbers,
  n: maybeNumbers,
})

/** Last line of a bars reply that the gateway answered in full. */
export const barsDoneSchema = z.object({
  bars: z.int().nonnegative(),
  /** True only where IBKR itself said "no data" (162 with that text). */
  empty: z.boolean(),
  /** Epoch seconds when the request went out, by the gateway's clock or the bridge's, whichever is behind: a bar that ended by then is final. */
  asOf: z.int(),
  ...origin,
  /** The range the gateway says it answered, where it says one. Durations count trading time, so it can begin before what was wanted. */
  window: z.object({ start: z.int(), end: z.int() }).optional(),
  /** Warnings that came with the answer, such as 2188. */
  notices: z.array(noticeSchema),
})

export type BarsRequest = z.input<typeof barsRequestSchema>
export type BarsDone = z.infer<typeof barsDoneSchema>
