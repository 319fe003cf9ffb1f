import type { EmbeddedDatabase } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { type BossQueue, createBossQueue } from '../src/queue/boss.ts'
import { exclusive } from '../src/queue/exclusive.ts'
import { noBurial, queueBehaviour } from './queue.case.ts'
import { recordingLog } from './record.ts'

const CONCURRENCY = 5
/** As usual, but at once. */
const TRIES = { again: 2, delaySec: 0, deadPollMs: 50 }
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 10 })

let database: EmbeddedDatabase
let made: BossQueue | undefined
beforeAll(async () => {
  database = await freshPglite()
}, 60_000)
afterAll(() => database?.close())
afterEach(async () => {
  await made?.close()
  made = undefined
})

async function open(): Promise<BossQueue> {
  made = await createBossQueue({ database, concurrency: CONCURRENCY, log: recordingLog(), tries: TRIES })
  await database.client.query('delete from pgboss.job')
  return made
}

async function states(): Promise<Record<string, number>> {
  const { rows } = await database.client.query<{ state: string; count: number }>(
    'select state::text, count(*)::int as count from pgboss.job group by 1',
  )
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
}

queueBehaviour('pg-boss over PGlite', async () => ({
  ...(await open()),
  concurrency: CONCURRENCY,
  tries: TRIES.again + 1,
}))

describe('pg-boss', () => {
  it('keeps one waiting message a chunk, however often it is sent', async () => {
    const queue = await open()
    await queue.send(['1', '2'])
    await queue.send(['2', '3', '2'])
    expect(await states()).toEqual({ created: 3 })
    const worked: string[] = []
    await queue.consume(async (id) => {
      worked.push(id)
      // As a chunk that must be tried again does, while its own message is still under way.
      if (id === '1' && worked.length < 4) await queue.send(['1'])
      return { outcome: 'requeued', written: 0 }
    }, noBurial)
    await eventually(() => expect(worked.sort()).toEqual(['1', '1', '2', '3']))
  })

  it('hands out first what is most urgent, whenever it was sent', async () => {
    const queue = await open()
    const ordinary = Array.from({ length: CONCURRENCY }, (_, i) => `1${i}`)
    const urgent = Array.from({ length: CONCURRENCY }, (_, i) => `2${i}`)
    await queue.send(['1'], 0, -7)
    await queue.send(ordinary)
    await queue.send(urgent, 0, 7)
    const worked: string[] = []
    await queue.consume(async (id) => {
      worked.push(id)
      return { outcome: 'done', written: 1 }
    }, noBurial)
    await eventually(() => expect(worked).toHaveLength(2 * CONCURRENCY + 1))
    expect(worked.slice(0, CONCURRENCY).toSorted()).toEqual(urgent)
    expect(worked.at(-1)).toBe('1')
  })

  it('finishes what is under way when it is closed, takes nothing more, and says what was done', async () => {
    const queue = await open()
    const begun = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const worked: string[] = []
    await queue.consume(async (id) => {
      begun.resolve()
      await goOn.promise
      worked.push(id)
      return { outcome: 'done', written: 1 }
    }, noBurial)
    await queue.send(Array.from({ length: 12 }, (_, i) => String(i)))
    await begun.promise
    const closed = queue.close()
    goOn.resolve()
    await closed
    expect(worked.length).toBeGreaterThan(0)
    expect(worked.length).toBeLessThanOrEqual(CONCURRENCY)
    expect(await states()).toEqual({ completed: worked.length, created: 12 - worked.length })
  })

  it('is not bounded by polling, which would be a round each half second', async () => {
    const queue = await open()
    let worked = 0
    await queue.consume(async () => {
      worked++
      return { outcome: 'nothing', written: 0 }
    }, noBurial)
    const startedAtMs = performance.now()
    await queue.send(Array.from({ length: 500 }, (_, i) => String(i)))
    await eventually(() => expect(worked).toBe(500))
    expect(500 / ((performance.now() - startedAtMs) / 1000)).toBeGreaterThan(3 * 2 * CONCURRENCY)
  })

  it('leaves no broken transaction of its own to the statements of others', async () => {
    const broken = exclusive(database.client).exec('begin; create table half (n int); select 1 / 0; commit')
    const [failure, ...others] = await Promise.allSettled([
      broken,
      database.client.query('select 1'),
      database.rows(sql`select to_regclass('half') as half`),
    ])
    expect(failure).toMatchObject({ status: 'rejected', reason: { message: 'division by zero' } })
    expect(others).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled', value: [{ half: null }] }])
    await exclusive(database.client).exec('begin; create table whole (n int); insert into whole values (1); commit')
    expect(await database.rows(sql`select n from whole`)).toEqual([{ n: 1 }])
  })

  it('shares its session with others: a transaction of pg-boss and one of ours never mix', async () => {
    const queue = await open()
    await queue.consume(async () => {
      await database.client.transaction(async (tx) => {
        await tx.query('create table if not exists mixed (n int)')
        await tx.query('insert into mixed values (1)')
      })
      return { outcome: 'done', written: 1 }
    }, noBurial)
    const failing = database.client
      .transaction(async (tx) => {
        await tx.query('select pg_sleep(0.05)')
        await tx.query('select 1 / 0')
      })
      .catch((error: Error) => error.message)
    await queue.send(Array.from({ length: 40 }, (_, i) => String(i)))
    expect(await failing).toContain('division by zero')
    await vi.waitFor(async () => expect(await states()).toEqual({ completed: 40 }), { timeout: 10_000, interval: 20 })
    const [row] = await database.rows<{ n: number }>(sql`select count(*)::int as n from mixed`)
    expect(row?.n).toBe(40)
  })
})
