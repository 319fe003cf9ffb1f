import {
  HOURS,
  type Hours,
  PRIORITIES,
  parseInstant,
  parseInstrument,
  parseTimeframe,
  TidegateError,
  window,
} from '@tidegate/core'
import type { FetchRequest } from '@tidegate/ingest'
import { z } from 'zod'
import { parsed } from './check.ts'

/** One request's instruments × specs: what more asks for should be several requests, or a dataset. */
export const MAX_SERIES = 1000
const MAX_TEXT = 64

const INSTANT = 'expected a date such as 2024-01-02 or a UTC time such as 2024-01-02T09:30:00Z'

/** Text that can be stored and shown: Postgres has no NUL and no half characters, and no name of IBKR's holds a control character. */
export function text(expected: string) {
  return z
    .string({ error: expected })
    .max(MAX_TEXT, `expected at most ${MAX_TEXT} characters`)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, expected)
}

/** An instrument id or a bare name, checked and as it was written. */
export const instrumentText = text('expected an instrument id such as AAPL.NASDAQ').transform(
  parsed((id) => {
    parseInstrument(id)
    return id
  }),
)

/** A timeframe or bar specification, checked by its form alone: whether a product has such bars depends on the product. */
export const specText = text(
  'expected a timeframe such as 1MIN or a bar specification such as 15-MINUTE-MID',
).transform(
  parsed((spec) => {
    parseTimeframe(spec, 'STK')
    return spec
  }),
)

/** Epoch seconds of an ISO date or instant. */
export const instant = z.string({ error: INSTANT }).transform(parsed(parseInstant))

/** Which hours of a day count, where a request does not say. */
export const hoursOr = (fallback: Hours) => z.enum(HOURS, { error: `expected ${HOURS.join(' or ')}` }).default(fallback)

/** `start` and `end` as a window `[start, end)`; the fault of two that are none, beside the others. */
export const windowOf = parsedPair

function parsedPair({ start, end }: { start: number; end: number }, context: z.RefinementCtx) {
  try {
    return window(start, end)
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error
    context.addIssue({ code: 'custom', path: ['start'], message: error.message })
    return z.NEVER
  }
}

const list = <T extends z.ZodType>(item: T, expected: string) =>
  z.array(item, { error: expected }).min(1, expected).max(MAX_SERIES, `expected at most ${MAX_SERIES} of them`)

/** The body that `POST /v1/runs` and `POST /v1/plan` take. An unknown field is an error, so a typo can't be ignored. */
export function fetchSchema(defaultHours: Hours) {
  return z
    .strictObject(
      {
        instruments: list(instrumentText, 'expected a list of instrument ids such as ["AAPL.NASDAQ"]'),
        specs: list(specText, 'expected a list of timeframes or bar specifications such as ["1MIN"]'),
        hours: hoursOr(defaultHours),
        start: instant,
        end: instant,
        priority: z.enum(PRIORITIES, { error: `expected one of ${PRIORITIES.join(', ')}` }).optional(),
      },
      { error: (issue) => (issue.code === 'invalid_type' ? 'The body is no JSON object' : undefined) },
    )
    .transform((body, context): FetchRequest => {
      const { instruments, specs, hours, priority } = body
      if (instruments.length * specs.length > MAX_SERIES) {
        context.addIssue({
          code: 'custom',
          message: `${instruments.length} instruments × ${specs.length} specs are more than the ${MAX_SERIES} series that one request may ask for: split it`,
        })
        return z.NEVER
      }
      return { instruments, specs, hours, window: windowOf(body, context), priority }
    })
}

/** The other body that `POST /v1/plan` takes: all that a declared dataset wants by now. */
export const datasetSchema = z.strictObject({ dataset: text("expected a declared dataset's name") })
