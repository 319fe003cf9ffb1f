import { join } from 'node:path'
import { TidegateError, toTidegateError } from '@tidegate/core'
import { findServer } from './beacon.ts'
import { type Client, createClient } from './client.ts'
import { createCloser } from './closer.ts'
import type { Context } from './context.ts'
import { fileLog, silentLog, writtenLog } from './log.ts'
import { absentRelay, openRelay } from './relay.ts'
import { readSettings, type Settings } from './settings.ts'
import { hasDatabase, openStack, openStored } from './stack.ts'

/** The Tidegate that a command talks to: one that runs, or one composed in this process. */
export interface Target {
  readonly client: Client
  /** Where it runs, when it outlives this command. */
  readonly url: string | undefined
  /** Whether it has a database. */
  readonly hasDatabase: boolean
  close(): Promise<void>
}

/** What a command needs of its target: what is stored, a database to declare in, what is stored and the bridge's health, or everything. */
export type Need = 'stored' | 'declared' | 'status' | 'gateway'

export interface TargetOptions {
  readonly need: Need
  readonly timeoutMs: number
  readonly verbose: boolean
  /** Asked of what is stored before a gateway is looked for: true where that will do. */
  readonly isEnough?: (client: Client) => Promise<boolean>
  /** Asked the same way, also where nothing is stored: throws where no gateway is needed to know that it is of no use. */
  readonly check?: (client: Client) => Promise<void>
}

/**
 * The Tidegate of `TIDEGATE_URL`, else the one that runs in this folder, else one in this process.
 * Throws with what to check where the gateway is needed and can't be reached; nothing is written then, and no database made.
 */
export async function openTarget(context: Context, options: TargetOptions): Promise<Target> {
  const settings = readSettings(context.env, context.newKey)
  const server = settings.server ?? (await findServer(context))
  if (server) {
    const client = createClient({ ...server, fetch: context.fetch })
    return { client, url: server.url, hasDatabase: true, close: async () => {} }
  }
  const has = hasDatabase(context, settings)
  return { ...(await compose(context, settings, options, has)), url: undefined, hasDatabase: has }
}

/** Works with a client that needs no gateway, and closes what was opened for it. Where nothing is stored, no database is made. */
export function withStored(context: Context, verbose: boolean, work: Work): Promise<number> {
  return working(context, 'stored', verbose, work)
}

/** The same with a database that something can be declared in, made where there is none. */
export function withDeclared(context: Context, verbose: boolean, work: Work): Promise<number> {
  return working(context, 'declared', verbose, work)
}

type Work = (client: Client, url: string | undefined) => Promise<number>

async function working(context: Context, need: Need, verbose: boolean, work: Work): Promise<number> {
  const target = await openTarget(context, { need, timeoutMs: 0, verbose })
  try {
    return await work(target.client, target.url)
  } finally {
    await target.close()
  }
}

async function compose(context: Context, settings: Settings, options: TargetOptions, has: boolean) {
  const { need, timeoutMs, verbose, isEnough, check } = options
  const log = commandLog(context, verbose)
  const looking = () => openStored(context, settings, { relay: absentRelay(NOT_ASKED), log })
  if (need === 'stored') return looking()
  if (need === 'declared') return openStored(context, settings, { relay: absentRelay(NOT_ASKED), log, make: true })
  const stored = check || (isEnough && has) ? await looking() : undefined
  const closer = createCloser()
  try {
    if (stored) {
      closer.add(() => stored.close())
      await check?.(stored.client)
    }
    if (stored && (await isEnough?.(stored.client))) return { client: stored.client, close: () => closer.close() }
    const { relay, close } = await openRelay(context, settings, { timeoutMs, log }).catch((cause) => {
      if (need === 'gateway') throw cause
      return { relay: absentRelay(toTidegateError(cause)), close: async () => {} }
    })
    closer.add(close)
    const open = need === 'status' ? openStored : openStack
    const stack = await open(context, settings, { relay, log, database: stored?.database })
    closer.add(() => stack.close())
    return { client: stack.client, close: () => closer.close() }
  } catch (error) {
    await closer.close()
    throw error
  }
}

const NOT_ASKED = new TidegateError('disconnected', 'The gateway is not asked by this command.')

/** What a command prints of its inner life: nothing, for its answer says what went wrong; all of it with --verbose. */
export function commandLog({ err }: Pick<Context, 'err'>, verbose: boolean) {
  return verbose ? writtenLog('info', err) : silentLog()
}

/** What a long-lived process keeps of it: a file, so that progress on the terminal stays whole. */
export function serverLog({ cwd, err }: Pick<Context, 'cwd' | 'err'>, verbose: boolean) {
  return verbose ? writtenLog('info', err) : fileLog('info', join(cwd, '.tidegate', 'tidegate.log'))
}
