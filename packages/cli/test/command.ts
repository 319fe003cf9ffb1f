import { randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Context, isAlive, type ProgramOptions, run, sleep } from '@tidegate/cli'
import { createStore, openDatabase, openPglite, type Store } from '@tidegate/db'
import { expect } from 'vitest'
import { startPostgres } from '../../../test/support/postgres.ts'
import { sharedFolder } from '../../../test/support/shared.ts'

/** Friday 2026-11-20, 10:30 in New York: every market of the tests is open or has been. */
export const NOW_MS = Date.UTC(2026, 10, 20, 15, 30)

/** What a test with databases of its own may take on a busy machine; alone it takes a few seconds. */
export const SLOW_MS = 60_000

export interface Outcome {
  readonly status: number
  readonly out: string
  readonly err: string
}

export interface RunningCommand {
  readonly outcome: Promise<Outcome>
  /** What it has said so far, both streams. */
  said(): string
  stop(): void
}

export interface CommandOptions extends ProgramOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly now?: () => number
  readonly fetch?: Context['fetch']
  readonly sleep?: Context['sleep']
  readonly columns?: number
  readonly ask?: Context['ask']
  readonly taken?: Context['taken']
}

/** A command line run in this process, in the folder `cwd`. */
export function begin(cwd: string, argv: readonly string[], options: CommandOptions = {}): RunningCommand {
  const { env = {}, now = () => NOW_MS, first } = options
  const stopping = new AbortController()
  let out = ''
  let err = ''
  const context: Context = {
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    taken: options.taken ?? (async () => {}),
    fatal: (said) => {
      err += said
      stopping.abort()
    },
    terminal: undefined,
    columns: options.columns,
    env,
    cwd,
    pid: process.pid,
    isAlive,
    now,
    sleep: options.sleep ?? sleep,
    guard: () => () => {},
    fetch: options.fetch ?? ((request) => fetch(request)),
    ask: options.ask,
    newKey: () => randomBytes(32).toString('hex'),
    signal: stopping.signal,
  }
  return {
    outcome: run(argv, context, { first }).then((status) => ({ status, out, err })),
    said: () => out + err,
    stop: () => stopping.abort(),
  }
}

/** The same, waited for. */
export function tidegate(cwd: string, argv: readonly string[], options?: CommandOptions): Promise<Outcome> {
  return begin(cwd, argv, options).outcome
}

/** Commands that talk to a Tidegate elsewhere, by a network in this process: its database is opened once for all of them. */
export function commandsTo(
  fetch: (request: Request) => Response | Promise<Response>,
  key: string,
): (...argv: string[]) => Promise<Outcome> {
  const env = { TIDEGATE_URL: 'http://tidegate.test', TIDEGATE_KEY: key }
  return (...argv) => tidegate('/nowhere', argv, { env, fetch: async (request) => fetch(request) })
}

/** A folder and the settings of whoever works in it. */
export interface Place {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/** Places with a database each on one Postgres server, where a command is done in a fraction of what an embedded one takes. */
export async function createPlaces(): Promise<{
  next(): Promise<Place>
  /** Works on the database of a place. */
  inStore<T>(place: Pick<Place, 'env'>, work: (store: Store) => Promise<T>): Promise<T>
  remove(): Promise<void>
}> {
  const [root, postgres] = await Promise.all([mkdtemp(join(tmpdir(), 'tidegate-places-')), startPostgres()])
  let count = 0
  return {
    async next() {
      const folder = join(root, String(++count))
      await mkdir(folder)
      return { folder, env: { DATABASE_URL: await postgres.freshDatabase() } }
    },
    async inStore({ env }, work) {
      const opened = await openDatabase({ url: env.DATABASE_URL, session: true })
      try {
        await opened.migrate()
        return await work(createStore(opened))
      } finally {
        await opened.close()
      }
    },
    async remove() {
      await postgres.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** Folders with an embedded database each, made once and copied: an empty one takes seconds to make. */
export async function createFolders(): Promise<{
  next(): Promise<string>
  /** Works on the database of a folder that no command has open. */
  inStore<T>(folder: string, work: (store: Store) => Promise<T>): Promise<T>
  remove(): Promise<void>
}> {
  const root = await mkdtemp(join(tmpdir(), 'tidegate-cli-'))
  const template = await sharedFolder('command', async (folder) => {
    const made = join(folder, 'made')
    await mkdir(made)
    // In an empty folder: that these make a database there is seen here, once for all.
    const migrated = await tidegate(made, ['migrate'])
    expect(migrated.out).toMatch(/\.tidegate\/db is up to date: \d+ migrations? applied\.\n$/)
    // The queue's own schema comes with the first start, and takes as long to make as ours.
    expect(await tidegate(made, ['start', '--once'], { first: [] })).toMatchObject({ status: 0, err: '' })
  })
  let count = 0
  return {
    async next() {
      const folder = join(root, String(++count))
      await cp(template, folder, { recursive: true })
      return folder
    },
    async inStore(folder, work) {
      const opened = await openPglite(join(folder, '.tidegate', 'db'))
      try {
        return await work(createStore(opened))
      } finally {
        await opened.close()
      }
    },
    remove: () => rm(root, { recursive: true, force: true }),
  }
}
