import type { WorkResult } from '@tidegate/ingest'
import { build } from 'esbuild'
import { Miniflare, type Request, Response } from 'miniflare'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createCloudflareQueue } from '../src/queue/cloudflare.ts'
import { noBurial, type QueueUnderTest, queueBehaviour } from './queue.case.ts'
import { recordingLog } from './record.ts'

const MOST_RETRIES = 2

let script = ''
beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [`${import.meta.dirname}/queue-worker.ts`],
    bundle: true,
    format: 'esm',
    write: false,
    external: ['node:*'],
  })
  script = outputFiles[0]?.text ?? ''
})

interface Engine extends QueueUnderTest {
  /** Puts bodies into the queue past our own code. */
  sendBodies(bodies: readonly unknown[]): Promise<void>
}

function openQueue(): Engine {
  type Work = (chunkId: string) => Promise<WorkResult>
  type Refill = () => Promise<number>
  const working = Promise.withResolvers<{ work: Work; bury: (chunkId: string) => Promise<void>; refill: Refill }>()
  const miniflare = new Miniflare({
    script,
    modules: true,
    cf: false,
    compatibilityDate: '2026-07-01',
    compatibilityFlags: ['nodejs_compat'],
    queueProducers: { CHUNKS: 'chunks' },
    bindings: { DEAD_LETTERS: 'dead' },
    queueConsumers: {
      chunks: { maxBatchSize: 10, maxBatchTimeout: 0.05, maxRetries: MOST_RETRIES, deadLetterQueue: 'dead' },
      dead: { maxBatchSize: 10, maxBatchTimeout: 0.05 },
    },
    handleRuntimeStdio: () => {},
    serviceBindings: {
      async TEST(request: Request) {
        try {
          const { work, bury, refill } = await working.promise
          const chunkId = await request.text()
          const { pathname } = new URL(request.url)
          if (pathname === '/refill') return new Response(String(await refill()))
          if (pathname === '/bury') return Response.json((await bury(chunkId)) ?? null)
          return Response.json(await work(chunkId))
        } catch (error) {
          return new Response(String(error), { status: 500 })
        }
      },
    },
  })
  const call = async (body: object) => {
    const answer = await miniflare.dispatchFetch('http://queue/', { method: 'POST', body: JSON.stringify(body) })
    expect(await answer.text()).toBe('sent')
  }
  const engine: Engine = {
    concurrency: 4,
    tries: MOST_RETRIES + 1,
    send: (ids, delaySec) => call({ ids, delaySec }),
    sendBodies: (bodies) => call({ bodies, ids: [] }),
    async consume(work, bury, refill = async () => 0) {
      working.resolve({ work, bury, refill })
    },
    async close() {
      await miniflare.dispose()
    },
  }
  return engine
}

queueBehaviour('Cloudflare Queues in workerd', async () => openQueue())

describe('Cloudflare Queues', () => {
  it('acknowledges what was worked on, and lets come again what could not be, half a minute later', async () => {
    const log = recordingLog()
    const queue = createCloudflareQueue(
      { sendBatch: () => Promise.reject(new Error('not asked for')) },
      { log, dead: 'dead' },
    )
    await queue.consume(async (id) => {
      if (id === '2') throw new Error('the database is gone')
      return { outcome: 'requeued', written: 0 }
    }, noBurial)
    const messages = ['1', '2', '3'].map((body) => {
      const message = { id: `m${body}`, timestamp: new Date(0), body, attempts: 1, ack: vi.fn(), retry: vi.fn() }
      return message
    })
    await queue.handle({ queue: 'chunks', messages })
    expect(messages.map(({ ack }) => ack.mock.calls.length)).toEqual([1, 0, 1])
    expect(messages.map(({ retry }) => retry.mock.calls)).toEqual([[], [[{ delaySeconds: 30 }]], []])
    expect(log.entries.map(({ level, fields }) => [level, fields])).toEqual([
      ['error', expect.objectContaining({ chunk: '2', err: new Error('the database is gone') })],
    ])
  })

  it('never asks for a delay that Cloudflare refuses, and says when it could not send', async () => {
    const sendBatch = vi.fn(async () => Promise.reject(new Error('too many requests')))
    const queue = createCloudflareQueue({ sendBatch }, { log: recordingLog(), dead: undefined })
    await expect(queue.send(['1', '2'], 100_000.5)).rejects.toMatchObject({ kind: 'internal' })
    expect(sendBatch).toHaveBeenCalledWith([{ body: '1' }, { body: '2' }], { delaySeconds: 43_200 })
  })
})

describe('Cloudflare Queues in workerd', () => {
  let engine: Engine
  afterEach(() => engine.close())

  it('drops what is no chunk id, and works on what came with it', async () => {
    engine = openQueue()
    const worked: string[] = []
    await engine.consume(async (id) => {
      worked.push(id)
      return { outcome: 'done', written: 1 }
    }, noBurial)
    await engine.sendBodies(['1', 'nonsense', { chunk: 2 }, '', '99999999999999999999', '3'])
    await engine.send(['4'])
    await vi.waitFor(() => expect(worked.sort()).toEqual(['1', '3', '4']), { timeout: 10_000, interval: 10 })
  })
})
