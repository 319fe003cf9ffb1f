import { toTidegateError } from '@tidegate/core'
import { Redis } from 'ioredis'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { createLedger, type Held, type Ledger, type Refusal, type Sent, type Usage } from './ledger.ts'
import { type Charge, lengthMs, type Rules } from './rules.ts'
import { LOOK, REMEMBER, RENEW, TAKE } from './script.ts'
import type { Journal, Windows } from './windows.ts'

/** Milliseconds; a test may shorten them. */
export interface RedisTiming {
  /** How long Redis may take to answer; nothing goes meanwhile. */
  readonly answerMs: number
  /** How soon Redis is asked again after it failed. */
  readonly retryMs: number
  /** Open places of a bridge that died are free after so long; those of one that lives are renewed in time. */
  readonly leaseMs: number
  readonly renewMs: number
  /**
   * So long nothing goes after a Redis has come up without its memory: until every bridge that lives has connected again
   * and told what it remembers, and longer than the windows that nobody can tell (a second of messages).
   */
  readonly settleMs: number
}

const TIMING: RedisTiming = { answerMs: 2000, retryMs: 1000, leaseMs: 60_000, renewMs: 20_000, settleMs: 2500 }
const UNREACHED = 'Redis, which counts what goes to IBKR, can not be reached'
/** Another bridge's places become free without a word to us. */
const OPEN_LOOK_MS = 250

const RULES_REFUSED = ['', 'messages', 'small', 'contract', 'identical', 'open', 'store', 'born'] as const
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
  readonly timing?: Partial<RedisTiming>
}

/**
 * Windows in Redis, shared by every bridge of a login. Each step is one script, so that no two take the same place.
 * Bottleneck's clustering can't do it: its reservoir is refilled at fixed instants, so that two reservoirs fit into one
 * sliding second, and it knows no weight by request, no contract and no twin.
 *
 * What this bridge sent is counted here as well, and told again to a Redis that has lost its memory. While Redis can't
 * be reached, nothing goes. When a bridge dies, what it sent stays counted, and its open places come free with its lease.
 */
export function createRedisWindows(options: RedisWindowsOptions): Windows {
  const { url, login, clock, rules, log, newId, journal } = options
  const timing = { ...TIMING, ...options.timing }
  const redis = new Redis(url, {
    commandTimeout: timing.answerMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    lazyConnect: false,
    retryStrategy: () => timing.retryMs,
  })
  // A tag in braces keeps all keys of a login on one node of a cluster, where a script may touch them together.
  const key = (name: string) => `tidegate:{${login}}:${name}`
  const self = newId()
  const own = createLedger(rules)
  const open = new Set<string>()
  const held = { messages: 0, small: 0 }
  /** What all bridges of the login have sent, as far as this one has heard of it. */
  let seen = createLedger(rules)
  /** The birth of Redis' memory, as far as this bridge has told it what it knows. */
  let born = ''
  let trouble: string | undefined
  let takes = 0
  let stopRenewing = () => {}
  for (const { atMs, ...charge } of journal?.read() ?? []) own.record(charge, atMs)
  const { promise: tried, resolve: hasTried } = Promise.withResolvers<void>()
  redis.on('error', (cause) => {
    failed(cause)
    // What the connection says of itself is better than what a command says that had none.
    troubled(cause)
    hasTried()
  })
  redis.on('ready', () => {
    remember().then(reached).catch(failed).finally(hasTried)
  })

  function failed(cause: unknown): void {
    if (trouble !== undefined) return
    log.warn({ login, err: toTidegateError(cause) }, `${UNREACHED}: nothing goes meanwhile`)
    troubled(cause)
  }

  function troubled(cause: unknown): void {
    const message = toTidegateError(cause).message || 'no connection'
    trouble = `${UNREACHED} (${message}): nothing goes until it is back. Is it running, and is REDIS_URL right?`
  }

  function reached(): void {
    if (trouble !== undefined) log.info({ login }, 'Redis answers again')
    trouble = undefined
  }

  /** Tells Redis what this bridge knows; the one that it then knows is the one that it may take from. */
  async function remember(): Promise<void> {
    const run = /run_id:(\w+)/.exec(await redis.info('server'))?.[1] ?? ''
    const nowMs = clock.now()
    const { small, identities } = own.recent(nowMs)
    const twinMs = lengthMs(rules.identical)
    const twins = [...identities].map(([identity, atMs]) => ({ identity, ms: atMs + twinMs - nowMs }))
    const known = {
      small: small.map((one) => [one.small, one.identity ?? '', one.contract ?? '', nowMs - one.atMs]),
      places: [...open].map((place) => `${self}:${place}`),
      holds: [own.heldMs('messages', nowMs), own.heldMs('small', nowMs)],
      twins: twins.map(({ ms }) => ms),
    }
    const names = ['small', 'open', 'born', 'hold:messages', 'hold:small']
    const keys = [...names, ...twins.map(({ identity }) => `twin:${identity}`)].map(key)
    // biome-ignore format: one line a group of the script's arguments.
    born = z.string().parse(await redis.eval(REMEMBER, keys.length, ...keys,
      self, run, lengthMs(rules.small), twinMs, timing.leaseMs, JSON.stringify(known)))
  }

  /** What others have sent since this bridge last looked is reckoned from now on, for lack of its instants. */
  function learn({ messages, small }: Usage): void {
    const nowMs = clock.now()
    const known = seen.usage(nowMs)
    if (small > known.small) seen.record({ small: small - known.small }, nowMs)
    for (let n = seen.usage(nowMs).messages; n < messages; n++) seen.record({ small: 0 }, nowMs)
  }

  async function takeShared(charge: Charge, place: string | undefined): Promise<Refusal | undefined> {
    const { messages, small, contract, identical } = rules
    const named = place === undefined ? '' : `${self}:${place}`
    const names = ['messages', 'small', 'open', 'hold:messages', 'hold:small', `twin:${charge.identity ?? ''}`, 'born']
    const keys = names.map(key)
    // biome-ignore format: one line a group of the script's arguments.
    const answer = await redis.eval(TAKE, keys.length, ...keys,
      `${self}:${++takes}`, charge.small, charge.contract ?? '', charge.identity ?? '', named,
      messages.limit, lengthMs(messages), small.limit, lengthMs(small), contract.limit, lengthMs(contract),
      lengthMs(identical), rules.open.limit, timing.leaseMs, OPEN_LOOK_MS,
      messages.most - messages.limit, messages.jitterMs, born, timing.settleMs)
    const [rule, waitMs, inMessages, inSmall, allHeldMs, smallHeldMs] = takenSchema.parse(answer)
    learn({ messages: inMessages, small: inSmall })
    held.messages = clock.now() + allHeldMs
    held.small = clock.now() + smallHeldMs
    if (rule === '') return undefined
    if (rule === 'born') {
      await remember()
      return { rule: 'store', waitMs }
    }
    // Another bridge sent its twin: remembered here, so that a forecast knows.
    if (rule === 'identical') own.twin(charge.identity, clock.now() + waitMs - lengthMs(identical))
    return { rule, waitMs }
  }

  function renew(): void {
    stopRenewing()
    stopRenewing = open.size === 0 ? () => {} : clock.after(timing.renewMs, keep)
  }

  function keep(): void {
    const places = [...open].map((place) => `${self}:${place}`)
    redis.eval(RENEW, 1, key('open'), timing.leaseMs, ...places).catch(failed)
    renew()
  }

  return {
    async take(charge, place) {
      const refusal = own.refusal(charge, clock.now())
      if (refusal) return refusal
      await tried
      try {
        const refused = await takeShared(charge, place)
        reached()
        if (refused) return refused
      } catch (cause) {
        failed(cause)
        return { rule: 'store', waitMs: timing.retryMs }
      }
      if (charge.small > 0 || charge.identity !== undefined) journal?.write(charge)
      own.record(charge, clock.now())
      if (place !== undefined && open.add(place).size === 1) renew()
      return undefined
    },
    release(place) {
      open.delete(place)
      if (open.size === 0) renew()
      redis.zrem(key('open'), `${self}:${place}`).catch(failed)
    },
    hold(what: Held, ms) {
      own.hold(what, ms, clock.now())
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
        ledger.hold('messages', allHeldMs, clock.now())
        ledger.hold('small', smallHeldMs, clock.now())
        seen = ledger.copy()
        return ledger
      } catch (cause) {
        failed(cause)
        return own
      }
    },
    usage: () => seen.usage(clock.now()),
    trouble: () => trouble,
    async close() {
      stopRenewing()
      hasTried()
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
