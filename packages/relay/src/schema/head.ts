import { HOURS } from '@tidegate/core'
import { z } from 'zod'
import { WHAT_TO_SHOW } from './bars.ts'
import { contractSchema } from './contract.ts'
import { origin } from './origin.ts'
import { patience } from './patience.ts'

/** `POST /v1/head`: since when the gateway has data of a kind. */
export const headRequestSchema = z.strictObject({
  contract: contractSchema,
  whatToShow: z.enum(WHAT_TO_SHOW),
  hours: z.enum(HOURS).default('regular'),
  ...patience,
})

/** Epoch seconds of the first data. */
export const headAnswerSchema = z.object({ head: z.int(), ...origin })

export type HeadRequest = z.input<typeof headRequestSchema>
