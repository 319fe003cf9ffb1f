import { join } from 'node:path'
import { createStore, type Database, openDatabase } from '@tidegate/db'
import type { Context } from '../context.ts'
import { readSettings } from '../settings.ts'

/** Brings the schema of the database up to date, and says how many migrations that took. */
export async function runMigrate(context: Context): Promise<number> {
  const { databaseUrl: url } = readSettings(context.env, context.newKey).functions
  const dir = join(context.cwd, '.tidegate', 'db')
  const database = await openDatabase({ url, dir, session: true })
  try {
    await createStore(database).ping()
    const before = await appliedIn(database)
    await database.migrate()
    const applied = (await appliedIn(database)) - before
    const place = url ? placeIn(url) : dir
    context.out(
      applied === 0
        ? `The schema at ${place} was up to date: ${before} migration${before === 1 ? '' : 's'} in all.\n`
        : `The schema at ${place} is up to date: ${applied} migration${applied === 1 ? '' : 's'} applied.\n`,
    )
    return 0
  } finally {
    await database.close()
  }
}

/** How many migrations the database remembers; drizzle makes its table at the first. */
async function appliedIn(database: Database): Promise<number> {
  const count = async (query: string) => {
    // Every driver's result holds its rows under this name; drizzle's common type does not say so.
    const { rows } = (await database.orm.execute(query)) as unknown as { readonly rows: { readonly n: number }[] }
    return Number(rows[0]?.n ?? 0)
  }
  const exists = await count("select count(to_regclass('drizzle.__drizzle_migrations'))::int as n")
  return exists === 0 ? 0 : count('select count(*)::int as n from drizzle.__drizzle_migrations')
}

/** Host and database, without user and password. */
function placeIn(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}
