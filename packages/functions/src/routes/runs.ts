import { type Hours, TidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { Ingest } from '@tidegate/ingest'
import { Hono } from 'hono'
import { z } from 'zod'
import { type PlanAnswer, planAnswer } from '../answers/plan.ts'
import { type ProgressAnswer, progressAnswer, startedAnswer } from '../answers.ts'
import { bodyOf, check } from '../check.ts'
import { datasetSchema, fetchSchema } from '../request.ts'

const RUN_ID = /^[\w-]{1,64}$/

/** What is wanted on demand: what it would take, starting it, and how far it has come. */
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

  routes.get('/runs/:id', async (c) => {
    const id = c.req.param('id')
    const run = RUN_ID.test(id) ? await store.run(id) : undefined
    if (!run) throw new TidegateError('not-found', `There is no run "${id.slice(0, 64)}".`)
    return c.json<ProgressAnswer>(progressAnswer(run))
  })

  return routes
}
