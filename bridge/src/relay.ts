import { TidegateError, toTidegateError } from '@tidegate/core'
import { type BridgeStatus, barsRequestSchema, contractsRequestSchema } from '@tidegate/relay'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { z } from 'zod'
import type { GatewayBars, GatewayHistory } from './connection.ts'
import type { Drain } from './drain.ts'
import { type Keyring, requireScope } from './keys.ts'
import type { Log } from './log.ts'
import type { Login } from './login.ts'
import type { PacedJob, Pacing } from './pacing.ts'
import { barsReply } from './reply.ts'
import type { Sharing } from './sharing.ts'

const MAX_BODY_BYTES = 64 * 1024

export interface RelayParts {
  readonly login: Login
  readonly pacing: Pacing
  readonly sharing: Sharing<GatewayBars>
  readonly drain: Drain
  readonly keys: Keyring
  readonly newId: () => string
  readonly log: Log
}

type Env = { Variables: { requestId: string } }

/** The bridge's HTTP interface: what it takes is checked here, what it asks goes through pacing, what failed says so. */
export function createRelayApp({ login, pacing, sharing, drain, keys, newId, log }: RelayParts): Hono<Env> {
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

  app.post('/v1/contracts', async (c) => {
    const { contract, ...patience } = await bodyOf(c, contractsRequestSchema)
    const { signal } = c.req.raw
    const contracts = await pacing.run(jobOf(patience, signal), () => login.contracts(contract, signal))
    log.info({ request: c.get('requestId'), contract, found: contracts.length }, 'contracts')
    return c.json({ contracts })
  })

  app.post('/v1/bars', async (c) => {
    const { contract, barSize, whatToShow, hours, end, duration, ...patience } = await bodyOf(c, barsRequestSchema)
    const request: GatewayHistory = { contract, barSize, whatToShow, regularHours: hours === 'regular', end, duration }
    const requestId = c.get('requestId')
    const answer = await sharing.share(JSON.stringify(request), c.req.raw.signal, (signal) =>
      pacing.run(jobOf(patience, signal), () => login.history(request, signal)),
    )
    log.info(
      {
        request: requestId,
        contract,
        barSize,
        whatToShow,
        end,
        duration,
        bars: answer.bars.t.length,
        empty: answer.empty,
      },
      'bars',
    )
    return c.body(barsReply({ requestId, barSize, whatToShow }, answer), 200, {
      'content-type': 'application/x-ndjson',
    })
  })

  return app
}

function jobOf(patience: Pick<PacedJob, 'priority' | 'waitMs'>, signal: AbortSignal): PacedJob {
  return { priority: patience.priority, waitMs: patience.waitMs, signal }
}

async function bodyOf<S extends z.ZodType>(c: Context, schema: S): Promise<z.output<S>> {
  let body: unknown
  try {
    body = await c.req.json()
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause
    throw new TidegateError('invalid', 'The body is no JSON.', { cause })
  }
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the body'}: ${issue.message}`)
  throw new TidegateError('invalid', `The request is not as expected: ${faults.join('; ')}.`)
}

function answerError(c: Context<Env>, cause: unknown, log: Log): Response {
  const error = toTidegateError(cause)
  const fields = { request: c.get('requestId'), path: c.req.path, kind: error.kind, code: error.code }
  if (error.kind === 'internal') log.error({ ...fields, err: error }, 'a request failed')
  else log.info({ ...fields, reason: error.message }, 'a request was refused')
  if (error.retryAfterMs !== undefined) c.header('retry-after', String(Math.ceil(error.retryAfterMs / 1000)))
  return c.json({ error: error.toJSON() }, error.status as 400)
}
