import { ERROR_KINDS, HOURS, PRIORITIES, SEC_TYPES } from '@tidegate/core'
import { z } from 'zod'

/**
 * What goes over the relay: JSON in; JSON out, and newline-delimited JSON out for bars. Times are epoch seconds UTC.
 * Every object is strict: an unknown field is an error, so a typo can't be silently ignored.
 */

/** A NUL or another control character would shift the fields of the gateway's protocol. */
const plain = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^\P{Cc}*$/u, 'expected no control characters')
const text = (max: number) => plain(max).min(1)

export const contractSchema = z.strictObject({
  conId: z.int().positive().max(2_147_483_647).optional(),
  symbol: text(64).optional(),
  secType: z.enum(SEC_TYPES),
  lastTradeDateOrContractMonth: z
    .string()
    .regex(/^\d{6}(\d{2})?$/, 'expected yyyymm or yyyymmdd')
    .optional(),
  strike: z.number().nonnegative().max(1e9).optional(),
  right: z.enum(['C', 'P']).optional(),
  multiplier: z
    .string()
    .max(16)
    .regex(/^\d+(\.\d+)?$/, 'expected a number such as "50"')
    .optional(),
  exchange: plain(32),
  primaryExchange: text(32).optional(),
  currency: text(8).optional(),
  localSymbol: text(64).optional(),
  tradingClass: text(32).optional(),
  includeExpired: z.boolean().optional(),
})

const patience = {
  priority: z.enum(PRIORITIES).default('interactive'),
  /** How long the request may wait for pacing, milliseconds; when it can't go by then the answer is `busy` at once. */
  waitMs: z.int().min(0).max(600_000).default(30_000),
  /** Who asks: within one priority, callers take turns. */
  caller: text(64).optional(),
}

export const contractsRequestSchema = z.strictObject({ contract: contractSchema, ...patience })

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

/** 9999-12-31 23:59:59 UTC: no later date fits the gateway's eight digits. */
const LAST_SECOND = 253_402_300_799

/** One historical request, as IBKR takes it. */
export const barsRequestSchema = z.strictObject({
  contract: contractSchema,
  barSize: z.enum(BAR_SIZES),
  whatToShow: z.enum(WHAT_TO_SHOW),
  hours: z.enum(HOURS).default('regular'),
  /** The exclusive end, epoch seconds; absent: now. */
  end: z.int().nonnegative().max(LAST_SECOND).optional(),
  /** IBKR's duration string, counted in trading time: `1800 S`, `6 D`, `2 W`, `3 M`, `1 Y`. */
  duration: z.string().regex(/^[1-9]\d{0,4} [SDWMY]$/, 'expected a count and a unit of S, D, W, M or Y, such as "6 D"'),
  ...patience,
})

export const errorBodySchema = z.object({
  kind: z.enum(ERROR_KINDS as readonly [string, ...string[]]),
  message: z.string(),
  code: z.number().optional(),
  retryAfterMs: z.number().optional(),
})

/** First line of a bars reply. */
export const barsHeadSchema = z.object({ requestId: z.string(), barSize: z.string(), whatToShow: z.string() })

const numbers = z.array(z.number())
const maybeNumbers = z.array(z.number().nullable())

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
  /** Epoch seconds by the gateway's clock when the request went out: a bar that ended by then is final. */
  asOf: z.int(),
  /** The range the gateway says it answered, where it says one. Durations count trading time, so it can begin before what was wanted. */
  window: z.object({ start: z.int(), end: z.int() }).optional(),
  /** Warnings that came with the answer, such as 2188. */
  notices: z.array(z.object({ code: z.int(), message: z.string() })),
})

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

export type ContractsRequest = z.input<typeof contractsRequestSchema>
export type BarsRequest = z.input<typeof barsRequestSchema>
export type BarsDone = z.infer<typeof barsDoneSchema>
export type BridgeStatus = z.infer<typeof statusSchema>
export type Farm = z.infer<typeof farmSchema>
