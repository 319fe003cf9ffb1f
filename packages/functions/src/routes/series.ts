import { formatSpec, parseTimeframe } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import { Hono } from 'hono'
import { z } from 'zod'
import { type SeriesAnswer, seriesAnswer } from '../answers.ts'
import { check, parsed } from '../check.ts'
import { storedInstrument } from '../instrument.ts'
import { instrumentText } from '../request.ts'

const schema = z.strictObject({
  instrument: instrumentText.optional(),
  spec: z.string().transform(parsed(specsOf)).optional(),
})

/** What is stored and covered: of everything, or of one instrument or bar specification. */
export function seriesRoutes({ store }: { store: Store }): Hono {
  const routes = new Hono()
  routes.get('/series', async (c) => {
    const { instrument, spec } = check(schema, c.req.query())
    const name = instrument?.trim().toUpperCase()
    const stored = instrument === undefined ? undefined : await storedInstrument(store, instrument)
    const series = await store.series({
      instrumentIds: name === undefined ? undefined : [stored?.id ?? name],
      specs: spec,
    })
    return c.json<SeriesAnswer>(seriesAnswer(series))
  })
  return routes
}

/** The specs that a timeframe can mean, of trades and of quotes; a bar specification means itself. */
export function specsOf(text: string): string[] {
  return [...new Set((['STK', 'CASH'] as const).map((secType) => formatSpec(parseTimeframe(text, secType))))]
}
