import { toTidegateError } from '@tidegate/core'
import { Redis } from 'ioredis'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { createLedger, type Held, type Ledger, type Refusal, type Sent, type Usage } from './ledger.ts'
import { type Charge, lengthMs, type Rules } from './rules.ts'
import { LOOK, RENEW, TAKE } from './script.ts'
import type { Journal, Windows } from './windows.ts'

/** How long Redis may take to answer; nothing goes meanwhile. */
const ANSWER_MS = 2000
/** How soon Redis is asked again after it failed. */
const RETRY_MS = 1000
/** Open places of a bridge that died are free after this long; those of one that lives are renewed in time. */
const LEASE = { ms: 60_000, renewMs: 20_000 }
/** Another bridge's places become free without a word to us. */
const OPEN_LOOK_MS = 250

const RULES_REFUSED = ['', 'messages', 'small', 'contract', 'identical', 'open'] as const
const takenSchema = z.tuple([z.enum(RULES_REFUSED), z.number(), z.number(), z.number(), z.number(), z.number()])
const scored = z.array(z.string())
const lookedSchema = z.tuple([z.number(), scored, scored, z.number(), z.number()])

export interface RedisWindowsOptions {
  readonly url: string
  /** Bridges with the same name share the windows: one name a login. */
  readonly login: string
  readonly clock: Clock
  readonly rules: Rules
  readonly log: Log
  readonly newId: () => string
  readonly journal?: Journal
}

/**
 * Windows in Redis, shared by every bridge of a login. Each step is one script, so that no two take the same place.
 * Bottleneck's clustering can't do it: its reservoir is refilled at fixed instants, so that two reservoirs fit into one
 * sliding second, and it knows no weight by request, no contract and no twin.
 *
 * What this bridge sent is counted here as well: it stays counted where Redis loses its memory. While Redis can't be
 * reached, nothing goes.
 */
export function createRedisWindows(options: RedisWindowsOptions): Windows {
  const { url, login, clock, rules, log, newId, journal } = options
  const redis = new Redis(url, {
    commandTimeout: ANSWER_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    lazyConnect: false,
    retryStrategy: () => RETRY_MS,
  })
  // A tag in braces keeps all keys of a login on one node of a cluster, where a script may touch them together.
  const key = (name: string) => `tidegate:{${login}}:${name}`
  const self = newId()
  const own = createLedger(rules)
  const open = new Set<string>()
  const held = { messages: 0, small: 0 }
  let usage: Usage = { messages: 0, small: 0 }
  let isDown = false
  let takes = 0
  let stopRenewing = () => {}
  for (const { atMs, ...charge } of journal?.read() ?? []) own.record(charge, atMs)
  redis.on('error', (cause) => failed(cause))
  redis.on('ready', () => {
    if (isDown) log.info({ login }, 'Redis answers again')
    isDown = false
  })

  function failed(cause: unknown): void {
    if (!isDown) log.warn({ login, err: toTidegateError(cause) }, 'Redis can not be reached: nothing goes meanwhile')
    isDown = true
  }

  async function takeShared(charge: Charge, place: string | undefined): Promise<Refusal | undefined> {
    const { messages, small, contract, identical } = rules
    const named = place === undefined ? '' : `${self}:${place}`
    const keys = ['messages', 'small', 'open', 'hold:messages', 'hold:small', `twin:${charge.identity ?? ''}`].map(key)
    // biome-ignore format: one line a group of the script's arguments.
    const answer = await redis.eval(TAKE, keys.length, ...keys,
      `${self}:${++takes}`, charge.small, charge.contract ?? '', charge.identity ?? '', named,
      messages.limit, lengthMs(messages), small.limit, lengthMs(small), contract.limit, lengthMs(contract),
      lengthMs(identical), rules.open.limit, LEASE.ms, OPEN_LOOK_MS,
      messages.most - messages.limit, messages.jitterMs)
    const [rule, waitMs, inMessages, inSmall, allHeldMs, smallHeldMs] = takenSchema.parse(answer)
    usage = { messages: inMessages, small: inSmall }
    held.messages = clock.now() + allHeldMs
    held.small = clock.now() + smallHeldMs
    if (rule === '') return undefined
    // Another bridge sent its twin: remembered here, so that a forecast knows.
    if (rule === 'identical') own.twin(charge.identity, clock.now() + waitMs - lengthMs(identical))
    return { rule, waitMs }
  }

  function renew(): void {
    stopRenewing()
    stopRenewing = open.size === 0 ? () => {} : clock.after(LEASE.renewMs, keep)
  }

  function keep(): void {
    const places = [...open].map((place) => `${self}:${place}`)
    redis.eval(RENEW, 1, key('open'), LEASE.ms, ...places).catch(failed)
    renew()
  }

  return {
    async take(charge, place) {
      const refusal = own.refusal(charge, clock.now())
      if (refusal) return refusal
      try {
        const refused = await takeShared(charge, place)
        if (refused) return refused
      } catch (cause) {
        failed(cause)
        return { rule: 'store', waitMs: RETRY_MS }
      }
      const atMs = clock.now()
      if (charge.small > 0 || charge.identity !== undefined) journal?.write({ ...charge, atMs })
      own.record(charge, atMs)
      if (place !== undefined && open.add(place).size === 1) renew()
      return undefined
    },
    release(place) {
      open.delete(place)
      if (open.size === 0) renew()
      redis.zrem(key('open'), `${self}:${place}`).catch(failed)
    },
    hold(what: Held, ms) {
      own.hold(what, clock.now() + ms)
      redis.set(key(`hold:${what}`), '1', 'PX', Math.ceil(ms)).catch(failed)
    },
    heldMs: (what) => Math.max(own.heldMs(what, clock.now()), held[what] - clock.now()),
    async look(): Promise<Ledger> {
      try {
        const keys = ['messages', 'small', 'hold:messages', 'hold:small'].map(key)
        const [atMs, messages, small, allHeldMs, smallHeldMs] = lookedSchema.parse(
          await redis.eval(LOOK, keys.length, ...keys),
        )
        const offsetMs = clock.now() - atMs
        const ledger = own.copy({
          messages: pairs(messages).map(([, ms]) => ms + offsetMs),
          small: pairs(small).map(([text, ms]) => smallOf(text, ms + offsetMs)),
        })
        ledger.hold('messages', clock.now() + allHeldMs)
        ledger.hold('small', clock.now() + smallHeldMs)
        return ledger
      } catch (cause) {
        failed(cause)
        return own
      }
    },
    usage: () => usage,
    async close() {
      stopRenewing()
      redis.disconnect()
    },
  }
}

/** Members of a sorted set with their scores, which Redis gives one after the other. */
function pairs(flat: readonly string[]): [member: string, score: number][] {
  return flat.flatMap((member, i): [string, number][] => (i % 2 === 0 ? [[member, Number(flat[i + 1])]] : []))
}

function smallOf(member: string, atMs: number): Sent {
  const [weight, , ...contract] = member.split('|')
  return { small: Number(weight), contract: contract.join('|'), atMs }
}
