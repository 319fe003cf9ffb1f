import { HOURS } from '@tidegate/core'
import { z } from 'zod'
import { contractSchema } from './contract.ts'
import { origin } from './origin.ts'
import { patience } from './patience.ts'
import { durationSchema, instantSchema } from './time.ts'

/** `POST /v1/sessions`: IBKR's own schedule (whatToShow SCHEDULE); it has none for options. */
export const sessionsRequestSchema = z.strictObject({
  contract: contractSchema,
  hours: z.enum(HOURS).default('regular'),
  /** The exclusive end, epoch seconds; absent: now. */
  end: instantSchema.optional(),
  duration: durationSchema,
  ...patience,
})

export const sessionSchema = z.object({
  /** `yyyy-mm-dd`, the date the session counts for: its closing date where it crosses midnight. */
  date: z.iso.date(),
  /** `[start, end)`, epoch seconds. */
  start: z.int(),
  end: z.int(),
})

export const sessionsAnswerSchema = z.object({
  /** As IBKR names zones: `US/Eastern`. The times above are UTC already. */
  zone: z.string(),
  /** Oldest first. */
  sessions: z.array(sessionSchema),
  /** True only where IBKR itself said "no data". */
  empty: z.boolean(),
  ...origin,
})

export type SessionsRequest = z.input<typeof sessionsRequestSchema>
export type SessionRow = z.infer<typeof sessionSchema>
export type SessionsAnswer = z.infer<typeof sessionsAnswerSchema>
