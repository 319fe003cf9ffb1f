import {
  checkSchedule,
  formatInstant,
  type Hours,
  PRIORITIES,
  parseInstrument,
  parseTimeframe,
  type Schedule,
  sinceSec,
  TidegateError,
  whatToShow,
} from '@tidegate/core'
import { z } from 'zod'
import { parsed } from './check.ts'
import { hoursOr, instrumentText, specText } from './request.ts'

/** What one dataset may come to; more of them make more. */
const MOST_SERIES = 10_000
/** What a dataset may be called. */
export const DATASET_NAME = /^[a-z0-9][\w.-]{0,62}$/i
const EXPECTED = {
  name: 'expected up to 63 letters, digits, dots, - and _, a letter or digit first',
  instruments: 'expected a list of instrument ids such as ["AAPL.NASDAQ"]',
  specs: 'expected a list of timeframes or bar specifications such as ["1MIN"]',
  since: 'expected a date such as 2024-01-02, how long back such as 2y, 6mo, 8w or 90d, or head',
  schedule: 'expected { cron, zone }, { afterClose } or { every, during }, such as { every: "5m", during: "session" }',
  duration: 'expected a duration such as 5m, 1h or 1d',
  cron: 'expected five fields such as "30 17 * * 1-5"',
  zone: 'expected a zone such as America/New_York',
  during: 'expected "session", or nothing',
  paused: 'expected true or false',
}

const text = (expected: string) => z.string({ error: expected })

/** A list in which nothing stands twice, by what `keyOf` makes of each; what stands there beside faulty items is told too. */
const listOf = <T extends z.ZodType<string>>(item: T, expected: string, keyOf: (text: string) => string) =>
  z
    .array(item, { error: expected })
    .min(1, expected)
    .max(MOST_SERIES, `expected at most ${MOST_SERIES} of them`)
    .superRefine(
      (texts: unknown[], context) => {
        const seen = new Map<string, string>()
        for (const [i, one] of texts.entries()) {
          if (typeof one !== 'string') continue
          const key = keyOf(one)
          const other = seen.get(key)
          if (other === undefined) seen.set(key, one)
          else context.addIssue({ code: 'custom', path: [i], message: twice(one, other) })
        }
      },
      { when: ({ value }) => Array.isArray(value) && value.length <= MOST_SERIES },
    )

const plain = (text: string) => text.trim().toUpperCase()

/** The contract that an id asks for, so that `AAPL.XNAS` is `AAPL.NASDAQ`; one that only the gateway could tell passes. */
function contractOf(id: string): string {
  try {
    return JSON.stringify(parseInstrument(id))
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error
    return plain(id)
  }
}

function twice(one: string, other: string): string {
  return plain(one) === plain(other) ? `"${one}" is named twice` : `"${one}" is "${other}" once more`
}

const sinceBefore = (now: () => number) =>
  text(EXPECTED.since).transform(
    parsed((written) => {
      const nowSec = Math.floor(now() / 1000)
      if ((sinceSec(written, nowSec) ?? 0) <= nowSec) return written
      throw new TidegateError(
        'invalid',
        `"${written}" is yet to come, it is ${formatInstant(nowSec)}: ${EXPECTED.since}`,
      )
    }),
  )

const schedule = z
  .strictObject(
    {
      cron: text(EXPECTED.cron).optional(),
      zone: text(EXPECTED.zone).optional(),
      afterClose: text(EXPECTED.duration).optional(),
      every: text(EXPECTED.duration).optional(),
      during: z.literal('session', { error: EXPECTED.during }).optional(),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? EXPECTED.schedule : undefined) },
  )
  .transform((given, context): Schedule => {
    const found = scheduleOf(given)
    try {
      if (!found) throw new TidegateError('invalid', EXPECTED.schedule)
      checkSchedule(found)
      return found
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
      return z.NEVER
    }
  })

/** The schedule of exactly the fields that one kind has; undefined for any other mixture. */
function scheduleOf(given: Readonly<Record<string, string | undefined>>): Schedule | undefined {
  const fields = Object.keys(given)
    .filter((field) => given[field] !== undefined)
    .sort()
    .join(' ')
  const kinds = ['cron zone', 'afterClose', 'every', 'during every']
  return kinds.includes(fields) ? (given as unknown as Schedule) : undefined
}

const fields = (defaultHours: Hours, now: () => number) => ({
  instruments: listOf(instrumentText, EXPECTED.instruments, contractOf),
  specs: listOf(specText, EXPECTED.specs, plain),
  since: sinceBefore(now),
  hours: hoursOr(defaultHours),
  schedule,
  priority: z.enum(PRIORITIES, { error: `expected one of ${PRIORITIES.join(', ')}` }).optional(),
})

/** The body of `POST /v1/datasets`, and one dataset of a config; `now` in epoch milliseconds. Every fault is named; an unknown field is one. */
export function definitionSchema(defaultHours: Hours, now: () => number) {
  const name = text(EXPECTED.name).regex(DATASET_NAME, EXPECTED.name)
  return z
    .strictObject({ name, ...fields(defaultHours, now) }, { error: 'expected an object with the fields of a dataset' })
    .superRefine(
      ({ instruments, specs }, context) => {
        if (instruments.length * specs.length > MOST_SERIES) {
          const count = `${instruments.length} instruments × ${specs.length} specs`
          const message = `${count} are more than the ${MOST_SERIES} series of one dataset`
          return context.addIssue({ code: 'custom', message })
        }
        for (const [i, fault] of specs.map((spec) => mismatch(spec, instruments)).entries()) {
          if (fault) context.addIssue({ code: 'custom', path: ['specs', i], message: fault })
        }
      },
      // Told beside the faults of other fields, where these two have none.
      { when: ({ value, issues }) => isObject(value) && !issues.some(({ path }) => PAIRED.has(path?.[0])) },
    )
}

/** The fields that are looked at together. */
const PAIRED: ReadonlySet<unknown> = new Set(['instruments', 'specs'])
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is wrong with a spec that one of the instruments, as its name tells its kind, has no data for. */
function mismatch(spec: string, instruments: readonly string[]): string | undefined {
  for (const id of instruments) {
    try {
      const { secType } = parseInstrument(id)
      whatToShow(parseTimeframe(spec, secType).price, secType)
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error
      return `${id}: ${error.message}`
    }
  }
  return undefined
}

/** The body of `PATCH /v1/datasets/:name`: some of a definition's fields, and whether it is paused. */
export function changeSchema(now: () => number) {
  const { hours, priority, ...others } = fields('regular', now)
  return z
    .strictObject(
      {
        ...others,
        hours: hours.unwrap(),
        priority: priority.unwrap().nullable(),
        paused: z.boolean({ error: EXPECTED.paused }),
      },
      { error: (issue) => (issue.code === 'invalid_type' ? 'The body is no JSON object' : undefined) },
    )
    .partial()
}
