import { type Hours, TidegateError, toTidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { Ingest, Log } from '@tidegate/ingest'
import type { Relay } from '@tidegate/relay'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type RequestIdVariables, requestId } from 'hono/request-id'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { ErrorAnswer } from './answers.ts'
import { createKeyCheck } from './keys.ts'
import { barRoutes } from './routes/bars.ts'
import { runRoutes } from './routes/runs.ts'
import { seriesRoutes } from './routes/series.ts'
import { statusRoutes } from './routes/status.ts'

/** A thousand series of long names fit several times over. */
const MAX_BODY_BYTES = 256 * 1024

export interface AppOptions {
  readonly ingest: Ingest
  readonly store: Store
  readonly relay: Relay
  /** One key of at least 32 characters, or two while they are rotated. */
  readonly keys: readonly string[]
  readonly log: Log
  /** Which hours a request means that does not say. Default regular. */
  readonly hours?: Hours
}

type Env = { Variables: RequestIdVariables }

/** The HTTP interface, the same on every runtime. Throws `invalid` for keys that are too short. */
export function createApp({ ingest, store, relay, keys, log, hours = 'regular' }: AppOptions): Hono<Env> {
  const app = new Hono<Env>()
  const isKey = createKeyCheck(keys)

  app.onError((cause, c) => answerError(c, cause, log))
  app.notFound((c) => {
    throw new TidegateError('not-found', `There is no ${c.req.method} ${c.req.path} here.`)
  })
  app.use(requestId())
  app.get('/health', (c) => c.json({ alive: true }))
  app.use(async (c, next) => {
    if (!(await isKey(c.req.header('authorization')))) {
      c.header('www-authenticate', 'Bearer')
      const given = c.req.header('authorization')
      throw new TidegateError(
        'unauthorized',
        given
          ? 'This key is not the one: expected "Authorization: Bearer KEY" with the TIDEGATE_KEY that this Tidegate runs with.'
          : 'A key is needed: send "Authorization: Bearer KEY" with your TIDEGATE_KEY.',
      )
    }
    await next()
  })
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new TidegateError('invalid', `The body is larger than ${MAX_BODY_BYTES / 1024} KiB: split the request.`)
      },
    }),
  )
  app.route('/v1', runRoutes({ ingest, store, hours }))
  app.route('/v1', barRoutes({ store, hours }))
  app.route('/v1', seriesRoutes({ store }))
  app.route('/v1', statusRoutes({ store, relay }))
  return app
}

function answerError(c: Context<Env>, cause: unknown, log: Log): Response {
  const error = toTidegateError(cause)
  const fields = { request: c.get('requestId'), path: c.req.path, kind: error.kind, code: error.code }
  if (error.status === 500) log.error({ ...fields, err: error }, 'a request failed')
  else log.info({ ...fields, reason: error.message }, 'a request was refused')
  if (error.retryAfterMs !== undefined) c.header('retry-after', String(Math.ceil(error.retryAfterMs / 1000)))
  return c.json<ErrorAnswer>({ error: error.toJSON() }, error.status as ContentfulStatusCode)
}
