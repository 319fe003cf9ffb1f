import type { EmbeddedDatabase, Scope } from '@tidegate/db'
import { createWorld, type World } from '../../ingest/test/world.ts'
import { createApp, type ErrorAnswer, type NewKeyAnswer } from '../src/index.ts'
import { type RecordingLog, recordingLog } from './record.ts'

export const KEY = 'tidegate-key-of-the-tests-0123456789'

/** The HTTP interface over a database and a bridge by rule, without a queue that works by itself. */
export interface Door {
  readonly app: ReturnType<typeof createApp>
  readonly world: World
  readonly log: RecordingLog
  /** Calls it; without a `key`, as the owner. */
  call<T = ErrorAnswer>(
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly key?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<{ readonly status: number; readonly body: T; readonly headers: Headers }>
  /** A key with these scopes. */
  keyFor(...scopes: Scope[]): Promise<NewKeyAnswer>
}

export function openDoor(database: EmbeddedDatabase, nowSec: number, webhooksPrivate = true): Door {
  const world = createWorld(database, nowSec)
  const log = recordingLog()
  const webhooks = { fetch: (request: Request) => fetch(request), allowPrivate: webhooksPrivate }
  const { store, relay } = world
  const now = () => world.clock.nowMs
  const app = createApp({
    ingest: world.another({ webhooks, log }),
    store,
    relay,
    keys: [KEY],
    log,
    webhooksPrivate,
    now,
  })
  const call: Door['call'] = async <T>(
    method: string,
    path: string,
    { body, key = KEY, headers = {} }: Parameters<Door['call']>[2] = {},
  ) => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const authorization: Record<string, string> = key === '' ? {} : { authorization: `Bearer ${key}` }
    const answer = await app.request(path, { method, body: text, headers: { ...authorization, ...headers } })
    return { status: answer.status, body: (await answer.json()) as T, headers: answer.headers }
  }
  return {
    app,
    world,
    log,
    call,
    keyFor: async (...scopes) =>
      (await call<NewKeyAnswer>('POST', '/v1/keys', { body: { name: 'test', scopes } })).body,
  }
}
