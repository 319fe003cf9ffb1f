import { TidegateError } from '@tidegate/core'
import type { EmbeddedDatabase } from '@tidegate/db'
import type { ChunkQueue, Log } from '@tidegate/ingest'
import { fromPglite, PgBoss } from 'pg-boss'
import { exclusive } from './exclusive.ts'
import { createPump } from './pump.ts'

const QUEUE = 'chunks'
/** Where a message goes that was tried too often. */
const DEAD = 'chunks-dead'
const SCHEMA = 'pgboss'
/** Its statements are short and few: a send, and two for every batch that is worked on. */
const MAX_CONNECTIONS = 3
/** What was worked on is kept for an hour, for whoever wants to look. */
const KEEP_DONE_SEC = 3600
/** How often an idle queue is looked at: a message of another process, or one whose delay is over, waits at most this long. */
const POLL_MS = 500
/** Messages die seldom, and nobody waits for their end. */
const DEAD_POLL_MS = 10_000
/** A message of which not even the database could be told what became of it: six times within a quarter of an hour. */
const TRIES: Tries = { again: 5, delaySec: 30, deadPollMs: DEAD_POLL_MS }

/** How often a message comes again that could not be worked on. */
export interface Tries {
  /** After the first time. */
  readonly again: number
  /** Before the first of them; before each other one about twice as long as before the last. */
  readonly delaySec: number
  /** How often messages that died are looked for. */
  readonly deadPollMs: number
}

export interface BossOptions {
  /** Where pg-boss keeps its schema: a connection string, or the embedded database of this process. */
  readonly database: { readonly url: string } | { readonly client: EmbeddedDatabase['client'] }
  /** Messages worked on at once. */
  readonly concurrency: number
  readonly log: Log
  /** Default: 5 times again, after half a minute and then ever later. */
  readonly tries?: Tries
}

export interface BossQueue extends ChunkQueue {
  /** Hands out no more messages; resolves once those under way are done. Sending goes on. */
  drain(): Promise<void>
  /** Drains, then leaves the database. */
  close(): Promise<void>
}

interface Message {
  readonly chunk: string
}

/**
 * Chunk ids through pg-boss, in the schema `pgboss` of the same database. A chunk has one waiting message at most:
 * one that is sent again while it waits is not doubled. What a failure means a chunk's own state says, and then its message
 * is done: what is more urgent is handed out first; pg-boss tries again only what could not be worked on at all. Throws `database` when pg-boss can't make its schema.
 */
export async function createBossQueue({ database, concurrency, log, tries = TRIES }: BossOptions): Promise<BossQueue> {
  const boss = new PgBoss({
    ...('url' in database
      ? { connectionString: database.url, max: MAX_CONNECTIONS }
      : { db: fromPglite(exclusive(database.client)), backend: 'pglite' as const }),
    schema: SCHEMA,
    application_name: 'tidegate-queue',
    registerInstance: false,
    schedule: false,
    reindex: false,
    monitorVacuum: false,
  })
  boss.on('error', (err) => log.warn({ err }, 'the queue has trouble with its database'))
  try {
    await boss.start()
    await boss.createQueue(DEAD, { policy: 'short', retryLimit: 0, deleteAfterSeconds: KEEP_DONE_SEC })
    const settings = {
      retryLimit: tries.again,
      retryDelay: tries.delaySec,
      retryBackoff: tries.delaySec > 0,
      deadLetter: DEAD,
      deleteAfterSeconds: KEEP_DONE_SEC,
    }
    await boss.createQueue(QUEUE, { policy: 'short', ...settings })
    // One that an earlier version made keeps its settings otherwise.
    await boss.updateQueue(QUEUE, settings)
  } catch (cause) {
    // What failed first is what is told.
    await boss.stop({ graceful: false }).catch(() => {})
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TidegateError('database', `The queue could not be set up in the schema ${SCHEMA}: ${reason}.`, { cause })
  }
  const outage = { isTold: false }
  const pumpOf = (queue: string, most: number, pollMs: number) =>
    createPump({
      concurrency: most,
      pollMs,
      log,
      outage,
      take: async (batchSize) =>
        (await boss.fetch<Message>(queue, { batchSize })).map(({ id, data }) => ({ id, chunkId: data.chunk })),
      finish: async (ids) => {
        await boss.complete(queue, [...ids])
      },
      fail: async (ids) => {
        await boss.fail(queue, [...ids])
      },
    })
  const pump = pumpOf(QUEUE, concurrency, POLL_MS)
  const burials = pumpOf(DEAD, 1, tries.deadPollMs)
  const drain = async () => {
    await Promise.all([pump.drain(), burials.drain()])
  }
  return {
    async send(chunkIds, delaySec = 0, urgency = 0) {
      if (chunkIds.length === 0) return
      const startAfter = delaySec > 0 ? { startAfter: delaySec } : {}
      try {
        await boss.insert(
          QUEUE,
          chunkIds.map((chunk) => ({ data: { chunk }, singletonKey: chunk, priority: urgency, ...startAfter })),
        )
      } catch (cause) {
        throw new TidegateError('database', `${chunkIds.length} chunks could not be handed to the queue.`, { cause })
      }
      if (delaySec <= 0) pump.wake()
    },
    async consume(work, bury, refill) {
      pump.start(work, refill)
      burials.start(bury)
    },
    drain,
    async close() {
      await drain()
      await boss.stop({ graceful: false })
    },
  }
}
