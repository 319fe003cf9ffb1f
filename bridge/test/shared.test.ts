import { createPacing, type Pacing, RULES, type Rules, systemClock } from '@tidegate/bridge'
import { createPacingJudge, type Violation } from '@tidegate/simulator'
import { afterEach, describe, expect, it } from 'vitest'
import { openLogin } from '../src/login.ts'
import { createFakeClock } from './clock.ts'
import {
  createSharedWindows,
  freePort,
  hasRedis,
  openShared,
  silent,
  startLine,
  startRedis,
  untilReached,
} from './redis.ts'
import { endAll, KEY, onEnd, sent, settingsFor, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

/** IBKR's rules, with few places for open requests. */
const FEW: Rules = { ...RULES, open: { ...RULES.open, limit: 4 } }
/** The same, and no message rate to wait for. */
const SWIFT: Rules = { ...FEW, messages: { ...RULES.messages, limit: 1000, most: 1050, jitterMs: 0 } }
const charge = (name: string | number, small = 1) => ({ small, contract: `c${name}`, identity: `i${name}` })

/** A lease that a test sees end, and that a bridge on a busy machine still renews in time. */
const LEASE = { leaseMs: 1000, renewMs: 100 }
const PATIENT = { timeout: 10_000, interval: 5 }

/** One login's two bridges, and the judge of all that they send. */
async function pair(rules: Rules = RULES) {
  const redis = await startRedis()
  const line = await startLine(redis.url)
  const judge = createPacingJudge({ identicalMinutes: true })
  const violations: Violation[] = []
  const judged = (violation: Violation | undefined) => violation && violations.push(violation)
  const first = createPacing({
    clock: systemClock,
    rules,
    windows: await openShared(line.url, { rules, timing: LEASE }),
  })
  const second = createPacing({
    clock: systemClock,
    rules,
    windows: await openShared(redis.url, { rules, timing: LEASE }),
  })
  let went = 0
  /** Asks for five-second bars; it stays open until `ended`. */
  const ask = (pacing: Pacing, name: string | number, waitMs: number, ended: Promise<unknown> = Promise.resolve()) => {
    const whatToShow = typeof name === 'number' && name % 5 === 0 ? 'BID_ASK' : 'TRADES'
    const request = { kind: 'bars', barSec: 5, contract: String(name), exchange: 'SMART', whatToShow } as const
    const rule = { ...request, identity: `bars ${name}` }
    return pacing.run({ priority: 'backfill', waitMs, rule }, async () => {
      const id = String(++went)
      const atMs = Date.now()
      judged(judge.message(atMs, 'the login'))
      judged(judge.request(atMs, rule))
      judged(judge.opened(atMs, id))
      await ended
      judge.ended(id)
    })
  }
  return { redis, line, first, second, ask, violations, went: () => went }
}

describe.runIf(hasRedis())('two bridges of one login', () => {
  it('together break no rule, whoever asks, and use the whole budget', async () => {
    const { first, second, ask, violations, went } = await pair()
    // Many of them are twins of one another.
    const asked = Array.from({ length: 60 }, (_, n) => [
      ask(first, n, 2500),
      ask(second, n % 7 === 0 ? n : n + 30, 2500),
    ])
    const outcomes = await Promise.allSettled(asked.flat())
    expect(violations).toEqual([])
    // Sixty of weight; of the last, one may have been of two.
    expect(went()).toBeGreaterThan(45)
    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(refused.every((error) => error.kind === 'busy')).toBe(true)
  })

  it('are one when the other dies with requests open and others queued: its places come free with its lease', async () => {
    const { line, first, second, ask, violations, went } = await pair(FEW)
    const never = new Promise(() => {})
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const lasting = ask(second, 'lasting', 60_000, ended)
    const lost = [1, 2, 3, 4, 6].map((n) => ask(first, n, 60_000, never))
    for (const one of lost) one.catch(() => {})
    await until('four are open', () => went() === 4)
    // They stay its own for longer than a lease, while it lives.
    await expect(ask(second, 'early', LEASE.leaseMs * 1.5)).rejects.toMatchObject({ kind: 'busy' })
    line.cut()
    const diedMs = Date.now()
    const own = [11, 12, 13, 14, 16, 17, 18, 19].map((n) => ask(second, n, 60_000, ended))
    await until('the second goes', () => went() > 4)
    expect(Date.now() - diedMs).toBeGreaterThan(LEASE.leaseMs / 2)
    // None of the three places waits for the dead any more; what the dead had queued never went.
    await until('it has the places of the other', () => went() === 7)
    end()
    await Promise.all([lasting, ...own])
    expect(went()).toBe(12)
    expect(second.stats()).toMatchObject({ left: { small: 48 } })
    expect(violations).toEqual([])
  })
})

describe.runIf(hasRedis())('what is left of the budgets', () => {
  it('comes back with time, and counts what the other bridge sends', async () => {
    const { url } = await startRedis()
    const quick = { windowMs: 1500, marginMs: 0 }
    const { messages, small } = SWIFT
    const rules: Rules = { ...SWIFT, messages: { ...messages, ...quick }, small: { ...small, ...quick } }
    const [one, two] = [await openShared(url, { rules }), await openShared(url, { rules })]
    for (let n = 0; n < 3; n++) expect(await two.take(charge(`two${n}`))).toBeUndefined()
    expect(await one.take(charge('one', 2))).toBeUndefined()
    expect(one.usage()).toMatchObject({ small: 5 })
    expect(one.usage().messages).toBeGreaterThanOrEqual(4)
    await expect.poll(() => one.usage(), PATIENT).toEqual({ messages: 0, small: 0 })
    expect(await one.take(charge('later'))).toBeUndefined()
    expect(one.usage()).toEqual({ messages: 1, small: 1 })
  })
})

describe.runIf(hasRedis())('a Redis that goes', () => {
  it('lets nothing go, is told of once, and all goes on when it is back', async () => {
    const { url } = await startRedis()
    const line = await startLine(url)
    const told: string[] = []
    const tell = (_: object, message: string) => void told.push(message)
    const log = { debug: tell, info: tell, warn: tell, error: tell }
    const windows = await openShared(line.url, { log })
    expect(told).toEqual([])
    line.cut()
    await expect.poll(async () => windows.take({ small: 0 }), PATIENT).toMatchObject({ rule: 'store' })
    expect(windows.trouble?.()).toMatch(/Redis.*nothing goes until it is back.*REDIS_URL/)
    line.mend()
    await untilReached(windows)
    expect(windows.trouble?.()).toBeUndefined()
    expect(told).toEqual([expect.stringContaining('Redis, which counts'), 'Redis answers again'])
  })

  it('and comes back without its memory is told it again by every bridge, before anything goes', async () => {
    const redis = await startRedis()
    const line = await startLine(redis.url)
    const open = (url: string) => openShared(url, { rules: SWIFT, timing: { settleMs: 1000 } })
    const [one, two] = [await open(line.url), await open(redis.url)]
    for (let n = 0; n < 30; n++) {
      expect(await one.take(charge(`one${n}`))).toBeUndefined()
      expect(await two.take(charge(`two${n}`), n < 4 ? String(n) : undefined)).toBeUndefined()
    }
    one.hold('small', 60_000)
    await redis.kill()
    line.cut()
    await startRedis(Number(new URL(redis.url).port))
    // The one is there at once, and waits for the other.
    await expect.poll(() => two.trouble?.(), PATIENT).toBeUndefined()
    expect(await two.take(charge('early'))).toMatchObject({ rule: 'store' })
    line.mend()
    await untilReached(two)
    expect(await one.take(charge('new'))).toMatchObject({ rule: 'small' })
    expect(await two.take(charge('new'))).toMatchObject({ rule: 'small' })
    for (const windows of [one, two]) expect((await windows.look()).usage(Date.now()).small).toBe(60)
    expect(two.heldMs('small')).toBeGreaterThan(50_000)
    expect(await one.take({ small: 0, identity: 'itwo29' })).toMatchObject({ rule: 'identical' })
    expect(await one.take({ small: 0 }, 'place')).toMatchObject({ rule: 'open' })
  })

  it('is told by a new process what its file remembers, and counts nothing twice', async () => {
    const { url } = await startRedis()
    const before = await openShared(url)
    for (let n = 0; n < 20; n++) expect(await before.take(charge(n))).toBeUndefined()
    const atMs = Date.now()
    const sentBefore = Array.from({ length: 20 }, (_, n) => ({ ...charge(n), atMs }))
    const other = Array.from({ length: 5 }, (_, n) => ({ ...charge(`other${n}`), atMs: atMs - 60_000 }))
    const journal = { read: () => [...other, ...sentBefore], write: () => {} }
    const after = await openShared(url, { journal })
    expect(after.usage().small).toBe(25)
  })

  it('or is not there yet keeps the bridge from its gateway; both are found when it comes', async () => {
    const simulator = await startSimulator()
    const port = await freePort()
    const windows = createSharedWindows(`redis://127.0.0.1:${port}`)
    const { message, stats } = createPacing({ clock: systemClock, windows })
    const { gateway } = settingsFor(simulator.port)
    const clock = createFakeClock()
    const login = openLogin({
      ...{ ...gateway, marketDataType: 3, clock, random: Math.random, log: silent, expected: {} },
      ...{ message, requestTimeoutMs: 5000 },
    })
    onEnd(() => login.close())
    await until('it is found', () => stats().trouble !== undefined)
    await clock.advance(60_000)
    // What does not go is no silence of the gateway's.
    expect(login.status().reason).toBe('Connecting to the gateway.')
    expect(simulator.received).toEqual([])
    await startRedis(port)
    await until('it is ready', () => login.status().state === 'ready')
    expect(stats().trouble).toBeUndefined()
    expect(sent(simulator, 71)).toBe(1)
  })
})

it('a bridge without its Redis says so, and is not ready', async () => {
  const simulator = await startSimulator()
  const settings = { redisUrl: 'redis://127.0.0.1:1', account: 'DU1234567' }
  const { bridge, relay, logged } = await startBridge(simulator.port, { untilReady: false, settings })
  await until('it is told', () => logged.some((line) => line.includes('Redis, which counts')))
  const reason = expect.stringMatching(/Redis.*ECONNREFUSED.*REDIS_URL/)
  expect(await relay.status()).toMatchObject({ gateway: { state: 'connecting' }, pacing: { trouble: reason } })
  const headers = { authorization: `Bearer ${KEY}` }
  const ready = await bridge.fetch(new Request('http://bridge/ready', { headers }))
  expect([ready.status, await ready.json()]).toEqual([503, { ready: false, reason }])
  expect(simulator.received).toEqual([])
})
