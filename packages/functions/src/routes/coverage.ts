import { HOURS, TidegateError } from '@tidegate/core'
import type { SeriesCompleteness, Store } from '@tidegate/db'
import { Hono } from 'hono'
import { z } from 'zod'
import { type CoverageAnswer, completenessAnswer, type SessionsAnswer, sessionsAnswer } from '../answers/coverage.ts'
import { check, parsed } from '../check.ts'
import { DATASET_NAME } from '../definition.ts'
import { storedInstrument } from '../instrument.ts'
import { instant, instrumentText } from '../request.ts'
import { specsOf } from './series.ts'

/** A page of series, or of one series' sessions. */
const MOST = 500
const LIMIT = `expected a whole number from 1 to ${MOST}`
/** More series than a page has are listed after the last one's number. */
const AFTER = 'expected the "next" of the page before'
const MORE_THAN_ONE = 2

const schema = z.strictObject({
  dataset: z.string().regex(DATASET_NAME, 'expected the name of a dataset').optional(),
  instrument: instrumentText.optional(),
  spec: z.string().transform(parsed(specsOf)).optional(),
  hours: z.enum(HOURS, { error: `expected ${HOURS.join(' or ')}` }).optional(),
  start: instant.optional(),
  end: instant.optional(),
  detail: z.enum(['series', 'sessions'], { error: 'expected series or sessions' }).default('series'),
  after: z
    .string()
    .regex(/^\d{1,9}$/, AFTER)
    .transform(Number)
    .optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, LIMIT)
    .transform(Number)
    .pipe(z.int().min(1, LIMIT).max(MOST, LIMIT))
    .default(MOST),
})

type Query = z.output<typeof schema>

const NOTHING: Omit<SeriesCompleteness, 'seriesId'> = {
  sessions: { complete: 0, empty: 0, unavailable: 0, partial: 0, missing: 0, open: 0 },
  missing: [],
  gaps: 0,
  unavailable: [],
  unknown: [],
  share: { had: 0, due: 0 },
  flagged: 0,
}

/** How complete what is stored is, by IBKR's own sessions. `now` is epoch milliseconds. */
export function coverageRoutes({ store, now }: { store: Store; now: () => number }): Hono {
  const nowSec = () => Math.floor(now() / 1000)
  const routes = new Hono()

  async function found(query: Query, page: { after: number; limit: number }) {
    const { instrument, spec, hours, dataset, start, end } = query
    if (dataset !== undefined && (await store.datasets(dataset)).length === 0) {
      throw new TidegateError('not-found', `There is no dataset "${dataset}".`)
    }
    const named = instrument?.trim().toUpperCase()
    const stored = instrument === undefined ? undefined : await storedInstrument(store, instrument)
    const instrumentIds = named === undefined ? undefined : [stored?.id ?? named]
    return store.judgedSeries({ instrumentIds, specs: spec, hours, dataset }, page, { now: nowSec(), start, end })
  }

  async function summary(query: Query): Promise<CoverageAnswer> {
    const { after = 0, limit } = query
    // One more than asked for: it tells whether there is a next page.
    const series = await found(query, { after, limit: limit + 1 })
    const page = series.slice(0, limit)
    const judged = page.flatMap(({ id, window }) =>
      window && window.start < window.end ? [{ seriesId: id, start: window.start, until: window.end }] : [],
    )
    const known = new Map((await store.completeness(judged, nowSec())).map((one) => [one.seriesId, one]))
    const answers = page.map((one) => completenessAnswer(one, known.get(one.id) ?? NOTHING, nowSec()))
    return { series: answers, next: series.length > limit ? (page.at(-1)?.id ?? null) : null }
  }

  async function sessions(query: Query): Promise<SessionsAnswer> {
    const [series, other] = await found(query, { after: 0, limit: MORE_THAN_ONE })
    if (!series) throw new TidegateError('not-found', 'No such series is stored: ask for it with POST /v1/runs.')
    if (other) {
      throw new TidegateError(
        'invalid',
        'The sessions of one series can be told at once: give instrument, spec and hours.',
      )
    }
    const { id: seriesId, window, until } = series
    const end = query.end ?? nowSec()
    // One that the end cuts is over all the same.
    const rows = window ? await store.sessionRows({ seriesId, start: window.start, until }, end, query.limit + 1) : []
    return sessionsAnswer(series, rows.slice(0, query.limit), rows[query.limit]?.starts)
  }

  routes.get('/coverage', async (c) => {
    const query = check(schema, c.req.query())
    if (query.start !== undefined && query.end !== undefined && query.start >= query.end) {
      throw new TidegateError('invalid', 'The start must be before the end.')
    }
    return query.detail === 'sessions'
      ? c.json<SessionsAnswer>(await sessions(query))
      : c.json<CoverageAnswer>(await summary(query))
  })

  return routes
}
