import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite, type PGliteOptions } from '@electric-sql/pglite'
import { TidegateError } from '@tidegate/core'
import { drizzle } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'
import { type Database, databaseError, MIGRATIONS_FOLDER, rowsOf } from '../database.ts'
import { makeFolder } from '../folder.ts'
import { lockFolder } from '../lock.ts'
import { refuseNewer } from '../newer.ts'
import * as schema from '../schema/index.ts'
import { guardPanic } from './panic.ts'

type Modules = Required<Pick<PGliteOptions, 'pgliteWasmModule' | 'initdbWasmModule'>>
let compiled: Promise<Modules> | undefined

/** PGlite's own files, compiled once a process: left to itself it compiles them several times over for each new database. */
async function compile(): Promise<Modules> {
  const read = async (name: string) =>
    WebAssembly.compile(await readFile(new URL(name, import.meta.resolve('@electric-sql/pglite'))))
  const [pgliteWasmModule, initdbWasmModule] = await Promise.all([read('pglite.wasm'), read('initdb.wasm')])
  return { pgliteWasmModule, initdbWasmModule }
}

/** A database embedded in this process. `client` is PGlite itself, for what else must live in the same database. */
export interface EmbeddedDatabase extends Database {
  readonly driver: 'pglite'
  readonly client: PGlite
}

/**
 * Opens the database in `dir`, made where it is missing; without a `dir`, one in memory.
 * One process at a time: throws `conflict`, naming the process, while another one has it open. `onEnd` is told, before anybody
 * else, of a failure after which nothing can be asked of it: its disk is full.
 */
export async function openPglite(
  dir?: string,
  onEnd: (error: TidegateError) => void = () => {},
): Promise<EmbeddedDatabase> {
  const place = dir ?? 'memory'
  if (dir !== undefined) await makeFolder(dirname(dir))
  const unlock = dir === undefined ? async () => {} : await lockFolder(dir)
  let client: PGlite
  try {
    compiled ??= compile()
    client = await PGlite.create({ ...(await compiled), ...(dir === undefined ? {} : { dataDir: dir }) })
  } catch (cause) {
    await unlock()
    throw new TidegateError(
      'database',
      `The embedded database in ${place} could not be opened: ${cause instanceof Error ? cause.message : cause}. ` +
        'If it is damaged, move it away: what it held can be fetched again.',
      { cause },
    )
  }
  const hasEnded = guardPanic(client, { place, onEnd })
  const orm = drizzle({ client, schema })
  return {
    driver: 'pglite',
    client,
    orm,
    rows: (statement) => rowsOf(orm, statement, place),
    async migrate() {
      const migrationsFolder = fileURLToPath(new URL(`../../${MIGRATIONS_FOLDER}`, import.meta.url))
      try {
        await migrate(orm, { migrationsFolder })
        await refuseNewer(orm, migrationsFolder, place)
      } catch (cause) {
        throw databaseError(cause, place)
      }
    },
    async close() {
      if (!client.closed && !hasEnded()) await client.close()
      await unlock()
    },
  }
}
