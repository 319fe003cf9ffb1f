import { randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Context, isAlive, type ProgramOptions, run, sleep } from '@tidegate/cli'
import { createStore, openPglite, type Store } from '@tidegate/db'
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
    terminal: undefined,
    columns: options.columns,
    env,
    cwd,
    pid: process.pid,
    isAlive,
    now,
    sleep: options.sleep ?? sleep,
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

/** Folders with a database each, made once and copied: an empty one takes seconds to make. */
export async function createFolders(): Promise<{
  next(): Promise<string>
  /** Works on the database of a folder that no command has open. */
  inStore<T>(folder: string, work: (store: Store) => Promise<T>): Promise<T>
  remove(): Promise<void>
}> {
  const root = await mkdtemp(join(tmpdir(), 'tidegate-cli-'))
  const template = await sharedFolder('command', async (folder) => {
    await mkdir(join(folder, 'made'))
    // The queue's own schema comes with the first start, and takes as long to make as ours.
    await tidegate(join(folder, 'made'), ['start', '--once'], { first: [] })
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
