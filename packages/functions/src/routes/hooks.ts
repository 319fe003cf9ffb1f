import { formatInstant, TidegateError } from '@tidegate/core'
import type { Hook, Store } from '@tidegate/db'
import type { Log } from '@tidegate/ingest'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { type CalledAnswer, type HooksAnswer, hookAnswer, type NewHookAnswer } from '../answers/telling.ts'
import { bodyOf } from '../check.ts'
import { mintSecret, type RandomBytes } from '../mint.ts'
import { text } from '../request.ts'
import { isSigned } from '../signature.ts'

const NAME = /^[a-z0-9][\w-]{0,63}$/i
/** What a call says does not matter, only that it came. */
const MOST_BODY_BYTES = 64 * 1024
const MOST_ID_CHARACTERS = 256
/** A run of thousands of instruments may take that long to open; a call whose taker has died waits no longer. */
const LEASE_SEC = 120
/** When a call that another one is at may ask again. */
const AGAIN_MS = 10_000
/** What comes as UTF-8 is signed as it came, its byte order mark too, which `text()` would drop. */
const BYTES = new TextDecoder('utf-8', { ignoreBOM: true })
const WANTS_DATASET = 'expected the name of a dataset'

const schema = z.strictObject({ dataset: text(WANTS_DATASET) })

export interface HookRoutesOptions {
  readonly store: Store
  /** Starts a run of a dataset under this id, once however often. */
  readonly start: (dataset: string, runId: string) => Promise<unknown>
  readonly log: Pick<Log, 'warn'>
  readonly bytes: RandomBytes
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** Names that others call, signed, to start a run of a dataset. */
export function hookRoutes({ store, start, log, bytes, now }: HookRoutesOptions): Hono {
  const nowSec = () => Math.floor(now() / 1000)
  const routes = new Hono()
  /** A call of a name that is none is checked as any other, against a secret that nobody has. */
  let nobodys: string | undefined

  routes.get('/hooks', async (c) => c.json<HooksAnswer>({ hooks: (await store.hooks()).map(hookAnswer) }))

  routes.put('/hooks/:name', async (c) => {
    const name = nameOf(c)
    const { dataset } = await bodyOf(c, schema)
    const hook = { name, dataset, createdAt: nowSec() }
    const secret = mintSecret(bytes)
    const put = await store.putHook({ ...hook, secret })
    if (!put) throw new TidegateError('not-found', `There is no dataset "${dataset}": declare it first.`)
    return c.json<NewHookAnswer>({ ...hook, createdAt: formatInstant(hook.createdAt), secret }, put.isNew ? 201 : 200)
  })

  routes.delete('/hooks/:name', async (c) => {
    const name = nameOf(c)
    if (!(await store.removeHook(name))) throw new TidegateError('not-found', `There is no hook "${name}".`)
    return c.json({ removed: name })
  })

  routes.post('/hooks/:name', bodyLimit({ maxSize: MOST_BODY_BYTES, onError: tooLarge }), async (c) => {
    const name = c.req.param('name')
    const hook = NAME.test(name) ? await store.hook(name) : undefined
    nobodys ??= mintSecret(bytes)
    const id = c.req.header('webhook-id') ?? ''
    const call = {
      id,
      timestamp: c.req.header('webhook-timestamp') ?? '',
      signature: c.req.header('webhook-signature') ?? '',
      body: BYTES.decode(await c.req.arrayBuffer()),
    }
    const fits = isSigned(call, hook?.secret ?? nobodys, nowSec())
    if (!hook || !fits || id.length > MOST_ID_CHARACTERS) throw unsigned()
    const taken = await store.takeCall(name, id, { now: nowSec(), leaseSec: LEASE_SEC })
    if (!taken) throw unsigned()
    const { state, runId } = taken
    if (state === 'under-way') throw underWay()
    if (state === 'taken') await startOrDrop(hook, id, runId)
    c.header('location', `/v1/runs/${runId}`)
    // A sender whose answer got lost sends the same again, until it hears that it was taken.
    return c.json<CalledAnswer>({ id: runId }, state === 'taken' ? 202 : 200)
  })

  async function startOrDrop(hook: Hook & { readonly paused: boolean }, id: string, runId: string): Promise<void> {
    const { name, dataset } = hook
    try {
      if (hook.paused) throw paused(dataset)
      await start(dataset, runId)
    } catch (cause) {
      // What was wrong with the start is told; a call that could not be given back comes free with its lease.
      await store.dropCall(name, id).catch((err: unknown) => log.warn({ hook: name, err }, 'a call was not given back'))
      throw cause
    }
  }

  return routes
}

function nameOf(c: Context): string {
  const name = c.req.param('name') ?? ''
  if (NAME.test(name)) return name
  throw new TidegateError(
    'invalid',
    `"${name.slice(0, 64)}" is no name of a hook: expected up to 64 letters, digits, - and _, a letter or digit first.`,
  )
}

function paused(dataset: string): TidegateError {
  return new TidegateError(
    'conflict',
    `The dataset "${dataset}" is paused: the same call may come again once it goes on.`,
  )
}

function underWay(): TidegateError {
  return new TidegateError('busy', 'A run for this webhook-id is being started: the same call may come again soon.', {
    retryAfterMs: AGAIN_MS,
  })
}

function tooLarge(): never {
  throw new TidegateError('invalid', `The body is larger than ${MOST_BODY_BYTES / 1024} KiB: send {}.`)
}

/** One answer for whatever is wrong, a name that is none too: which part it was is nobody's business. */
function unsigned(): TidegateError {
  return new TidegateError(
    'unauthorized',
    'This call is not signed as it has to be: expected the headers webhook-id, webhook-timestamp (within five minutes) and webhook-signature of Standard Webhooks.',
  )
}
