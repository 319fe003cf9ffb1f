import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Postgres, startPostgres } from '../../../test/support/postgres.ts'
import { type BossQueue, createBossQueue } from '../src/queue/boss.ts'
import { noBurial, queueBehaviour } from './queue.case.ts'
import { recordingLog } from './record.ts'

const CONCURRENCY = 5
/** As usual, but at once. */
const TRIES = { again: 2, delaySec: 0, deadPollMs: 50 }

let postgres: Postgres
const open = new Set<BossQueue>()
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.close())
afterEach(async () => {
  await Promise.all([...open].map((queue) => queue.close()))
  open.clear()
})

async function openQueue(url: string, log = recordingLog()): Promise<BossQueue> {
  const queue = await createBossQueue({ database: { url }, concurrency: CONCURRENCY, log, tries: TRIES })
  open.add(queue)
  return queue
}

queueBehaviour('pg-boss over Postgres', async () => ({
  ...(await openQueue(await postgres.freshDatabase())),
  concurrency: CONCURRENCY,
  tries: TRIES.again + 1,
}))

describe('pg-boss over Postgres', () => {
  it('lets two processes share the work, each message once', async () => {
    const url = await postgres.freshDatabase()
    const queues = await Promise.all([openQueue(url), openQueue(url)])
    const worked: string[] = []
    const otherWorks = Promise.withResolvers<void>()
    await Promise.all(
      queues.map((queue, by) =>
        queue.consume(async (id) => {
          worked.push(id)
          if (by === 1) otherWorks.resolve()
          await otherWorks.promise
          return { outcome: 'done', written: 1 }
        }, noBurial),
      ),
    )
    await queues[0]?.send(Array.from({ length: 300 }, (_, i) => String(i)))
    await vi.waitFor(() => expect(new Set(worked).size).toBe(300), {
      timeout: 10_000,
      interval: 10,
    })
    expect(worked).toHaveLength(300)
  })

  it('is not bounded by polling: hundreds of chunks a second', async () => {
    const queue = await openQueue(await postgres.freshDatabase())
    let worked = 0
    await queue.consume(async () => {
      worked++
      return { outcome: 'nothing', written: 0 }
    }, noBurial)
    const startedAtMs = performance.now()
    await queue.send(Array.from({ length: 500 }, (_, i) => String(i)))
    await vi.waitFor(() => expect(worked).toBe(500), { timeout: 10_000, interval: 10 })
    expect(500 / ((performance.now() - startedAtMs) / 1000)).toBeGreaterThan(100)
  })

  it('says once that the database is gone, and goes on when it is back', async () => {
    const log = recordingLog()
    const queue = await openQueue(await postgres.freshDatabase(), log)
    const worked: string[] = []
    await queue.consume(async (id) => {
      worked.push(id)
      return { outcome: 'done', written: 1 }
    }, noBurial)
    await queue.send(['1'])
    await vi.waitFor(() => expect(worked).toEqual(['1']), { timeout: 10_000, interval: 10 })

    await postgres.stop()
    const silent = 'the queue does not answer; it is asked again and again'
    await vi.waitFor(() => expect(log.messages()).toContain(silent), { timeout: 10_000, interval: 10 })
    await expect(queue.send(['2'])).rejects.toMatchObject({ kind: 'database' })
    await postgres.start()
    await vi.waitFor(() => expect(log.messages()).toContain('the queue answers again'), {
      timeout: 10_000,
      interval: 10,
    })
    await queue.send(['3'])
    await vi.waitFor(() => expect(worked).toEqual(['1', '3']), { timeout: 10_000, interval: 10 })
    // A connection that the outage broke may fail later, which is told anew.
    const told = log.messages()
    const away = told.slice(0, told.indexOf('the queue answers again'))
    expect(away.filter((message) => message === silent)).toHaveLength(1)
  })

  it('says where its schema could not be made', async () => {
    const url = new URL(await postgres.freshDatabase())
    url.pathname = '/nowhere'
    await expect(openQueue(url.href)).rejects.toMatchObject({
      kind: 'database',
      message: expect.stringMatching(/pgboss.*"nowhere" does not exist/),
    })
  })
})
