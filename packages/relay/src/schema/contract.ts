import { SEC_TYPES } from '@tidegate/core'
import { z } from 'zod'
import { origin } from './origin.ts'
import { patience } from './patience.ts'
import { plain, text } from './text.ts'

/** IBKR's ids are 32-bit. */
export const conIdSchema = z.int().positive().max(2_147_483_647)

/** A contract as IBKR's API names it. */
export const contractSchema = z.strictObject({
  conId: conIdSchema.optional(),
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
  /** Futures and their like that have expired, too: IBKR leaves them out otherwise. */
  includeExpired: z.boolean().optional(),
})

/** `POST /v1/contracts`. */
export const contractsRequestSchema = z.strictObject({ contract: contractSchema, ...patience })

/** Only as much of a contract's details as makes them usable: the bridge may say more than we know. */
export const contractsAnswerSchema = z.object({
  contracts: z
    .array(z.looseObject({ contract: z.looseObject({ conId: z.int(), symbol: z.string(), secType: z.string() }) }))
    .min(1),
  ...origin,
})

export type ContractsRequest = z.input<typeof contractsRequestSchema>
