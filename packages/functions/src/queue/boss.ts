import { TidegateError } from '@tidegate/core'
import type { EmbeddedDatabase } from '@tidegate/db'
import type { ChunkQueue, Log } from '@tidegate/ingest'
import { fromPglite, PgBoss } from 'pg-boss'
import { exclusive } from './exclusive.ts'
import { createPump } from './pump.ts'

const QUEUE = 'chunks'
const SCHEMA = 'pgboss'
/** Its statements are short and few: a send, and two for every batch that is worked on. */
const MAX_CONNECTIONS = 3
/** What was worked on is kept for an hour, for whoever wants to look. */
const KEEP_DONE_SEC = 3600
/** How often an idle queue is looked at: a message of another process, or one whose delay is over, waits at most this long. */
const POLL_MS = 500

export interface BossOptions {
  /** Where pg-boss keeps its schema: a connection string, or the embedded database of this process. */
  readonly database: { readonly url: string } | { readonly client: EmbeddedDatabase['client'] }
  /** Messages worked on at once. */
  readonly concurrency: number
  readonly log: Log
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
 * one that is sent again while it waits is not doubled. pg-boss retries nothing, for a chunk's own state says what a
 * failure means. Throws `database` when pg-boss can't make its schema.
 */
export async function createBossQueue({ database, concurrency, log }: BossOptions): Promise<BossQueue> {
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
    await boss.createQueue(QUEUE, { policy: 'short', retryLimit: 0, deleteAfterSeconds: KEEP_DONE_SEC })
  } catch (cause) {
    // What failed first is what is told.
    await boss.stop({ graceful: false }).catch(() => {})
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TidegateError('database', `The queue could not be set up in the schema ${SCHEMA}: ${reason}.`, { cause })
  }
  const pump = createPump({
    concurrency,
    pollMs: POLL_MS,
    log,
    take: async (most) =>
      (await boss.fetch<Message>(QUEUE, { batchSize: most })).map(({ id, data }) => ({ id, chunkId: data.chunk })),
    finish: async (ids) => {
      await boss.complete(QUEUE, [...ids])
    },
  })
  return {
    async send(chunkIds, delaySec = 0) {
      if (chunkIds.length === 0) return
      const startAfter = delaySec > 0 ? { startAfter: delaySec } : {}
      try {
        await boss.insert(
          QUEUE,
          chunkIds.map((chunk) => ({ data: { chunk }, singletonKey: chunk, ...startAfter })),
        )
      } catch (cause) {
        throw new TidegateError('database', `${chunkIds.length} chunks could not be handed to the queue.`, { cause })
      }
      if (delaySec <= 0) pump.wake()
    },
    async consume(work) {
      pump.start(work)
    },
    drain: () => pump.drain(),
    async close() {
      await pump.drain()
      await boss.stop({ graceful: false })
    },
  }
}
