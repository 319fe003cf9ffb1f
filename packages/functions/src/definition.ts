import {
  checkSchedule,
  type DatasetDefinition,
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
import { check, parsed } from './check.ts'
import { hoursOr, instrumentText, specText } from './request.ts'

/** What one dataset may come to; more of them make more. */
const MOST_SERIES = 10_000
const NAME = /^[a-z0-9][\w.-]{0,62}$/i
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

const listOf = <T extends z.ZodType<string>>(item: T, expected: string) =>
  z
    .array(item, { error: expected })
    .min(1, expected)
    .max(MOST_SERIES, `expected at most ${MOST_SERIES} of them`)
    .superRefine((texts: string[], context) => {
      const seen = new Set<string>()
      for (const [i, one] of texts.entries()) {
        const key = one.trim().toUpperCase()
        if (seen.has(key)) context.addIssue({ code: 'custom', path: [i], message: `"${one}" is named twice` })
        seen.add(key)
      }
    })

const since = text(EXPECTED.since).transform(
  parsed((written) => {
    sinceSec(written, 0)
    return written
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

const fields = (defaultHours: Hours) => ({
  instruments: listOf(instrumentText, EXPECTED.instruments),
  specs: listOf(specText, EXPECTED.specs),
  since,
  hours: hoursOr(defaultHours),
  schedule,
  priority: z.enum(PRIORITIES, { error: `expected one of ${PRIORITIES.join(', ')}` }).optional(),
})

/** The body of `POST /v1/datasets`, and one dataset of a config. Every fault is named; an unknown field is one. */
export function definitionSchema(defaultHours: Hours) {
  const name = text(EXPECTED.name).regex(NAME, EXPECTED.name)
  return z
    .strictObject({ name, ...fields(defaultHours) }, { error: 'expected an object with the fields of a dataset' })
    .superRefine(({ instruments, specs }, context) => {
      if (instruments.length * specs.length > MOST_SERIES) {
        const count = `${instruments.length} instruments × ${specs.length} specs`
        context.addIssue({ code: 'custom', message: `${count} are more than the ${MOST_SERIES} series of one dataset` })
      }
      for (const [i, fault] of specs.map((spec) => mismatch(spec, instruments)).entries()) {
        if (fault) context.addIssue({ code: 'custom', path: ['specs', i], message: fault })
      }
    })
}

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
export function changeSchema() {
  const { hours, priority, ...others } = fields('regular')
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

/**
 * The datasets of a config, checked; `hours` are those of a dataset that does not say. `file` is named in the error.
 * Throws `invalid`, naming every faulty field of every dataset, and names that stand twice.
 */
export function checkConfig(config: unknown, { hours, file }: { readonly hours: Hours; readonly file: string }) {
  const datasets = z
    .array(definitionSchema(hours), { error: 'expected a list of datasets' })
    .superRefine((list: readonly { readonly name?: unknown }[], context) => {
      const names = list.map(({ name }) => name)
      for (const [i, name] of names.entries()) {
        if (names.indexOf(name) < i)
          context.addIssue({ code: 'custom', path: [i, 'name'], message: `"${name}" stands twice` })
      }
    })
  const expected = 'expected its default export to be defineConfig({ datasets: [ … ] })'
  return check(z.strictObject({ datasets }, { error: expected }), config, file).datasets satisfies DatasetDefinition[]
}
