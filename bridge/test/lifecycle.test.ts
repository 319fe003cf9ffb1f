import type { Bridge } from '@tidegate/bridge'
import type { Simulator } from '@tidegate/simulator'
import { afterEach, describe, expect, it } from 'vitest'
import { createFakeClock, type FakeClock, settled } from './clock.ts'
import { startRawGateway } from './gateway.ts'
import { NOW_SEC } from './market.ts'
import { AAPL, endAll, onEnd, type Rig, request, sent, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

const MINUTE = 60_000
const HOUR = 60 * MINUTE

interface Life extends Rig {
  readonly clock: FakeClock
  readonly simulator: Simulator
}

/** A bridge that is ready, a gateway to misbehave, and the clock of both. */
async function live(startMs = NOW_SEC * 1000, options: Parameters<typeof startBridge>[1] = {}): Promise<Life> {
  const clock = createFakeClock(startMs)
  const simulator = await startSimulator({ now: clock.now })
  const rig = await startBridge(simulator.port, { clock, random: () => 0, ...options })
  return { clock, simulator, ...rig }
}

const phaseIs = (bridge: Bridge, phase: string) => until(`the phase is ${phase}`, () => bridge.status().phase === phase)

/** Moves time on in steps, so that what goes over sockets has come before the next timer. */
async function pass(clock: FakeClock, ms: number, step: number, done: () => boolean = () => false): Promise<void> {
  for (let at = 0; at < ms && !done(); at += step) {
    await clock.advance(step)
    await settled(6)
  }
}

describe('what the gateway says of itself', () => {
  it('is shown: cut off, back, and every farm with since when', async () => {
    const { bridge, simulator, clock, relay, logged } = await live()
    expect(bridge.status()).toMatchObject({ state: 'ready', phase: 'ready' })
    await pass(clock, MINUTE, 4000)
    await simulator.event({ type: 'notice', code: 2103 })
    await phaseIs(bridge, 'degraded')
    expect(bridge.status()).toMatchObject({
      state: 'ready',
      reason: expect.stringMatching(
        /servers of live data are out of reach \(usfarm\), since 2026.*History is answered/,
      ),
      farms: expect.arrayContaining([
        { name: 'usfarm', kind: 'market', state: 'broken', since: new Date(clock.now()).toISOString() },
      ]),
    })
    await simulator.event({ type: 'notice', code: 2104 })
    await phaseIs(bridge, 'ready')
    for (const code of [1100, 2110]) {
      for (const back of [1101, 1102]) {
        await simulator.event({ type: 'notice', code })
        await phaseIs(bridge, 'degraded')
        const reason = expect.stringMatching(new RegExp(`\\(${code}\\), since 2026-.*by itself; if it lasts, look at`))
        expect(bridge.status()).toMatchObject({ state: 'down', reason })
        await simulator.event({ type: 'notice', code: back })
        await phaseIs(bridge, 'ready')
      }
    }
    expect(bridge.status().reason).toBeUndefined()
    expect((await relay.status()).gateway).toEqual(bridge.status())
    const told = logged.flatMap((line) => /the login is (\S+?):? /.exec(`${line} `)?.[1] ?? [])
    expect(told).toEqual(['ready', ...Array.from({ length: 5 }, () => ['degraded', 'ready']).flat()])
  })

  it('and is not known is logged once', async () => {
    const { bridge, simulator, logged } = await live()
    for (const text of ['for DU1234567', 'again']) await simulator.event({ type: 'notice', code: 8765, text })
    await simulator.event({ type: 'notice', code: 1100 })
    await phaseIs(bridge, 'degraded')
    const lines = logged.filter((line) => line.includes('does not know, 8765'))
    expect(lines).toEqual([expect.stringContaining('8765: for DU*****67')])
  })

  it('does not make a contract dead that is not found while its servers are out of reach', async () => {
    let outage = false
    const gateway = await startRawGateway({
      nowSec: () => NOW_SEC,
      script: (client, [id, , requestId = '']) => {
        if (id !== '9') return
        if (outage) client.send(4, 2, -1, 2157, 'Sec-def data farm connection is broken:secdefnj', '')
        client.send(4, 2, requestId, 200, 'No security definition has been found for the request', '')
      },
    })
    const { relay } = await startBridge(gateway.port)
    await expect(relay.contracts({ contract: AAPL })).rejects.toMatchObject({ kind: 'not-found', code: 200 })
    outage = true
    const contract = { ...AAPL, symbol: 'MSFT' }
    await expect(relay.contracts({ contract, waitMs: 0 })).rejects.toMatchObject({
      kind: 'farm-down',
      code: 200,
      message: expect.stringContaining('no word on the contract'),
      retryAfterMs: 30_000,
    })
  })
})

describe('history servers that die without a word', () => {
  it('are found by a probe, and found again when they are back', async () => {
    const { bridge, simulator, relay, clock } = await live(undefined, {
      settings: { probeAfterMs: 5 * MINUTE, requestTimeoutMs: 20_000 },
    })
    await relay.bars(request())
    simulator.faults.hmds = 'silent'
    await pass(clock, 5 * MINUTE, 10_000)
    const asked = expect(relay.bars(request({ duration: '2 D' }))).rejects.toMatchObject({ kind: 'timeout' })
    await until('it has gone', () => sent(simulator, 20) === 2)
    await pass(clock, 20_000, 5000)
    await asked
    await until('the probe has gone', () => sent(simulator, 20) === 3)
    expect(bridge.status().phase).toBe('ready')
    await pass(clock, 20_000, 5000)
    await phaseIs(bridge, 'degraded')
    expect(bridge.status()).toMatchObject({
      state: 'down',
      reason: expect.stringContaining('have answered nothing, a probe included, since'),
    })
    simulator.faults.hmds = 'ok'
    await pass(clock, 2 * MINUTE, 10_000, () => bridge.status().state === 'ready')
    await phaseIs(bridge, 'ready')
    expect((await relay.bars(request({ duration: '3 D' }))).done.bars).toBeGreaterThan(0)
  })

  it('are found alive though the notice that says so got lost', async () => {
    const { bridge, simulator, clock } = await live(undefined, { settings: { probeAfterMs: 5 * MINUTE } })
    await simulator.event({ type: 'notice', code: 2105 })
    await until('history is held', () => bridge.status().state === 'down')
    simulator.faults.hmds = 'ok'
    await pass(clock, 5 * MINUTE, 15_000, () => bridge.status().state === 'ready')
    await until('it is found', () => bridge.status().state === 'ready')
    expect(sent(simulator, 20)).toBe(1)
  })
})

describe('servers of definitions that are back without a word', () => {
  const NEW = { ...AAPL, symbol: 'NEW' }
  const isHeld = ({ bridge }: Life) => /definitions are out of reach \(secdefnj\)/.test(bridge.status().reason ?? '')

  /** A bridge that was told of the broken farm as it connected. */
  async function held(): Promise<Life> {
    const life = await live(undefined, { settings: { probeAfterMs: 20_000, requestTimeoutMs: MINUTE } })
    const { bridge, simulator, clock } = life
    simulator.faults.secdefBroken = true
    await simulator.event({ type: 'drop' })
    await until('it is gone', () => bridge.status().phase === 'connecting')
    await pass(clock, MINUTE, 1000, () => isHeld(life))
    await until('it is told', () => isHeld(life))
    return life
  }

  /** A request that waits: whether it is answered, and with what. */
  function waiting({ relay }: Life): { done: () => boolean; answer: Promise<unknown> } {
    const hangUp = new AbortController()
    onEnd(() => hangUp.abort())
    let isDone = false
    const settle = () => {
      isDone = true
    }
    const answer = relay.contracts({ contract: NEW, waitMs: 10 * MINUTE }, hangUp.signal)
    answer.then(settle, settle)
    return { done: () => isDone, answer }
  }

  it('are found by a probe, and what was held goes', async () => {
    const life = await held()
    const { bridge, simulator, clock } = life
    const { done, answer } = waiting(life)
    simulator.faults.secdefBroken = false
    await pass(clock, 15_000, 5000)
    expect(sent(simulator, 9)).toBe(0)
    await pass(clock, 2 * MINUTE, 1000, done)
    await until('it is answered', done)
    expect(await answer).toMatchObject([{ contract: { symbol: 'NEW' } }])
    // No notice has said that the farm is back: that it answers all the same is told, and it is not probed any more.
    expect(bridge.status()).toMatchObject({
      phase: 'degraded',
      reason: expect.stringMatching(/definitions broken \(secdefnj\), since 2026.*a probe was answered/),
    })
    await pass(clock, 5 * MINUTE, 15_000)
    expect(sent(simulator, 9)).toBe(2)
  })

  it('are tried every minute, and neither silence nor a false 200 is taken for an answer', async () => {
    const life = await held()
    const { simulator, clock, warned } = life
    // After twenty seconds, and a minute after the first was given up.
    await pass(clock, 5 * MINUTE, 5000, () => sent(simulator, 9) === 2)
    expect([sent(simulator, 9), isHeld(life)]).toEqual([2, true])
    Object.assign(simulator.faults, { secdefBroken: false, false200: 2 })
    await pass(clock, 5 * MINUTE, 5000, () => sent(simulator, 9) === 4)
    await pass(clock, 30_000, 5000)
    expect([sent(simulator, 9), simulator.faults.false200, isHeld(life)]).toEqual([4, 0, true])
    const { done, answer } = waiting(life)
    await pass(clock, 2 * MINUTE, 1000, done)
    await until('it is answered', done)
    expect(await answer).toMatchObject([{ contract: { symbol: 'NEW' } }])
    expect(sent(simulator, 9)).toBe(6)
    expect(warned.filter((line) => line.includes('history servers'))).toEqual([])
  })

  it('are believed when they break again, though it is the same farm that no notice mended', async () => {
    const life = await held()
    const { simulator, relay, clock } = life
    simulator.faults.secdefBroken = false
    await pass(clock, MINUTE, 5000, () => !isHeld(life))
    await until('they are found', () => !isHeld(life))
    await pass(clock, 5000, 5000)
    await simulator.event({ type: 'notice', code: 2157 })
    await until('it is told anew', () => isHeld(life))
    await expect(relay.contracts({ contract: NEW, waitMs: 0 })).rejects.toMatchObject({ kind: 'farm-down', code: 2157 })
  })
})

describe('another session of the login', () => {
  it('pauses it, longer each time, until something is answered', async () => {
    const { bridge, simulator, relay, clock } = await live()
    simulator.faults.competing = true
    const refused = { kind: 'competing-session', status: 503 }
    await expect(relay.bars(request({ waitMs: 0 }))).rejects.toMatchObject({ ...refused, retryAfterMs: MINUTE })
    expect(bridge.status()).toMatchObject({ state: 'down', phase: 'competing' })
    await pass(clock, MINUTE, 15_000)
    expect(bridge.status().phase).toBe('ready')
    await expect(relay.bars(request({ waitMs: 0, duration: '2 D' }))).rejects.toMatchObject({
      ...refused,
      retryAfterMs: 2 * MINUTE,
    })
    simulator.faults.competing = false
    await pass(clock, 2 * MINUTE, 15_000)
    expect(sent(simulator, 20)).toBe(2)
    await relay.bars(request({ duration: '3 D' }))
    simulator.faults.competing = true
    await expect(relay.bars(request({ waitMs: 0, duration: '4 D' }))).rejects.toMatchObject({ retryAfterMs: MINUTE })
  })
})

describe('the night', () => {
  /** Thursday 23:45 in New York. */
  const RESET = Date.parse('2026-04-10T03:45:00Z')

  it('is passed calmly: the gateway restarts, and the bridge is back by itself', async () => {
    const { bridge, simulator, clock, logged } = await live(RESET + 5 * MINUTE)
    await simulator.event({ type: 'stop' })
    await until('it is gone', () => bridge.status().state === 'down')
    await pass(clock, 3 * MINUTE, 10_000)
    expect(bridge.status()).toMatchObject({
      phase: 'connecting',
      reason: expect.stringContaining(
        "It is IBKR's nightly reset, until 2026-04-10T04:45:00.000Z: it comes back by itself.",
      ),
    })
    const tries = logged.filter((line) => line.includes('could not connect')).length
    // One at once, then at the longest pause: 15 s at the least with jitter.
    expect(tries).toBeGreaterThan(3)
    expect(tries).toBeLessThan(15)
    await simulator.event({ type: 'start' })
    await pass(clock, MINUTE, 10_000, () => bridge.status().state === 'ready')
    await phaseIs(bridge, 'ready')
  })
})

describe('the end of the login on Sunday', () => {
  const SUNDAY = Date.parse('2026-04-12T05:00:00Z')

  it.each(['silent', 'no-accounts'] as const)('asks for a person, once, in clear words: %s', async (how) => {
    const { bridge, simulator, clock, logged, relay } = await live(SUNDAY - MINUTE, {
      settings: { requestTimeoutMs: 10_000 },
    })
    // It outlives the hour by a little.
    await pass(clock, MINUTE + 5000, 5000)
    simulator.faults.loggedOut = how
    await simulator.event({ type: 'drop' })
    await until('it is gone', () => bridge.status().state === 'down')
    await pass(clock, 4 * MINUTE, 5000, () => bridge.status().phase === 'login-required')
    await phaseIs(bridge, 'login-required')
    expect(bridge.status().reason).toContain('Sunday at 01:00 New York time')
    await expect(relay.bars(request({ waitMs: 0 }))).rejects.toMatchObject({ kind: 'login-required', status: 409 })
    await pass(clock, 2 * MINUTE, 10_000)
    const told = logged.filter((line) => /Sunday at 01:00 New York time/.test(line) && !line.startsWith('{"request"'))
    expect(told.length).toBe(1)
    simulator.faults.loggedOut = 'no'
    if (how === 'no-accounts') await simulator.event({ type: 'drop' })
    await pass(clock, 2 * HOUR, 15_000, () => bridge.status().state === 'ready')
    await phaseIs(bridge, 'ready')
  })
})
