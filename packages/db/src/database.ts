import { TidegateError } from '@tidegate/core'
import type { SQL } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type * as schema from './schema/index.ts'

/** Drizzle over any of the drivers. */
export type Orm = PgDatabase<PgQueryResultHKT, typeof schema>

/** One open database, whichever driver reaches it. */
export interface Database {
  readonly driver: 'pglite' | 'tcp' | 'neon'
  readonly orm: Orm
  /** The rows of one statement. Throws a TidegateError of kind `database`. */
  rows<Row extends object>(statement: SQL): Promise<Row[]>
  /** Brings the schema up to date. Safe to call twice, and by two processes at once. */
  migrate(): Promise<void>
  close(): Promise<void>
}

/** Where a driver finds the migrations: the package's own folder. */
export const MIGRATIONS_FOLDER = 'migrations'

/**
 * A driver's failure as ours, keeping its cause. `place` names host and database and never a password.
 * What the database refused by a rule of ours (SQLSTATE class 22 and 23) is `internal`: asking again would not help.
 */
export function databaseError(error: unknown, place: string): TidegateError {
  if (error instanceof TidegateError) return error
  // Drizzle wraps the driver's error in one that repeats the statement and its parameters, thousands of bars long.
  const cause = (error as { cause?: unknown } | undefined)?.cause ?? error
  const code = (cause as { code?: unknown } | undefined)?.code
  const sqlState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : ''
  const refused = sqlState.startsWith('22') || sqlState.startsWith('23')
  const kind = refused ? 'internal' : 'database'
  return new TidegateError(kind, `The database at ${place} failed: ${messageOf(cause)}.${adviceFor(sqlState)}`, {
    cause,
  })
}

function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  // A host with several addresses fails once for each, in an error that has no message of its own.
  const each = cause instanceof AggregateError ? cause.errors.map(messageOf).join('; ') : ''
  return cause.message || each || cause.name
}

function adviceFor(sqlState: string): string {
  if (sqlState.startsWith('22') || sqlState.startsWith('23')) return ''
  // Undefined table or column.
  if (sqlState === '42P01' || sqlState === '42703') return ' Bring its schema up to date: run `tidegate migrate`.'
  if (sqlState === '53100') return ' Make room on its disk: it goes on by itself.'
  return ' Check that it runs and that DATABASE_URL is right.'
}

/** The rows of one statement, its failure ours. */
export async function rowsOf<Row extends object>(orm: Orm, statement: SQL, place: string): Promise<Row[]> {
  try {
    // Every driver's result holds its rows under this name; drizzle's common type does not say so.
    return ((await orm.execute(statement)) as unknown as { readonly rows: Row[] }).rows
  } catch (cause) {
    throw databaseError(cause, place)
  }
}

/** Host and database of a URL, without user and password. Throws `invalid` for what is no Postgres URL. */
export function placeOf(url: string): string {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new TidegateError('invalid', 'DATABASE_URL is no URL: expected postgres://USER:PASSWORD@HOST:PORT/DATABASE.')
  }
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:') {
    throw new TidegateError(
      'invalid',
      `DATABASE_URL begins with ${parsed.protocol}//: expected postgres:// or postgresql://.`,
    )
  }
  return `${parsed.host}${parsed.pathname}`
}
