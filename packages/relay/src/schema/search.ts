import { z } from 'zod'
import { origin } from './origin.ts'
import { patience } from './patience.ts'
import { text } from './text.ts'

/** `POST /v1/contracts/search`: the contracts whose symbol or name begins so. */
export const searchRequestSchema = z.strictObject({ pattern: text(64), ...patience })

export const matchSchema = z.object({
  conId: z.int(),
  symbol: z.string(),
  secType: z.string(),
  primaryExchange: z.string(),
  currency: z.string(),
  /** '' where the gateway says none. */
  description: z.string(),
  /** The kinds of product derived from it: `OPT`, `WAR`, … */
  derivatives: z.array(z.string()),
})

/** At most 16, as IBKR answers. None is an answer too. */
export const searchAnswerSchema = z.object({ matches: z.array(matchSchema), ...origin })

export type SearchRequest = z.input<typeof searchRequestSchema>
export type Match = z.infer<typeof matchSchema>
