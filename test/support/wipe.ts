import { sql } from 'drizzle-orm'
import type { Database } from '../../packages/db/src/index.ts'

const BARS = [
  'outbox',
  'restatements',
  'chunks',
  'staged_bars',
  'adjustments',
  'runs',
  'coverage',
  'flagged_bars',
  'bars',
]
const TELLING = ['deliveries', 'webhooks', 'notices', 'hook_calls', 'hooks', 'api_keys']
const WANTS = ['dataset_series', 'dataset_instruments', 'datasets']
const ALL = [
  ...BARS,
  ...TELLING,
  'series',
  'instrument_aliases',
  'instruments',
  ...WANTS,
  'sessions',
  'calendars',
  'spans',
  'origin',
]

/** Everything removed, so that a test begins with an empty database. Deleting from small tables is quicker than truncating. */
export async function wipe(database: Database): Promise<void> {
  await deleteFrom(database, ALL)
}

/** Bars, coverage and runs removed; instruments and series stay. */
export async function wipeBars(database: Database): Promise<void> {
  await deleteFrom(database, BARS)
}

async function deleteFrom(database: Database, tables: readonly string[]): Promise<void> {
  const deletes = tables.map((table) => sql`${sql.identifier(`no_${table}`)} as (delete from ${sql.identifier(table)})`)
  await database.rows(sql`with ${sql.join(deletes, sql`, `)} select 1`)
}
