/** The functions as a Cloudflare Worker: HTTP, a cron trigger and a queue consumer, all over one set of parts. */
import type { MessageBatch, Queue } from '@cloudflare/workers-types'
import { toTidegateError } from '@tidegate/core'
import { createStore, openNeon, type Store } from '@tidegate/db/edge'
import { createIngest, type Ingest, type Log } from '@tidegate/ingest'
import type { ErrorAnswer } from './answers.ts'
import { createApp } from './app.ts'
import { openRelays } from './bridges.ts'
import { closeRuns } from './closing.ts'
import { createConsoleLog } from './console.ts'
import { pass } from './pass.ts'
import { type CloudflareQueue, createCloudflareQueue } from './queue/cloudflare.ts'
import { readWorkerSettings } from './settings.ts'

/** The bindings, by the names that infra/ gives them; the texts are checked before they are used. */
export interface WorkerEnv {
  readonly CHUNKS: Pick<Queue<string>, 'sendBatch'>
  /** The name of the queue of dead letters; its messages are chunks that have failed. */
  readonly DEAD_LETTERS?: string
  readonly DATABASE_URL: string
  /** A SQL-over-HTTP endpoint that is not Neon's own. */
  readonly DATABASE_HTTP_ENDPOINT?: string
  readonly BRIDGE_URL?: string
  readonly BRIDGE_KEY?: string
  /** Several bridges in the place of the one above: JSON. */
  readonly BRIDGES?: string
  readonly TIDEGATE_KEY: string
  readonly IBKR_USE_RTH?: string
  readonly IBKR_RATE_LIMIT?: string
  readonly IBKR_SPANS?: string
  readonly IBKR_ANSWER_TIME?: string
  readonly TIDEGATE_WEBHOOKS_PRIVATE?: string
}

interface Parts {
  readonly app: ReturnType<typeof createApp>
  readonly ingest: Ingest
  readonly queue: CloudflareQueue
  readonly store: Store
}

/** Two consumers at most, as infra/queue.ts has it, of four chunks each. */
const CHUNKS_AT_ONCE = 8
/** Queues takes its messages as they come: enough to be at work while more are sent, and few enough to stand before nobody for long. */
const MOST_WITH_QUEUE = 40

const log: Log = createConsoleLog(Date.now)
/** Made at the first event, for nothing may be asked of a binding while a Worker is loaded. */
const made = new WeakMap<WorkerEnv, Parts>()

function partsOf(env: WorkerEnv): Parts {
  const known = made.get(env)
  if (known) return known
  const { bridges, databaseUrl, databaseEndpoint, ...settings } = readWorkerSettings({ ...env })
  const store = createStore(openNeon(databaseUrl, { endpoint: databaseEndpoint }))
  const relay = openRelays(bridges, Date.now)
  const queue = createCloudflareQueue(env.CHUNKS, { log, dead: env.DEAD_LETTERS })
  const ingest = createIngest({
    store,
    relay,
    queue,
    log,
    now: Date.now,
    random: Math.random,
    newId: () => crypto.randomUUID(),
    messagesPerSec: settings.messagesPerSec,
    openRequests: CHUNKS_AT_ONCE,
    mostWithQueue: MOST_WITH_QUEUE,
    answerSec: settings.answerSec,
    logins: bridges.length,
    mayCross: false,
    spans: settings.spans,
    // A Worker reaches the public internet alone: what a name resolves to there is Cloudflare's to see to.
    webhooks: { fetch: (request) => fetch(request), allowPrivate: settings.webhooksPrivate },
  })
  queue.consume(ingest.work, ingest.bury, ingest.refill)
  const parts = { app: createApp({ ...settings, ingest, store, relay, log }), ingest, queue, store }
  made.set(env, parts)
  return parts
}

export default {
  async fetch(request: Request, env: WorkerEnv): Promise<Response> {
    let parts: Parts
    try {
      parts = partsOf(env)
    } catch (cause) {
      // Said in full to the log alone: whoever asks has shown no key yet.
      log.error({ err: toTidegateError(cause) }, 'the Worker can not start')
      const message = 'The functions are not set up rightly: their log says what is wrong.'
      return Response.json({ error: { kind: 'internal', message } } satisfies ErrorAnswer, { status: 500 })
    }
    return parts.app.fetch(request)
  },

  async scheduled(_controller: unknown, env: WorkerEnv): Promise<void> {
    await pass(partsOf(env).ingest, log)
  },

  async queue(batch: MessageBatch<unknown>, env: WorkerEnv): Promise<void> {
    const { queue, store } = partsOf(env)
    await queue.handle(batch)
    await closeRuns({ store, now: Date.now, log })
  },
}
