import { type DatasetDefinition, type Hours, TidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { DatasetStatus, Ingest } from '@tidegate/ingest'
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import {
  type DatasetAnswer,
  type DatasetsAnswer,
  datasetAnswer,
  datasetSummary,
  type RemovedAnswer,
} from '../answers/datasets.ts'
import { type StartedAnswer, startedAnswer } from '../answers.ts'
import { bodyOf, check } from '../check.ts'
import { changeSchema, DATASET_NAME, definitionSchema } from '../definition.ts'

const DATA = ['keep', 'drop'] as const

export interface DatasetRoutesOptions {
  readonly ingest: Ingest
  readonly store: Store
  /** Which hours a definition means that does not say. */
  readonly hours: Hours
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** What is wanted for good: declaring it, how complete it is, and starting it by hand. */
export function datasetRoutes({ ingest, store, hours, now }: DatasetRoutesOptions): Hono {
  const whole = definitionSchema(hours, now)
  const change = changeSchema(now)
  const removal = z.strictObject({ data: z.enum(DATA, { error: `expected ${DATA.join(' or ')}` }).default('keep') })
  const nowSec = () => Math.floor(now() / 1000)
  const routes = new Hono()

  async function statusOf(name: string): Promise<DatasetStatus> {
    const [status] = await ingest.datasets(name)
    if (!status) throw absent(name)
    return status
  }

  routes.get('/datasets', async (c) => {
    return c.json<DatasetsAnswer>({ datasets: (await ingest.datasets()).map(datasetSummary) })
  })

  routes.post('/datasets', async (c) => {
    const definition = await bodyOf(c, whole)
    const { created } = await ingest.declare(definition)
    c.header('location', `/v1/datasets/${definition.name}`)
    return c.json<DatasetAnswer>(datasetAnswer(await statusOf(definition.name)), created ? 201 : 200)
  })

  routes.get('/datasets/:name', async (c) => c.json<DatasetAnswer>(datasetAnswer(await statusOf(nameIn(c)))))

  routes.patch('/datasets/:name', async (c) => {
    const { paused, ...changes } = await bodyOf(c, change)
    const name = nameIn(c)
    if (Object.keys(changes).length > 0) {
      await ingest.change(name, (definition) => check(whole, changed(definition, changes)))
    }
    if (paused !== undefined) await store.pauseDataset(name, paused, nowSec())
    return c.json<DatasetAnswer>(datasetAnswer(await statusOf(name)))
  })

  routes.delete('/datasets/:name', async (c) => {
    const { data } = check(removal, c.req.query())
    const { name } = await statusOf(nameIn(c))
    await store.removeDataset(name, { dropData: data === 'drop' }, nowSec())
    return c.json<RemovedAnswer>({ removed: name, data })
  })

  routes.post('/datasets/:name/runs', async (c) => {
    const started = startedAnswer(await ingest.startDataset(nameIn(c)))
    c.header('location', `/v1/runs/${started.id}`)
    return c.json<StartedAnswer>(started, 202)
  })

  return routes
}

/** The name in the path. Throws `not-found` for one that no dataset can have. */
function nameIn(c: Context): string {
  const name = c.req.param('name') ?? ''
  if (DATASET_NAME.test(name)) return name
  throw absent(name)
}

function absent(name: string): TidegateError {
  return new TidegateError('not-found', `There is no dataset "${name.slice(0, 64)}".`)
}

/** The definition with the fields given put in their places; a null takes one away. */
function changed(definition: DatasetDefinition, changes: object): object {
  return Object.fromEntries(Object.entries({ ...definition, ...changes }).filter(([, value]) => value !== null))
}
