import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { TidegateError } from '@tidegate/core'
import { createStore, type Database, openDatabase } from '@tidegate/db'
import {
  createApp,
  createNodeFunctions,
  createOutsideFetch,
  type NodeFunctions,
  type NodeOptions,
} from '@tidegate/functions'
import { createIngest, type Ingest } from '@tidegate/ingest'
import type { Relay } from '@tidegate/relay'
import { type Client, createClient } from './client.ts'
import { createCloser } from './closer.ts'
import type { Context } from './context.ts'
import { createEmptyStore } from './empty.ts'
import { recover } from './recovery.ts'
import type { Settings } from './settings.ts'

/** The functions in this process, and a client that talks to them as it would over a network. */
export interface Stack {
  readonly client: Client
  readonly functions: NodeFunctions
  /** Lets what is under way finish, and closes what was opened here. Not the relay. */
  close(): Promise<void>
}

export interface StackOptions {
  readonly relay: Relay
  readonly log: NodeOptions['log']
  readonly listen?: NodeOptions['listen']
  /** One that is open already, and stays its opener's to close. */
  readonly database?: Database
}

const ADDRESS = 'http://tidegate.in-process'
/** How often what a killed process left behind is looked for: its leases end while this one runs. */
const SWEEP_MS = 10_000

/** Opens the database, brings its schema up to date and sets the functions to work on it. */
export async function openStack(context: Context, settings: Settings, options: StackOptions): Promise<Stack> {
  const { keys, hours, messagesPerSec, answerSec, spans, webhooksPrivate } = settings.functions
  const closer = createCloser()
  try {
    const database = options.database ?? (await openMigrated(context, settings))
    if (!options.database) closer.add(() => database.close())
    // Whoever holds the embedded database is alone: what a killed process had in hand can be taken up at once.
    if (database.driver === 'pglite') await recover(createStore(database), context.now)
    const { relay, log, listen } = options
    const logins = settings.bridges?.length
    const own = { keys, hours, messagesPerSec, answerSec, logins, spans, webhooksPrivate, now: context.now }
    const functions = await createNodeFunctions({ relay, log, listen, database, ...own })
    closer.add(() => functions.close())
    await functions.ingest.sweep()
    closer.add(sweepOn(functions.ingest, log))
    const client = createClient({ url: functions.url ?? ADDRESS, key: keys[0] ?? '', fetch: functions.fetch })
    return { client, functions, close: () => closer.close() }
  } catch (error) {
    await closer.close()
    throw error
  }
}

/**
 * A client of what is stored: plans and lists, and starts nothing. `relay` answers for the bridge's status alone.
 * Where nothing was ever stored it opens no database and answers as an empty one would, unless it is to `make` one.
 */
export async function openStored(
  context: Context,
  settings: Settings,
  { relay, log, make = false }: StackOptions & { readonly make?: boolean },
): Promise<{ readonly client: Client; readonly database: Database | undefined; close(): Promise<void> }> {
  const { keys, hours, messagesPerSec, answerSec, spans, webhooksPrivate } = settings.functions
  const database = make || hasDatabase(context, settings) ? await openMigrated(context, settings) : undefined
  const store = database ? createStore(database) : createEmptyStore()
  const ingest = createIngest({
    store,
    relay,
    // Nobody works here. What would be told to a worker is told again by the sweep of whoever does.
    queue: { send: async () => {}, consume: noWork },
    now: context.now,
    random: Math.random,
    newId: () => crypto.randomUUID(),
    log,
    messagesPerSec,
    answerSec,
    logins: settings.bridges?.length,
    spans,
    webhooks: { fetch: createOutsideFetch({ allowPrivate: webhooksPrivate }), allowPrivate: webhooksPrivate },
  })
  const app = createApp({ ingest, store, relay, keys, hours, log, webhooksPrivate, now: context.now })
  const client = createClient({ url: ADDRESS, key: keys[0] ?? '', fetch: async (request) => app.fetch(request) })
  return { client, database, close: async () => database?.close() }
}

/** Whether there is a database: one that is named, or the folder's own. */
export function hasDatabase({ cwd }: Pick<Context, 'cwd'>, { functions }: Settings): boolean {
  return functions.databaseUrl !== undefined || existsSync(join(cwd, '.tidegate', 'db'))
}

/** Sweeps and tells webhooks again and again, and keeps no process alive by it, until what it returns is called. */
function sweepOn(ingest: Ingest, log: StackOptions['log']): () => Promise<void> {
  let sweeping = Promise.resolve()
  const sweep = async () => {
    try {
      await ingest.sweep()
      await ingest.tell()
    } catch (err) {
      log.warn({ err }, 'what was left behind could not be looked for; the next look is soon')
    }
  }
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep)
  }, SWEEP_MS).unref()
  return async () => {
    clearInterval(timer)
    await sweeping
  }
}

/** The database of the settings, with a session for migrations and the queue, or the one in the folder's `.tidegate/db`. */
export async function openMigrated(
  { cwd, fatal }: Pick<Context, 'cwd' | 'fatal'>,
  { functions }: Settings,
): Promise<Database> {
  const database = await openDatabase({
    url: functions.databaseUrl,
    dir: join(cwd, '.tidegate', 'db'),
    session: true,
    onEnd: ({ message }) => fatal(message),
  })
  try {
    await database.migrate()
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

async function noWork(): Promise<never> {
  throw new TidegateError('internal', 'Nothing is fetched here: only what is stored can be looked at.')
}
