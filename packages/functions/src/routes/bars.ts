import {
  formatInstant,
  formatSpec,
  HOURS,
  type Hours,
  parseInstrument,
  parseTimeframe,
  sliceBars,
  TidegateError,
} from '@tidegate/core'
import type { SeriesKey, Store } from '@tidegate/db'
import { Hono } from 'hono'
import { z } from 'zod'
import type { BarsAnswer } from '../answers.ts'
import { check } from '../check.ts'
import { storedInstrument } from '../instrument.ts'
import { hoursOr, instant, instrumentText, specText, windowOf } from '../request.ts'

/** 50,000 bars are some 3 MB of JSON: within what a Worker can hold several times over. */
const MAX_BARS = 50_000
const DEFAULT_BARS = 10_000
const LIMIT = `expected a whole number from 1 to ${MAX_BARS}`

/** Stored bars, a page at a time. */
export function barRoutes({ store, hours }: { store: Store; hours: Hours }): Hono {
  const schema = z
    .strictObject({
      instrument: instrumentText,
      spec: specText,
      hours: hoursOr(hours),
      start: instant,
      end: instant,
      limit: z
        .string()
        .regex(/^\d{1,5}$/, LIMIT)
        .transform(Number)
        .pipe(z.int().min(1, LIMIT).max(MAX_BARS, LIMIT))
        .default(DEFAULT_BARS),
      adjustment: z
        .string()
        .regex(/^\d{1,15}$/, 'expected the "adjustment" of the page before')
        .transform(Number)
        .optional(),
    })
    .transform((query, context) => ({ ...query, window: windowOf(query, context) }))
  const routes = new Hono()

  routes.get('/bars', async (c) => {
    const query = check(schema, c.req.query())
    const key = await keyOf(query, store)
    // One more than asked for: it tells whether there is a next page, and where that begins.
    const { found, adjustment } = await readAtOnce(store, key, (seriesId) =>
      store.bars(seriesId, query.window, query.limit + 1),
    )
    if (query.adjustment !== undefined && query.adjustment !== adjustment)
      throw readjusted(query.adjustment, adjustment)
    const next = found.t[query.limit]
    const bars = next === undefined ? found : sliceBars(found, 0, query.limit)
    return c.json<BarsAnswer>({ ...key, bars, next: next === undefined ? null : formatInstant(next), adjustment })
  })

  return routes
}

/** Bars, and the adjustment that they are of: read again where one was put in place in between, or the series made anew. */
async function readAtOnce<T>(
  store: Store,
  key: SeriesKey,
  read: (seriesId: number) => Promise<T>,
): Promise<{ readonly found: T; readonly adjustment: number }> {
  for (let before = await standingOf(store, key); ; ) {
    const found = await read(before.seriesId)
    const after = await standingOf(store, key)
    const { adjustment } = after
    if (adjustment === before.adjustment && after.seriesId === before.seriesId) return { found, adjustment }
    before = after
  }
}

/** Looked up each time: a series that was dropped and asked for anew has another id. */
async function standingOf(store: Store, key: SeriesKey) {
  const standing = await store.standing(key)
  if (standing) return standing
  const { instrumentId, spec, hours } = key
  const [other] = HOURS.filter((one) => one !== hours)
  const advice =
    other && (await store.standing({ ...key, hours: other }))
      ? `it is stored in ${other} hours: say hours=${other}, or ask for it with POST /v1/runs`
      : 'ask for it with POST /v1/runs'
  throw new TidegateError('not-found', `Nothing is stored of ${instrumentId} ${spec} in ${hours} hours: ${advice}.`)
}

function readjusted(before: number, now: number): TidegateError {
  return new TidegateError(
    'conflict',
    `The series was adjusted after a split while it was read (adjustment ${now}, the page before was of ${before}): read it from its first page again.`,
  )
}

/** The series' key by its stored instrument, so that bare names and timeframes find what they made. */
async function keyOf(
  { instrument, spec, hours }: { instrument: string; spec: string; hours: Hours },
  store: Store,
): Promise<SeriesKey> {
  const name = instrument.trim().toUpperCase()
  const stored = await storedInstrument(store, instrument)
  const secType = stored?.details.contract.secType ?? parseInstrument(name).secType
  return { instrumentId: stored?.id ?? name, spec: formatSpec(parseTimeframe(spec, secType)), hours }
}
