import { formatInstant, TidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { Ingest } from '@tidegate/ingest'
import { Hono } from 'hono'
import { z } from 'zod'
import {
  type AdjustmentAnswer,
  type AdjustmentsAnswer,
  adjustmentAnswer,
  adjustmentsAnswer,
  type RestatementsAnswer,
  restatementsAnswer,
} from '../answers/restatements.ts'
import { check, parsed } from '../check.ts'
import { storedInstrument } from '../instrument.ts'
import { instant, instrumentText } from '../request.ts'
import { specsOf } from './series.ts'

const MOST = 1000
const LIMIT = `expected a whole number from 1 to ${MOST}`

const ofSeries = z.strictObject({
  instrument: instrumentText.optional(),
  spec: z.string().transform(parsed(specsOf)).optional(),
  limit: z.coerce.number(LIMIT).int(LIMIT).min(1, LIMIT).max(MOST, LIMIT).default(100),
})
const withSince = ofSeries.extend({ since: instant.optional() })

const ADJUSTMENT_ID = /^\d{1,15}$/

/** What IBKR has told anew of bars that were stored: each of them, and the splits behind them; and giving one of these up. */
export function restatementRoutes({ store, ingest }: { store: Store; ingest: Ingest }): Hono {
  const routes = new Hono()

  async function filterOf({ instrument, spec, limit }: z.output<typeof ofSeries>) {
    const stored = instrument === undefined ? undefined : await storedInstrument(store, instrument)
    const name = instrument?.trim().toUpperCase()
    return { instrumentIds: name === undefined ? undefined : [stored?.id ?? name], specs: spec, limit }
  }

  routes.get('/restatements', async (c) => {
    const { since, ...query } = check(withSince, c.req.query())
    return c.json<RestatementsAnswer>(
      restatementsAnswer(await store.restatements({ ...(await filterOf(query)), since })),
    )
  })

  routes.get('/adjustments', async (c) => {
    const query = check(ofSeries, c.req.query())
    return c.json<AdjustmentsAnswer>(adjustmentsAnswer(await store.adjustments(await filterOf(query))))
  })

  routes.post('/adjustments/:id/abandon', async (c) => {
    const id = c.req.param('id')
    const adjustment = ADJUSTMENT_ID.test(id) ? await ingest.abandonAdjustment(Number(id)) : undefined
    if (!adjustment) throw new TidegateError('not-found', `There is no adjustment "${id.slice(0, 64)}".`)
    const { state, endedAt = 0 } = adjustment
    if (state === 'applied') {
      const since = formatInstant(endedAt)
      throw new TidegateError(
        'conflict',
        `Adjustment ${id} is in place since ${since}: it can't be abandoned any more.`,
      )
    }
    return c.json<AdjustmentAnswer>(adjustmentAnswer(adjustment))
  })

  return routes
}
