import { toTidegateError } from '@tidegate/core'
import type { Database } from '@tidegate/db'
import { createApp } from '@tidegate/functions'
import type { Relay } from '@tidegate/relay'
import type { HookAnswer, SignedCall } from './caller.ts'
import type { Dice } from './dice.ts'
import { createIsolate, deathOf, type Isolate } from './isolate.ts'
import { createQueue, type ShakenQueue } from './queue.ts'
import { createReceiver, type ShakenReceiver } from './receiver.ts'
import type { Story } from './story.ts'
import type { Time } from './time.ts'

const KEY = 'tidegate-key-of-the-chaos-0123456789'
const ISOLATES = 2
const WORKERS = 6

/** The functions: isolates that come and go over one database, a queue, a schedule, and the HTTP interface. */
export interface Functions {
  readonly queue: ShakenQueue
  readonly receiver: ShakenReceiver
  /** Their clock against the gateway's, milliseconds ahead. */
  skewMs: number
  /** Whether the database refuses connections. */
  isAway: boolean
  /** Tick, sweep and tell, each in some isolate, all at once; what fails in a storm is nobody's fault. */
  round(): void
  /** All isolates end, and others take their place. */
  restart(): void
  /** Calls the HTTP interface of some isolate as its owner; undefined where it failed and it storms. */
  call<T>(method: string, path: string, body?: object): Promise<T | undefined>
  /** Calls a hook, as somebody else does. */
  callHook(name: string, call: SignedCall): Promise<HookAnswer>
  /** What failed though all was calm. */
  readonly failures: readonly string[]
  readonly deaths: () => number
}

interface Parts {
  readonly database: Database
  readonly relay: Relay
  readonly time: Time
  readonly dice: Dice
  readonly story: Story
  readonly isStormy: () => boolean
}

export function createFunctions({ database, relay, time, dice, story, isStormy }: Parts): Functions {
  const failures: string[] = []
  const slots: (Isolate | undefined)[] = Array.from({ length: ISOLATES })
  const log = story.log('functions')
  const random = dice.fork().next
  const now = () => time.now() + functions.skewMs
  let deaths = 0
  let runs = 0

  const receiver = createReceiver({ time, dice: dice.fork(), isStormy })
  const queue = createQueue({
    time,
    dice: dice.fork(),
    isStormy,
    most: WORKERS,
    work: (chunkId) => some().ingest.work(chunkId),
    bury: (chunkId) => some().ingest.bury(chunkId),
  })

  function begin(death: ReturnType<typeof deathOf>): Isolate {
    return createIsolate({
      database,
      relay,
      queue,
      now,
      random,
      log,
      death,
      newId: () => `run-${++runs}`,
      timeout: time.timeout,
      pause: time.sleep,
      webhooks: { fetch: receiver.fetch, allowPrivate: true },
      isAway: () => functions.isAway,
      onTrespass: (what) => failures.push(what),
      onDeath: () => {
        deaths++
        story.tell('an isolate dies')
      },
    })
  }

  /** One of the isolates, a new one in the place of one that is dead. */
  function some(): Isolate {
    const at = dice.whole(0, ISOLATES - 1)
    const standing = slots[at]
    const isolate = standing && !standing.isDead() ? standing : begin(isStormy() ? deathOf(dice) : undefined)
    slots[at] = isolate
    return isolate
  }

  async function attempt(name: string, act: () => Promise<unknown>): Promise<void> {
    const began = isStormy()
    try {
      await act()
    } catch (cause) {
      const { kind, message } = toTidegateError(cause)
      story.tell(`${name} failed: ${message}`)
      if (!began) failures.push(`${name} failed in the calm: ${kind}: ${message}`)
    }
  }

  /** The HTTP interface of one of the isolates. */
  function interfaceOf({ ingest, store }: Isolate): ReturnType<typeof createApp> {
    return createApp({ ingest, store, relay, keys: [KEY], log, webhooksPrivate: true, now })
  }

  const functions: Functions = {
    queue,
    receiver,
    skewMs: 0,
    isAway: false,
    failures,
    deaths: () => deaths,
    round() {
      void attempt('tick', () => some().ingest.tick())
      void attempt('sweep', () => some().ingest.sweep())
      void attempt('tell', () => some().ingest.tell())
    },
    restart() {
      slots.fill(undefined)
    },
    async call<T>(method: string, path: string, body?: object) {
      const began = isStormy()
      const answer = await interfaceOf(some()).request(path, {
        method,
        body: body && JSON.stringify(body),
        headers: { authorization: `Bearer ${KEY}` },
      })
      const text = await answer.text()
      if (method !== 'GET' || !answer.ok) {
        story.tell(`${method} ${path}: ${answer.status}${answer.ok ? '' : ` ${text}`}`)
      }
      if (answer.ok) return JSON.parse(text) as T
      if (!began) failures.push(`${method} ${path} answered ${answer.status} in the calm: ${text.slice(0, 300)}`)
      return undefined
    },
    async callHook(name, { headers, body }) {
      const answer = await interfaceOf(some()).request(`/v1/hooks/${name}`, { method: 'POST', headers, body })
      const { id } = (await answer.json()) as { readonly id?: string }
      story.tell(`hook ${name}, ${headers['webhook-id']}: ${answer.status} ${id ?? ''}`)
      return { status: answer.status, run: answer.ok ? id : undefined }
    },
  }
  return functions
}
