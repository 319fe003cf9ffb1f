import type { Message, MessageBatch, Queue } from '@cloudflare/workers-types'
import { TidegateError } from '@tidegate/core'
import type { ChunkQueue, Log, WorkResult } from '@tidegate/ingest'

/** Cloudflare takes at most this many messages a call (Queues limits). */
const BATCH = 100
/** Cloudflare delays a message by at most 12 hours. One that comes too early finds its chunk not due; the sweep sends it again. */
const MOST_DELAY_SEC = 43_200
/** A Worker may hold six connections: four chunks, and room for what each asks beside. */
const CONCURRENCY = 4
/** How long a message waits whose chunk could not even be claimed, or its failure noted: twice as long each time. */
const RETRY = { firstSec: 30, mostSec: 600 }

const CHUNK_ID = /^\d{1,19}$/

export interface CloudflareQueue extends ChunkQueue {
  /** The Worker's `queue` handler: resolves once every message of the batch is acknowledged or marked to come again. */
  handle(batch: Pick<MessageBatch<unknown>, 'messages' | 'queue'>): Promise<void>
}

interface CloudflareOptions {
  readonly log: Log
  /** The name of the queue that Cloudflare puts messages into that were tried too often; undefined where there is none. */
  readonly dead: string | undefined
  /** How long a message waits that could not be worked on, seconds. Default: half a minute, twice as long each time. */
  readonly retry?: { readonly firstSec: number; readonly mostSec: number }
}

/** Chunk ids through a Queue binding; a message's body is the id and nothing else. It knows no urgency: first come, first served. */
export function createCloudflareQueue(
  binding: Pick<Queue<string>, 'sendBatch'>,
  { log, dead, retry = RETRY }: CloudflareOptions,
): CloudflareQueue {
  let work: ((chunkId: string) => Promise<WorkResult>) | undefined
  let bury: ((chunkId: string) => Promise<void>) | undefined
  let refill: (() => Promise<number>) | undefined

  async function handleOne(message: Message<unknown>, act: (chunkId: string) => Promise<unknown>): Promise<void> {
    const { body } = message
    if (typeof body !== 'string' || !CHUNK_ID.test(body)) {
      log.error({ message: message.id, body }, 'a message holds no chunk id and is dropped')
      message.ack()
      return
    }
    try {
      await act(body)
      message.ack()
    } catch (err) {
      const retryAfterSec = Math.min(retry.firstSec * 2 ** (message.attempts - 1), retry.mostSec)
      log.error({ chunk: body, err, retryAfterSec }, 'a chunk could not be worked on')
      message.retry({ delaySeconds: retryAfterSec })
    }
  }

  return {
    async send(chunkIds, delaySec = 0) {
      const delaySeconds = Math.min(Math.ceil(delaySec), MOST_DELAY_SEC)
      try {
        for (let i = 0; i < chunkIds.length; i += BATCH) {
          const messages = chunkIds.slice(i, i + BATCH).map((body) => ({ body }))
          await binding.sendBatch(messages, delaySeconds > 0 ? { delaySeconds } : undefined)
        }
      } catch (cause) {
        throw new TidegateError('internal', `${chunkIds.length} chunks could not be handed to the queue.`, { cause })
      }
    },

    async consume(worker, burier, refiller) {
      work = worker
      bury = burier
      refill = refiller
    },

    async handle({ messages, queue }) {
      const act = queue === dead ? bury : work
      if (!act) throw new TidegateError('internal', 'Messages came before anybody was there to work on them.')
      const waiting = [...messages]
      const lane = async () => {
        for (let message = waiting.shift(); message; message = waiting.shift()) await handleOne(message, act)
      }
      await Promise.all(Array.from({ length: CONCURRENCY }, lane))
      // How full the queue is nobody tells: whoever took of it looks whether more may go there.
      if (act !== work) return
      try {
        await refill?.()
      } catch (err) {
        log.warn({ err }, 'what is held back could not be handed to the queue; the next sweep does it')
      }
    },
  }
}
