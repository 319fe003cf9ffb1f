/** A Worker that is nothing but the queue: a test sends through it, and works on what it hands over. */
import type { MessageBatch, Queue } from '@cloudflare/workers-types'
import type { WorkResult } from '@tidegate/ingest'
import { createConsoleLog } from '../src/console.ts'
import { type CloudflareQueue, createCloudflareQueue } from '../src/queue/cloudflare.ts'

interface Env {
  readonly CHUNKS: Queue<string>
  /** The test itself. */
  readonly TEST: { fetch(url: string, init: RequestInit): Promise<Response> }
}

const made = new WeakMap<Env, CloudflareQueue>()

function queueOf(env: Env): CloudflareQueue {
  const queue = made.get(env) ?? createCloudflareQueue(env.CHUNKS, createConsoleLog(Date.now))
  made.set(env, queue)
  queue.consume(async (chunkId) => {
    const answer = await env.TEST.fetch('http://test/', { method: 'POST', body: chunkId })
    if (!answer.ok) throw new Error(await answer.text())
    return (await answer.json()) as WorkResult
  })
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
