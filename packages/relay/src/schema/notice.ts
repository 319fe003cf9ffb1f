import { ERROR_KINDS } from '@tidegate/core'
import { z } from 'zod'

/** What the gateway said beside an answer. */
export const noticeSchema = z.object({ code: z.int(), message: z.string() })

export const errorBodySchema = z.object({
  kind: z.enum(ERROR_KINDS as readonly [string, ...string[]]),
  message: z.string(),
  code: z.number().optional(),
  retryAfterMs: z.number().optional(),
})

export type Notice = z.infer<typeof noticeSchema>
