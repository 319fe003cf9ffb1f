import { type Hours, TidegateError, toTidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { Ingest, Log } from '@tidegate/ingest'
import type { Relay } from '@tidegate/relay'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { except } from 'hono/combine'
import { type RequestIdVariables, requestId } from 'hono/request-id'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { plainAddress } from './address.ts'
import type { ErrorAnswer } from './answers.ts'
import { createGuard } from './guard.ts'
import { createKeyCheck } from './keys.ts'
import { type RandomBytes, randomBytes } from './mint.ts'
import { barRoutes } from './routes/bars.ts'
import { coverageRoutes } from './routes/coverage.ts'
import { datasetRoutes } from './routes/datasets.ts'
import { hookRoutes } from './routes/hooks.ts'
import { keyRoutes } from './routes/keys.ts'
import { restatementRoutes } from './routes/restatements.ts'
import { runRoutes } from './routes/runs.ts'
import { seriesRoutes } from './routes/series.ts'
import { statusRoutes } from './routes/status.ts'
import { webhookRoutes } from './routes/webhooks.ts'

/** A thousand series of long names fit several times over; and of a dataset ten thousand, which can't be split. */
const MOST_BODY_BYTES = 256 * 1024
const MOST_DATASET_BYTES = 1024 * 1024
const DATASETS = '/v1/datasets/*'

export interface AppOptions {
  readonly ingest: Ingest
  readonly store: Store
  readonly relay: Relay
  /** One key of at least 32 characters, or two while they are rotated. */
  readonly keys: readonly string[]
  readonly log: Log
  /** Which hours a request means that does not say. Default regular. */
  readonly hours?: Hours
  /** Whether webhooks may name addresses in private networks. Default false. */
  readonly webhooksPrivate?: boolean
  /** Epoch milliseconds. Default: the machine's clock. */
  readonly now?: () => number
  /** What keys and secrets are made of. Default: WebCrypto's. */
  readonly bytes?: RandomBytes
}

type Env = { Variables: RequestIdVariables }

/** The HTTP interface, the same on every runtime. Throws `invalid` for keys that are too short. */
export function createApp({ ingest, store, relay, keys, log, ...options }: AppOptions): Hono<Env> {
  const { hours = 'regular', webhooksPrivate: allowPrivate = false, now = Date.now, bytes = randomBytes } = options
  const app = new Hono<Env>()

  app.onError((cause, c) => answerError(c, cause, log))
  app.notFound((c) => {
    throw new TidegateError('not-found', `There is no ${c.req.method} ${c.req.path} here.`)
  })
  app.use(requestId())
  app.get('/health', (c) => c.json({ alive: true }))
  app.use(createGuard(createKeyCheck(keys, store)))
  app.use(DATASETS, limit(MOST_DATASET_BYTES))
  app.use(except(DATASETS, limit(MOST_BODY_BYTES)))
  const start = (dataset: string, runId: string) => ingest.startDataset(dataset, { source: 'hook', runId })
  // Before addresses are looked at: a call of a name that is none is answered as one that is not signed.
  app.route('/v1', hookRoutes({ store, start, log, bytes, now }))
  app.use(plainAddress)
  app.route('/v1', runRoutes({ ingest, store, hours }))
  app.route('/v1', barRoutes({ store, hours }))
  app.route('/v1', seriesRoutes({ store }))
  app.route('/v1', coverageRoutes({ store, now }))
  app.route('/v1', restatementRoutes({ store, ingest }))
  app.route('/v1', datasetRoutes({ ingest, store, hours, now }))
  app.route('/v1', statusRoutes({ store, relay }))
  app.route('/v1', webhookRoutes({ store, ingest, allowPrivate, bytes, now }))
  app.route('/v1', keyRoutes({ store, bytes, now }))
  return app
}

function limit(maxSize: number): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw new TidegateError('invalid', `The body is larger than ${maxSize / 1024} KiB: split the request.`)
    },
  })
}

function answerError(c: Context<Env>, cause: unknown, log: Log): Response {
  const error = toTidegateError(cause)
  const fields = { request: c.get('requestId'), path: c.req.path, kind: error.kind, code: error.code }
  if (error.status === 500) log.error({ ...fields, err: error }, 'a request failed')
  else log.info({ ...fields, reason: error.message }, 'a request was refused')
  if (error.retryAfterMs !== undefined) c.header('retry-after', String(Math.ceil(error.retryAfterMs / 1000)))
  return c.json<ErrorAnswer>({ error: error.toJSON() }, error.status as ContentfulStatusCode)
}
