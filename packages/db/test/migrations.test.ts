import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { createStore, type Database, openTcp } from '@tidegate/db'
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api'
import { is, sql } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Postgres, startPostgres } from '../../../test/support/postgres.ts'
import * as schema from '../src/schema/index.ts'

const FOLDER = path.resolve(import.meta.dirname, '../migrations')

interface Journal {
  readonly entries: readonly { readonly idx: number; readonly when: number; readonly tag: string }[]
}

async function journal(): Promise<Journal> {
  return JSON.parse(await readFile(path.join(FOLDER, 'meta/_journal.json'), 'utf8'))
}

/** Every column and constraint of ours, as the database tells them. */
async function shapeOf(database: Database): Promise<object[]> {
  return database.rows(sql`
    select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
    where table_schema = 'public' order by 1, 2`)
}

async function applied(database: Database): Promise<number> {
  const [row] = await database.rows<{ n: number }>(sql`select count(*)::int as n from drizzle.__drizzle_migrations`)
  return row?.n ?? 0
}

describe('migrations', () => {
  it('say by their names what they do, and follow each other', async () => {
    const { entries } = await journal()
    const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort()
    expect(files).toEqual(entries.map(({ tag }) => `${tag}.sql`))
    for (const [i, { idx, when, tag }] of entries.entries()) {
      expect(idx).toBe(i)
      expect(tag).toMatch(new RegExp(`^${String(i).padStart(4, '0')}_[a-z_]+$`))
      expect(when).toBeGreaterThan(entries[i - 1]?.when ?? 0)
    }
  })

  it('hold all that the schema says', async () => {
    const last = String((await journal()).entries.length - 1).padStart(4, '0')
    const snapshot = JSON.parse(await readFile(path.join(FOLDER, `meta/${last}_snapshot.json`), 'utf8'))
    const current = generateDrizzleJson({ ...schema }, snapshot.id)
    expect(await generateMigration(snapshot, current)).toEqual([])
  })
})

describe('migrating a server', () => {
  let postgres: Postgres
  /** Migrated once, for what only looks at what came of it. */
  let migrated: Database
  beforeAll(async () => {
    postgres = await startPostgres()
    migrated = openTcp(await postgres.freshDatabase())
    await migrated.migrate()
  })
  afterAll(async () => {
    await migrated?.close()
    await postgres?.close()
  })

  it('twice changes nothing the second time', async () => {
    const shape = await shapeOf(migrated)
    await migrated.migrate()
    expect(await shapeOf(migrated)).toEqual(shape)
    expect(await applied(migrated)).toBe((await journal()).entries.length)
  })

  it('by several at once applies each once', async () => {
    const url = await postgres.freshDatabase()
    const databases = [1, 2, 3, 4].map(() => openTcp(url))
    try {
      await Promise.all(databases.map((database) => database.migrate()))
      for (const database of databases) expect(await applied(database)).toBe((await journal()).entries.length)
    } finally {
      await Promise.all(databases.map((database) => database.close()))
    }
  })

  it('makes the columns that the schema names', async () => {
    const rows = await migrated.rows<{ table_name: string; column_name: string }>(sql`
      select table_name, column_name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
      where table_schema = 'public' and table_type = 'BASE TABLE'`)
    const found = rows.map((row) => `${row.table_name}.${row.column_name}`).sort()
    const tables = Object.values(schema).filter((one) => is(one, PgTable))
    const expected = tables
      .map(getTableConfig)
      .flatMap(({ name, columns }) => columns.map((column) => `${name}.${column.name}`))
    expect(found).toEqual(expected.sort())
  })

  it('says what datasets were declared before in the words of now, and goes on with them', async () => {
    const database = openTcp(await postgres.freshDatabase())
    try {
      const run = async (tag: string) => {
        const text = await readFile(path.join(FOLDER, `${tag}.sql`), 'utf8')
        for (const statement of text.split('--> statement-breakpoint')) await database.rows(sql.raw(statement))
      }
      const tags = (await journal()).entries.map(({ tag }) => tag)
      const until = tags.indexOf('0007_datasets')
      for (const tag of tags.slice(0, until)) await run(tag)
      const wants = ['AAPL.NASDAQ', 'MSFT.NASDAQ'].map((instrumentId) => ({
        ...{ instrumentId, spec: '1-MINUTE-LAST', hours: 'all' },
      }))
      await database.rows(sql`
        insert into datasets (name, wants, since, every_sec)
        values ('first', ${JSON.stringify(wants)}::jsonb, '2026-01-02Z', 300), ('odd', '[]', '2026-01-02T14:30Z', 30)`)
      for (const tag of tags.slice(until)) await run(tag)
      const [first, odd] = await createStore(database).datasets()
      expect(first?.definition).toEqual({
        ...{ name: 'first', instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'], specs: ['1-MINUTE-LAST'], hours: 'all' },
        ...{ since: '2026-01-02T00:00:00Z', schedule: { every: '5m' } },
      })
      expect(first).toMatchObject({ since: Date.UTC(2026, 0, 2) / 1000, paused: false })
      expect(odd?.definition).toMatchObject({ since: '2026-01-02T14:30:00Z', schedule: { every: '1m' } })
      const due = await createStore(database).dueDatasets(Date.now() / 1000 + 60, 0)
      expect(due.map(({ name, unresolved }) => [name, unresolved.length])).toEqual([
        ['first', 2],
        ['odd', 0],
      ])
    } finally {
      await database.close()
    }
  })

  it('offers plain rows to people: the view market_data', async () => {
    const rows = await migrated.rows(sql`
      with i as (insert into instruments values ('A.B', '{}', now()) returning id),
      s as (insert into series (instrument_id, spec, hours) select id, '1-DAY-LAST', 'all' from i returning id)
      insert into bars select id, '2024-01-02Z', 1, 2, 0.5, 1.5 from s returning 1 as one`)
    expect(rows).toHaveLength(1)
    expect(await migrated.rows(sql`select instrument_id, spec, hours, open, close, volume from market_data`)).toEqual([
      { instrument_id: 'A.B', spec: '1-DAY-LAST', hours: 'all', open: 1, close: 1.5, volume: null },
    ])
  })

  it('refuses one that a newer version has migrated', async () => {
    await migrated.rows(
      sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 99999999999999)`,
    )
    await expect(migrated.migrate()).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('newer Tidegate'),
    })
    await migrated.rows(sql`delete from drizzle.__drizzle_migrations where hash = 'later'`)
  })
})
