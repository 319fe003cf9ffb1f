import { PRIORITIES } from '@tidegate/core'
import { z } from 'zod'
import { text } from './text.ts'

const WAIT = 'expected milliseconds, whole, from 0 to 600000'

/** What every request says of how it may wait. */
export const patience = {
  priority: z.enum(PRIORITIES).default('interactive'),
  /** How long the request may wait for pacing, milliseconds; when it can't go by then the answer is `busy` at once. */
  waitMs: z.int(WAIT).min(0, WAIT).max(600_000, WAIT).default(30_000),
  /** Who asks: within one priority, callers take turns. */
  caller: text(64).optional(),
}
