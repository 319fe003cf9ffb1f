import { TidegateError, toTidegateError } from '@tidegate/core'
import type { BridgeStatus } from '@tidegate/relay'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Ask } from './answering.ts'
import type { Drain } from './drain.ts'
import { type Keyring, requireScope } from './keys.ts'
import { KINDS } from './kinds/index.ts'
import type { Log } from './log.ts'
import type { Login } from './login.ts'
import type { Pacing } from './pacing.ts'
import { linesReply } from './reply.ts'

const MAX_BODY_BYTES = 64 * 1024

export interface RelayParts {
  readonly login: Login
  readonly pacing: Pacing
  readonly ask: Ask
  readonly drain: Drain
  readonly keys: Keyring
  readonly newId: () => string
  readonly log: Log
}

type Env = { Variables: { requestId: string } }

/** The bridge's HTTP interface: what it takes is checked here, what it asks goes through pacing, what failed says so. */
export function createRelayApp({ login, pacing, ask, drain, keys, newId, log }: RelayParts): Hono<Env> {
  const app = new Hono<Env>()
  const status = (): BridgeStatus => ({ gateway: login.status(), pacing: pacing.stats() })

  app.onError((cause, c) => answerError(c, cause, log))
  app.notFound((c) =>
    answerError(c, new TidegateError('not-found', `There is no ${c.req.method} ${c.req.path} here.`), log),
  )
  app.get('/health', (c) => c.json({ alive: true }))
  app.use(async (c, next) => {
    c.set('requestId', newId())
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
    return c.json({ ready: state === 'ready', reason }, state === 'ready' ? 200 : 503)
  })
  app.get('/v1/status', (c) => c.json(status()))

  for (const kind of KINDS) {
    app.post(kind.path, async (c) => {
      const requestId = c.get('requestId')
      const prepared = kind.prepare(await jsonOf(c))
      const answer = await ask(kind, prepared, c.req.raw.signal)
      log.info({ request: requestId, ...prepared.told, ...answer.told }, kind.name)
      if (!kind.inLines) return c.json(answer.done)
      return c.body(linesReply(requestId, answer), 200, { 'content-type': 'application/x-ndjson' })
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

function answerError(c: Context<Env>, cause: unknown, log: Log): Response {
  const error = toTidegateError(cause)
  const fields = { request: c.get('requestId'), path: c.req.path, kind: error.kind, code: error.code }
  if (error.kind === 'internal') log.error({ ...fields, err: error }, 'a request failed')
  else log.info({ ...fields, reason: error.message }, 'a request was refused')
  if (error.retryAfterMs !== undefined) c.header('retry-after', String(Math.ceil(error.retryAfterMs / 1000)))
  return c.json({ error: error.toJSON() }, error.status as 400)
}
