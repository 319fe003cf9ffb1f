import { createStore, openNeon, openTcp } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Neon, startNeon } from '../../../test/support/neon.ts'
import { type Postgres, startPostgres } from '../../../test/support/postgres.ts'
import { anySeries, barsAt, claimed, filled, minutes, NOW, T0, windowOf } from './fixture.ts'

let postgres: Postgres
let neon: Neon
beforeAll(async () => {
  postgres = await startPostgres()
  neon = await startNeon()
})
afterAll(async () => {
  await neon?.close()
  await postgres?.close()
})

it.each(['tcp', 'neon'] as const)(
  'over %s, a database that goes away fails as `database`, and serves when it is back',
  async (driver) => {
    const url = await postgres.freshDatabase()
    const tcp = openTcp(url)
    const database = driver === 'tcp' ? tcp : openNeon(url, { endpoint: neon.endpoint })
    try {
      await tcp.migrate()
      const store = createStore(database)
      const series = await anySeries(store)
      const ten = windowOf(T0, 10)
      const claim = await claimed(store, series.id, ten)
      const answer = filled(ten, barsAt(minutes(T0, 10)))
      await postgres.stop()
      const failure = await store.commit(claim, answer, NOW).catch((error: unknown) => error)
      expect(failure).toMatchObject({ kind: 'database' })
      expect(String(failure)).not.toMatch(/a b@c|a%20b/)
      await expect(store.ping()).rejects.toMatchObject({ kind: 'database' })
      if (driver === 'tcp') await expect(tcp.migrate()).rejects.toMatchObject({ kind: 'database' })
      await postgres.start()
      expect(await store.commit(claim, answer, NOW)).toEqual({ held: true, written: 10, restated: 0 })
    } finally {
      await tcp.close()
    }
  },
)

it('a statement under way when the server goes down fails, and the process lives', async () => {
  const database = openTcp(await postgres.freshDatabase())
  try {
    const slow = database.rows(sql`select pg_sleep(60)`)
    slow.catch(() => {})
    await expect
      .poll(() =>
        database.rows(
          sql`select 1 from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()`,
        ),
      )
      .toHaveLength(1)
    await postgres.stop()
    await expect(slow).rejects.toMatchObject({ kind: 'database' })
  } finally {
    await database.close()
    await postgres.start()
  }
})
