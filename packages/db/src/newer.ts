import { TidegateError } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { type Orm, rowsOf } from './database.ts'

/**
 * Throws `conflict` where a database has a migration that `migrationsFolder` does not know: a newer Tidegate made it, and
 * what this one would write or read there is anybody's guess.
 */
export async function refuseNewer(orm: Orm, migrationsFolder: string, place: string): Promise<void> {
  const newest = readMigrationFiles({ migrationsFolder }).at(-1)?.folderMillis ?? 0
  const [row] = await rowsOf<{ later: number }>(
    orm,
    sql`select count(*)::int as later from drizzle.__drizzle_migrations where created_at > ${newest}::bigint`,
    place,
  )
  if (row?.later) {
    throw new TidegateError(
      'conflict',
      `The database at ${place} was brought up to date by a newer Tidegate (${row.later} migrations later): update this one.`,
    )
  }
}
