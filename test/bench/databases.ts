import { type Database, openPglite, openTcp } from '@tidegate/db'
import { startPostgres } from '../support/postgres.ts'

/** Measures on both databases, one after the other: `open` makes a new one of that kind, migrated, which is the caller's to close. */
export async function onEachDatabase(
  measure: (name: string, open: () => Promise<Database>) => Promise<void>,
): Promise<void> {
  const postgres = await startPostgres()
  const kinds: readonly (readonly [string, () => Promise<Database>])[] = [
    ['PGlite', () => openPglite()],
    ['Postgres', async () => openTcp(await postgres.freshDatabase())],
  ]
  for (const [name, open] of kinds) {
    await measure(name, async () => {
      const database = await open()
      await database.migrate()
      return database
    })
  }
  await postgres.close()
}
