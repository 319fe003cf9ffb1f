import { TidegateError, toTidegateError } from '@tidegate/core'
import type { BridgeStatus } from '@tidegate/relay'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Ask } from './answering.ts'
import type { Drain } from './drain.ts'
import { type Keyring, requireScope } from './keys.ts'
import { KINDS } from './kinds/index.ts'
import type { Login } from './login.ts'
import type { Metrics } from './metrics.ts'
import type { Observer } from './observer.ts'
import type { Pacing } from './pacing.ts'
import { bodyReply, linesReply } from './reply.ts'
import type { Shelf } from './shelf.ts'
import { STREAM_PATH } from './stream/server.ts'

const MAX_BODY_BYTES = 64 * 1024
/** The id a caller gave its request, so that both sides' logs name it alike. */
const REQUEST_ID = /^[\w.:-]{1,64}$/

export interface RelayParts {
  readonly login: Login
  readonly pacing: Pacing
  readonly ask: Ask
  readonly metrics: Metrics
  readonly drain: Drain
  readonly keys: Keyring
  readonly newId: () => string
  readonly observer: Observer
  readonly shelf: Shelf
}

/** `told`: the observer tells how the request ends. */
type Env = { Variables: { requestId: string; told?: boolean } }

/** The bridge's HTTP interface: what it takes is checked here, what it asks goes through pacing, what failed says so. */
export function createRelayApp(parts: RelayParts): Hono<Env> {
  const { login, pacing, ask, metrics, drain, keys, newId, observer, shelf } = parts
  const app = new Hono<Env>()
  const status = (): BridgeStatus => ({ gateway: login.status(), pacing: pacing.stats() })

  app.onError((cause, c) => answerError(c, cause, observer))
  app.notFound((c) =>
    answerError(c, new TidegateError('not-found', `There is no ${c.req.method} ${c.req.path} here.`), observer),
  )
  app.get('/health', (c) => c.json({ alive: true }))
  app.use(async (c, next) => {
    const given = c.req.header('x-request-id') ?? ''
    const requestId = REQUEST_ID.test(given) ? given : newId()
    c.set('requestId', requestId)
    c.header('x-request-id', requestId)
    await next()
  })
  app.use(requireScope(keys, 'read'))
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => Promise.reject(new TidegateError('invalid', `The body is larger than ${MAX_BODY_BYTES} bytes.`)),
    }),
  )
  app.use(async (c, next) => {
    await drain.hold(next)
    // A connection that idles on would keep a closing bridge waiting for its caller.
    if (drain.closing) c.header('connection', 'close')
  })
  app.get('/ready', (c) => {
    const { state, reason } = login.status()
    const { trouble } = pacing.stats()
    const ready = state === 'ready' && trouble === undefined
    return c.json({ ready, reason: trouble ?? reason }, ready ? 200 : 503)
  })
  app.get('/v1/status', (c) => c.json(status()))
  app.get('/metrics', async (c) => c.body(await metrics.text(), 200, { 'content-type': metrics.contentType }))

  app.get(STREAM_PATH, () => {
    throw new TidegateError('invalid', `${STREAM_PATH} is a WebSocket: connect with a client of that protocol.`)
  })

  for (const kind of KINDS) {
    app.post(kind.path, async (c) => {
      const requestId = c.get('requestId')
      const prepared = kind.prepare(await jsonOf(c))
      c.set('told', true)
      const answer = await ask(kind, prepared, { requestId, signal: c.req.raw.signal })
      if (!kind.inLines) return c.body(bodyReply(answer, shelf), 200, { 'content-type': 'application/json' })
      return c.body(linesReply(requestId, answer, shelf), 200, { 'content-type': 'application/x-ndjson' })
    })
  }

  return app
}

async function jsonOf(c: Context): Promise<unknown> {
  try {
    return await c.req.json()
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause
    throw new TidegateError('invalid', 'The body is no JSON.', { cause })
  }
}

/** Node's word on a request whose connection ends before it does. */
function isBrokenOff(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNRESET'
}

function answerError(c: Context<Env>, cause: unknown, observer: Observer): Response {
  const error = isBrokenOff(cause)
    ? new TidegateError('invalid', 'The caller broke off within its body.', { cause })
    : toTidegateError(cause)
  if (!c.get('told')) observer.refused(error, { request: c.get('requestId'), path: c.req.path })
  if (error.retryAfterMs !== undefined) c.header('retry-after', String(Math.ceil(error.retryAfterMs / 1000)))
  return c.json({ error: error.toJSON() }, error.status as 400)
}
