import { z } from 'zod'
import { conIdSchema } from './contract.ts'
import { origin } from './origin.ts'
import { patience } from './patience.ts'
import { plain, text } from './text.ts'

/** `POST /v1/chains`: the options of an underlying, which its conId, symbol and kind name together. */
export const chainsRequestSchema = z.strictObject({
  symbol: text(64),
  secType: z.enum(['STK', 'IND', 'FUT']),
  conId: conIdSchema,
  /** Only for options on futures: the exchange they trade on. */
  exchange: plain(32).default(''),
  ...patience,
})

/** The options of one exchange and trading class: not every expiry has every strike. */
export const chainSchema = z.object({
  exchange: z.string(),
  underConId: z.int(),
  tradingClass: z.string(),
  multiplier: z.string(),
  /** `yyyymmdd`, oldest first. */
  expirations: z.array(z.string()),
  strikes: z.array(z.number()),
})

/** None where the underlying has no options. */
export const chainsAnswerSchema = z.object({ chains: z.array(chainSchema), ...origin })

export type ChainsRequest = z.input<typeof chainsRequestSchema>
export type Chain = z.infer<typeof chainSchema>
