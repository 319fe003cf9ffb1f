import { neon, neonConfig } from '@neondatabase/serverless'
import { sql as statement } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openNeon } from '../../packages/db/src/edge.ts'
import { type Neon, startNeon } from './neon.ts'
import { type Postgres, startPostgres } from './postgres.ts'

let postgres: Postgres
let standIn: Neon
let url = ''
beforeAll(async () => {
  postgres = await startPostgres()
  url = await postgres.freshDatabase()
  standIn = await startNeon()
})
afterAll(async () => {
  await standIn?.close()
  await postgres?.close()
})

/** Neon's client, its endpoint the stand-in's by way of `openNeon`. */
function client() {
  openNeon(url, { endpoint: standIn.endpoint })
  return neon(url)
}

describe('the stand-in of Neon', () => {
  it('answers rows as objects and as arrays, their values typed', async () => {
    const sql = client()
    const values = [1.5, null, 'é "\\', true]
    const text = 'select $1::float8 as a, $2::int4 as b, $3::text as c, $4::bool as d'
    expect(await sql.query(text, values)).toEqual([{ a: 1.5, b: null, c: 'é "\\', d: true }])
    expect(await sql.query(text, values, { arrayMode: true })).toEqual([values])
    const full = await sql.query('select generate_series(1, 3) as n', [], { fullResults: true })
    expect(full).toMatchObject({ command: 'SELECT', rowCount: 3, rows: [{ n: 1 }, { n: 2 }, { n: 3 }] })
  })

  it('runs a batch in one transaction, all or nothing, in the mode asked for', async () => {
    const sql = client()
    await sql`create table kept (n int)`
    const both = await sql.transaction([sql`insert into kept values (1)`, sql`select count(*)::int as n from kept`])
    expect(both).toEqual([[], [{ n: 1 }]])
    await expect(sql.transaction([sql`insert into kept values (2)`, sql`select 1 / 0`])).rejects.toMatchObject({
      code: '22012',
    })
    await expect(sql.transaction([sql`insert into kept values (3)`], { readOnly: true })).rejects.toThrow('read-only')
    const level = sql`select current_setting('transaction_isolation') as level`
    expect(await sql.transaction([level], { isolationLevel: 'Serializable' })).toEqual([[{ level: 'serializable' }]])
    expect(await sql`select n from kept`).toEqual([{ n: 1 }])
  })

  it('passes on the fields of a Postgres error', async () => {
    await expect(client().query('select 1 from nowhere')).rejects.toMatchObject({
      code: '42P01',
      severity: 'ERROR',
      position: '15',
      message: 'relation "nowhere" does not exist',
    })
  })

  it('answers 500 while its database is away', async () => {
    await postgres.stop()
    await expect(client()`select 1`).rejects.toThrow('HTTP status 500')
    await postgres.start()
    expect(await client()`select 1 as n`).toEqual([{ n: 1 }])
  })

  it('serves only what is sent to /sql with a connection string', async () => {
    expect((await fetch(standIn.endpoint)).status).toBe(404)
    expect((await fetch(standIn.endpoint, { method: 'POST', body: '{}' })).status).toBe(400)
  })
})

describe('openNeon', () => {
  it('keeps the endpoints of two databases apart, and leaves other hosts to Neon', async () => {
    const other = await startNeon({ url })
    try {
      const one = openNeon('postgres://u:p@one.example/db', { endpoint: other.endpoint })
      const two = openNeon('postgres://u:p@two.example/db', { endpoint: 'http://127.0.0.1:1/sql' })
      await expect(two.rows(statement`select 1`)).rejects.toThrow()
      expect(await one.rows(statement`select 1 as n`)).toEqual([{ n: 1 }])
      expect(other.requests()).toBe(1)
      const endpoint = neonConfig.fetchEndpoint
      expect(typeof endpoint === 'function' && endpoint('ep-x.eu.aws.neon.tech', '')).toBe(
        'https://api.eu.aws.neon.tech/sql',
      )
    } finally {
      await other.close()
    }
  })
})
