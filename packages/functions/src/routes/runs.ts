import { type Hours, TidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { Ingest } from '@tidegate/ingest'
import { Hono } from 'hono'
import { z } from 'zod'
import { type PlanAnswer, planAnswer } from '../answers/plan.ts'
import { type RunsAnswer, runsAnswer } from '../answers/runs.ts'
import { type ProgressAnswer, progressAnswer, startedAnswer } from '../answers.ts'
import { bodyOf, check } from '../check.ts'
import { datasetSchema, fetchSchema, text } from '../request.ts'

const RUN_ID = /^[\w-]{1,64}$/
const MOST_RUNS = 200
const LIMIT = `expected a whole number from 1 to ${MOST_RUNS}`
const STATES = ['open', 'done', 'failed', 'cancelled'] as const

const listSchema = z.strictObject({
  limit: z.coerce.number({ error: LIMIT }).int(LIMIT).min(1, LIMIT).max(MOST_RUNS, LIMIT).default(20),
  state: z.enum(STATES, `expected ${STATES.join(', ')}`).optional(),
  dataset: text("expected a dataset's name").optional(),
})

/** What is wanted on demand: what it would take, starting it, and how far it has come; and stopping it. */
export function runRoutes({ ingest, store, hours }: { ingest: Ingest; store: Store; hours: Hours }): Hono {
  const schema = fetchSchema(hours)
  const routes = new Hono()

  routes.post('/plan', async (c) => {
    const body = await bodyOf(c, z.unknown())
    const names = typeof body === 'object' && body !== null && 'dataset' in body
    return c.json<PlanAnswer>(planAnswer(await ingest.plan(check(names ? datasetSchema : schema, body))))
  })

  routes.post('/runs', async (c) => {
    const started = startedAnswer(await ingest.start(await bodyOf(c, schema)))
    c.header('location', `/v1/runs/${started.id}`)
    return c.json(started, 202)
  })

  routes.get('/runs', async (c) => c.json<RunsAnswer>(runsAnswer(await store.runs(check(listSchema, c.req.query())))))

  const progressOf = async (id: string): Promise<ProgressAnswer> => {
    const run = RUN_ID.test(id) ? await store.run(id) : undefined
    if (!run) throw new TidegateError('not-found', `There is no run "${id.slice(0, 64)}".`)
    return progressAnswer(run)
  }

  routes.get('/runs/:id', async (c) => c.json<ProgressAnswer>(await progressOf(c.req.param('id'))))

  routes.post('/runs/:id/cancel', async (c) => {
    const { id } = await progressOf(c.req.param('id'))
    await ingest.cancelRun(id)
    return c.json<ProgressAnswer>(await progressOf(id))
  })

  return routes
}
