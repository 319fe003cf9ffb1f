/** A Worker that is nothing but the queue: a test sends through it, and works on what it hands over. */
import type { MessageBatch, Queue } from '@cloudflare/workers-types'
import type { WorkResult } from '@tidegate/ingest'
import { createConsoleLog } from '../src/console.ts'
import { type CloudflareQueue, createCloudflareQueue } from '../src/queue/cloudflare.ts'

interface Env {
  readonly CHUNKS: Queue<string>
  readonly DEAD_LETTERS: string
  /** The test itself. */
  readonly TEST: { fetch(url: string, init: RequestInit): Promise<Response> }
}

const made = new WeakMap<Env, CloudflareQueue>()

function queueOf(env: Env): CloudflareQueue {
  const log = createConsoleLog(Date.now)
  const retry = { firstSec: 0, mostSec: 0 }
  const queue = made.get(env) ?? createCloudflareQueue(env.CHUNKS, { log, dead: env.DEAD_LETTERS, retry })
  made.set(env, queue)
  const tell = async (path: string, chunkId: string) => {
    const answer = await env.TEST.fetch(`http://test/${path}`, { method: 'POST', body: chunkId })
    if (!answer.ok) throw new Error(await answer.text())
    return answer
  }
  queue.consume(
    async (chunkId) => (await (await tell('work', chunkId)).json()) as WorkResult,
    async (chunkId) => {
      await tell('bury', chunkId)
    },
    async () => Number(await (await tell('refill', '')).text()),
  )
  return queue
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { bodies, ids, delaySec } = (await request.json()) as {
      bodies?: readonly string[]
      ids: readonly string[]
      delaySec?: number
    }
    if (bodies) await env.CHUNKS.sendBatch(bodies.map((body) => ({ body })))
    else await queueOf(env).send(ids, delaySec)
    return new Response('sent')
  },

  async queue(batch: MessageBatch<unknown>, env: Env): Promise<void> {
    await queueOf(env).handle(batch)
  },
}
