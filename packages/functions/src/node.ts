import { type Hours, type Spans, TidegateError } from '@tidegate/core'
import { createStore, type Database, type EmbeddedDatabase, type Store, type TcpDatabase } from '@tidegate/db'
import { createIngest, type Ingest, type Log } from '@tidegate/ingest'
import type { Relay } from '@tidegate/relay'
import { createApp } from './app.ts'
import { createClosing } from './closing.ts'
import { type Listener, listenOn } from './listen.ts'
import { createOutsideFetch } from './outside.ts'
import { type BossOptions, createBossQueue } from './queue/boss.ts'
import { createSchedule, type Every, everyOnTheClock } from './schedule.ts'

/** For each bridge half of what it lets be open at the gateway: requests by hand always find room. */
const CONCURRENCY = 16

export interface NodeOptions {
  /** Open and migrated by the caller, who also closes it. Embedded or over TCP: the queue needs a session. */
  readonly database: Database
  readonly relay: Relay
  /** One key of at least 32 characters, or two while they are rotated. */
  readonly keys: readonly string[]
  readonly log: Log
  /** Which hours a request means that does not say. Default regular. */
  readonly hours?: Hours
  /** Where to listen; port 0 is any free one. Absent: only `fetch`. */
  readonly listen?: { readonly host: string; readonly port: number }
  /** Epoch milliseconds. */
  readonly now?: () => number
  /** Uniform in [0, 1). */
  readonly random?: () => number
  readonly newId?: () => string
  /** How many bridges the relay has, each with a login of its own. Default 1. */
  readonly logins?: number
  /** Chunks worked on at once. Default 16 for each login. */
  readonly concurrency?: number
  /** IBKR's message rate, for expected times. Default 45. */
  readonly messagesPerSec?: number
  /** What an answer takes as a rule, seconds, for expected times. Default 2. */
  readonly answerSec?: number
  /** How long requests are. Default `documented`. */
  readonly spans?: Spans
  /** Whether webhooks may name addresses in private networks. Default false. */
  readonly webhooksPrivate?: boolean
  /** Calls `run` every `ms` milliseconds until what it returns is called. Default: on the clock's full minutes. */
  readonly every?: Every
}

export interface NodeFunctions {
  /** Where it listens; undefined where it does not. */
  readonly url: string | undefined
  /** The HTTP interface, without a network between. */
  readonly fetch: (request: Request) => Promise<Response>
  readonly ingest: Ingest
  readonly store: Store
  /** Starts the schedule: tick and sweep at once and then every minute. */
  startSchedule(): void
  /** Stops taking work, lets what is under way finish, stops the queue, closes the port. Not the database. */
  close(): Promise<void>
}

/**
 * The functions in one Node process: the HTTP interface, and chunks worked on as they come through pg-boss.
 * Throws `invalid` for keys that are too short, a database without a session, or a port that is taken.
 */
export async function createNodeFunctions(options: NodeOptions): Promise<NodeFunctions> {
  const { relay, keys, log, hours, listen, messagesPerSec, webhooksPrivate = false } = options
  const { answerSec, spans, logins = 1 } = options
  const { concurrency = CONCURRENCY * logins } = options
  const { now = Date.now, random = Math.random, newId = () => crypto.randomUUID() } = options
  const store = createStore(options.database)
  const database = sessionOf(options.database)
  const queue = await createBossQueue({ database, log, concurrency })
  const ending = new AbortController()
  const webhooks = {
    fetch: createOutsideFetch({ allowPrivate: webhooksPrivate, until: ending.signal }),
    allowPrivate: webhooksPrivate,
  }
  const ingest = createIngest({
    store,
    relay,
    queue,
    now,
    random,
    newId,
    log,
    messagesPerSec,
    openRequests: concurrency,
    answerSec,
    logins,
    spans,
    webhooks,
  })
  const closing = createClosing({ store, now, log })
  const schedule = createSchedule({ ingest, log, every: options.every ?? everyOnTheClock })
  let listener: Listener | undefined
  try {
    const app = createApp({ ingest, store, relay, keys, log, hours, webhooksPrivate, now })
    const fetch = async (request: Request) => app.fetch(request)
    if (listen) listener = await listenOn(fetch, listen)
    const work = async (chunkId: string) => {
      const result = await ingest.work(chunkId)
      closing.note(result)
      return result
    }
    await queue.consume(work, ingest.bury, ingest.refill)
    return {
      url: listener?.url,
      fetch,
      ingest,
      store,
      startSchedule: () => schedule.start(),
      async close() {
        ending.abort()
        await Promise.all([schedule.stop(), listener?.close(), queue.drain()])
        await closing.look()
        await queue.close()
      },
    }
  } catch (error) {
    await listener?.close()
    await queue.close()
    throw error
  }
}

function sessionOf(database: Database): BossOptions['database'] {
  if (isEmbedded(database) || isTcp(database)) return database
  throw new TidegateError(
    'invalid',
    `The queue needs a session, which the driver "${database.driver}" has none of: open the database over TCP.`,
  )
}

const isEmbedded = (database: Database): database is EmbeddedDatabase => database.driver === 'pglite'
const isTcp = (database: Database): database is TcpDatabase => database.driver === 'tcp'
