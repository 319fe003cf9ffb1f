import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { Pool } from 'pg'
import { type Database, databaseError, MIGRATIONS_FOLDER, type Orm, placeOf, rowsOf } from '../database.ts'
import { refuseNewer } from '../newer.ts'
import * as schema from '../schema/index.ts'

const MAX_CONNECTIONS = 10
const CONNECT_TIMEOUT_MS = 10_000
/** An arbitrary number that every migrating process of ours asks for. */
const MIGRATION_LOCK = 7_143_115_027

/** A database over TCP. `url` is its connection string, password included, for what else must connect to it. */
export interface TcpDatabase extends Database {
  readonly driver: 'tcp'
  readonly url: string
}

/** A Postgres server over TCP. Connects at the first statement. Throws `invalid` for a URL that is none. */
export function openTcp(url: string): TcpDatabase {
  const place = placeOf(url)
  const pool = new Pool({ connectionString: url, max: MAX_CONNECTIONS, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  // An idle connection that breaks is replaced at the next statement, which reports what is still wrong; one in use
  // fails the statement under way.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const orm: Orm = drizzle({ client: pool, schema })
  return {
    driver: 'tcp',
    url,
    orm,
    rows: (statement) => rowsOf(orm, statement, place),
    async migrate() {
      const migrationsFolder = fileURLToPath(new URL(`../../${MIGRATIONS_FOLDER}`, import.meta.url))
      try {
        const client = await pool.connect()
        try {
          await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
          await migrate(drizzle({ client, schema }), { migrationsFolder })
          await refuseNewer(orm, migrationsFolder, place)
        } finally {
          await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => {})
          client.release()
        }
      } catch (cause) {
        throw databaseError(cause, place)
      }
    },
    close: () => pool.end(),
  }
}
