import { Socket } from 'node:net'
import { type Clock, createPacing, type Pacing, RULES, rulesWith } from '@tidegate/bridge'
import { PRIORITIES, type Priority, TidegateError } from '@tidegate/core'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createFakeClock, settled } from './clock.ts'
import { NOW_SEC } from './market.ts'
import { endAll, request, startBridge, startSimulator, until } from './rig.ts'

const PATIENT_MS = 600_000

function pacingOf(clock: Clock, messagesPerSec: number, maxOpen = RULES.open.limit): Pacing {
  const rules = rulesWith({ messagesPerSec })
  return createPacing({ clock, rules: { ...rules, open: { ...rules.open, limit: maxOpen } } })
}

/** The most of these instants that lie within one second, wherever it begins. */
function mostInASecond(instants: readonly number[]): number {
  return Math.max(0, ...instants.map((from) => instants.filter((at) => at >= from && at < from + 1000).length))
}

/** A request that stays open until `end` is called. */
function openRequest(): { ask: () => Promise<string>; end: () => void; asked: () => boolean } {
  const { promise, resolve } = Promise.withResolvers<string>()
  let asked = false
  return {
    ask: () => {
      asked = true
      return promise
    },
    end: () => resolve('answered'),
    asked: () => asked,
  }
}

async function errorOf(promise: Promise<unknown>): Promise<TidegateError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof TidegateError)) throw new Error(`Expected a TidegateError, got ${error}.`)
  return error
}

describe('the message rate', () => {
  it('is never above the limit in any second, and nothing starves', async () => {
    const kinds = fc.constantFrom('message' as const, ...PRIORITIES)
    const arrivals = fc.array(fc.record({ afterMs: fc.nat(400), kind: kinds }), { maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 45 }), async (messages, limit) => {
        const clock = createFakeClock(0)
        const pacing = pacingOf(clock, limit)
        const left: number[] = []
        let at = 0
        for (const { afterMs, kind } of messages) {
          at += afterMs
          const leave = async () => void left.push(clock.now())
          clock.after(at, () => {
            if (kind === 'message') void pacing.message().then(leave)
            else void pacing.run({ priority: kind, waitMs: PATIENT_MS }, leave)
          })
        }
        await clock.advanceQuickly(at + 1000 * (Math.ceil(messages.length / limit) + 1))
        expect(left).toHaveLength(messages.length)
        expect(mostInASecond(left)).toBeLessThanOrEqual(limit)
        await clock.advanceQuickly(PATIENT_MS)
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 40 },
    )
  })

  it('is used in full: 45 at once, the 46th after a second', async () => {
    const clock = createFakeClock(0)
    const pacing = pacingOf(clock, 45)
    const left: number[] = []
    for (let i = 0; i < 91; i++) void pacing.message().then(() => left.push(clock.now()))
    await clock.advance(999)
    expect(left).toHaveLength(45)
    expect(pacing.stats().messagesInLastSecond).toBe(45)
    // Two such bursts a second apart would be one to a gateway that was held up: the next are spread.
    await clock.advance(1)
    expect(left).toHaveLength(50)
    await clock.advance(100)
    expect(left).toHaveLength(90)
    await clock.advance(1000)
    expect(left).toHaveLength(91)
  })

  it('takes no place for who no longer waits, and goes on when the clock was set back', async () => {
    const clock = createFakeClock(10_000)
    const pacing = pacingOf(clock, 1)
    await pacing.message()
    const caller = new AbortController()
    const run = (signal?: AbortSignal) =>
      pacing.run({ priority: 'interactive', waitMs: PATIENT_MS, signal }, async () => 'went')
    const gone = errorOf(run(caller.signal))
    const stays = run()
    caller.abort()
    await clock.advance(1000)
    expect([(await gone).kind, await stays]).toEqual(['disconnected', 'went'])
    clock.set(5000)
    const next = run()
    await clock.advance(999)
    expect(pacing.stats().queued).toBe(1)
    await clock.advance(1)
    expect(await next).toBe('went')
  })
})

describe('requests', () => {
  it('are open 32 at a time at most', async () => {
    const clock = createFakeClock(0)
    const pacing = pacingOf(clock, 45)
    const requests = Array.from({ length: 40 }, openRequest)
    const answers = requests.map(({ ask }) => pacing.run({ priority: 'backfill', waitMs: PATIENT_MS }, ask))
    await until('32 are asked', () => requests.filter((one) => one.asked()).length === 32)
    await settled(20)
    expect(requests.filter((one) => one.asked())).toHaveLength(32)
    expect(pacing.stats()).toMatchObject({ open: 32, maxOpen: 32, queued: 8 })
    for (const one of requests.slice(0, 5)) one.end()
    await until('five more are asked', () => requests.filter((one) => one.asked()).length >= 37)
    await settled(20)
    expect(requests.filter((one) => one.asked())).toHaveLength(37)
    for (const one of requests) one.end()
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['answered']))
    expect(pacing.stats()).toMatchObject({ open: 0, queued: 0 })
    expect(clock.pending).toBe(0)
  })

  it('and other messages together keep to the rate, whatever comes when', async () => {
    const job = fc.record({
      priority: fc.constantFrom(...PRIORITIES),
      atMs: fc.nat(3000),
      lastsMs: fc.nat(2000),
      message: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(job, { maxLength: 60 }),
        fc.integer({ min: 2, max: 12 }),
        async (jobs, messagesPerSec) => {
          const clock = createFakeClock(0)
          const pacing = pacingOf(clock, messagesPerSec, 6)
          const left: number[] = []
          let open = 0
          let mostOpen = 0
          for (const { priority, atMs, lastsMs, message } of jobs) {
            clock.after(atMs, () => {
              if (message) void pacing.message().then(() => left.push(clock.now()))
              else
                void pacing.run({ priority, waitMs: PATIENT_MS }, () => {
                  left.push(clock.now())
                  mostOpen = Math.max(mostOpen, ++open)
                  return new Promise<void>((resolve) => {
                    clock.after(lastsMs, () => {
                      open--
                      resolve()
                    })
                  })
                })
            })
          }
          await clock.advance(120_000)
          expect(left).toHaveLength(jobs.length)
          expect(mostInASecond(left)).toBeLessThanOrEqual(messagesPerSec)
          expect(mostOpen).toBeLessThanOrEqual(6)
        },
      ),
      { numRuns: 8 },
    )
  })

  it('go interactive first, then scheduled, then backfill, and in their order within one', async () => {
    const pacing = pacingOf(createFakeClock(0), 45, 1)
    const first = openRequest()
    const order: string[] = []
    const run = (priority: Priority, name: string) =>
      pacing.run({ priority, waitMs: PATIENT_MS }, async () => void order.push(name))
    const all = [pacing.run({ priority: 'backfill', waitMs: 0 }, first.ask)]
    await until('the place is taken', first.asked)
    for (const name of ['b1', 'b2']) all.push(run('backfill', name).then(() => name))
    all.push(run('scheduled', 's1').then(() => 's1'))
    all.push(run('backfill', 'b3').then(() => 'b3'))
    for (const name of ['i1', 'i2']) all.push(run('interactive', name).then(() => name))
    all.push(run('scheduled', 's2').then(() => 's2'))
    await settled(60)
    expect(order).toEqual([])
    first.end()
    await Promise.all(all)
    expect(order).toEqual(['i1', 'i2', 's1', 's2', 'b1', 'b2', 'b3'])
  })

  it('that wait for the message rate let a later one of higher priority go before', async () => {
    const clock = createFakeClock(0)
    const pacing = pacingOf(clock, 1)
    const order: string[] = []
    const run = (priority: Priority) =>
      pacing.run({ priority, waitMs: PATIENT_MS }, async () => void order.push(priority))
    await pacing.message()
    const all = [run('backfill'), run('scheduled')]
    await settled(20)
    all.push(run('interactive'))
    await settled(20)
    await clock.advance(3000)
    await Promise.all(all)
    expect(order).toEqual(['interactive', 'scheduled', 'backfill'])
  })
})

describe('busy', () => {
  it('is the answer at once where the message rate makes the wait too long, with the time after which it goes', async () => {
    const clock = createFakeClock(0)
    const pacing = pacingOf(clock, 2, 10)
    await clock.advance(0)
    await pacing.message()
    await clock.advance(300)
    await pacing.message()
    const error = await errorOf(pacing.run({ priority: 'interactive', waitMs: 500 }, async () => 'never'))
    expect(error).toMatchObject({ kind: 'busy', status: 429, retryAfterMs: 200 })
    expect(error.message).toContain('within 0.5 s: ask again in 0.2 s')
    await clock.advance(200)
    const again = pacing.run({ priority: 'interactive', waitMs: 500 }, async () => 'in time')
    await clock.advance(500)
    expect(await again).toBe('in time')
  })

  it('counts only what goes before: backfill does not make an interactive request busy', async () => {
    const clock = createFakeClock(0)
    const pacing = pacingOf(clock, 1, 100)
    const backfill = Array.from({ length: 50 }, () =>
      pacing.run({ priority: 'backfill', waitMs: PATIENT_MS }, async () => {}),
    )
    await settled(80)
    const waits = await errorOf(pacing.run({ priority: 'backfill', waitMs: 2000 }, async () => {}))
    expect(waits.retryAfterMs).toBe(48_000)
    const interactive = pacing.run({ priority: 'interactive', waitMs: 2000 }, async () => 'soon')
    await settled(20)
    await clock.advance(1000)
    expect(await interactive).toBe('soon')
    await clock.advance(60_000)
    await Promise.all(backfill)
  })

  it('is the answer after waitMs where open requests do not end, and the place is not lost', async () => {
    const clock = createFakeClock(0)
    const pacing = pacingOf(clock, 45, 1)
    const first = openRequest()
    const answer = pacing.run({ priority: 'backfill', waitMs: 0 }, first.ask)
    await settled()
    expect(first.asked()).toBe(true)
    expect(await errorOf(pacing.run({ priority: 'interactive', waitMs: 0 }, async () => {}))).toMatchObject({
      kind: 'busy',
      retryAfterMs: 1000,
    })
    const second = openRequest()
    const refused = errorOf(pacing.run({ priority: 'interactive', waitMs: 5000 }, second.ask))
    await clock.advance(4999)
    expect(pacing.stats().queued).toBe(1)
    await clock.advance(1)
    expect(await refused).toMatchObject({ kind: 'busy', retryAfterMs: 1000 })
    expect(pacing.stats().queued).toBe(0)
    first.end()
    await answer
    expect(await pacing.run({ priority: 'backfill', waitMs: 0 }, async () => 'next')).toBe('next')
    expect(second.asked()).toBe(false)
  })

  it('is never told to one with a free place and a free message, even without patience', async () => {
    const pacing = pacingOf(createFakeClock(0), 45)
    const asked = Array.from({ length: 32 }, (_, i) => pacing.run({ priority: 'backfill', waitMs: 0 }, async () => i))
    expect(await Promise.all(asked)).toHaveLength(32)
  })
})

describe('a caller who hangs up', () => {
  it('while queued leaves the queue, and nothing is asked or counted for it', async () => {
    const clock = createFakeClock(0)
    const pacing = pacingOf(clock, 45, 1)
    const first = openRequest()
    const answer = pacing.run({ priority: 'backfill', waitMs: 0 }, first.ask)
    await settled()
    const caller = new AbortController()
    const second = openRequest()
    const left = errorOf(pacing.run({ priority: 'interactive', waitMs: 5000, signal: caller.signal }, second.ask))
    caller.abort()
    expect(await left).toMatchObject({ kind: 'disconnected' })
    expect(pacing.stats().queued).toBe(0)
    first.end()
    await answer
    await settled()
    expect(second.asked()).toBe(false)
    expect(pacing.stats()).toMatchObject({ open: 0, messagesInLastSecond: 1 })
    expect(
      await errorOf(pacing.run({ priority: 'backfill', waitMs: 0, signal: caller.signal }, async () => {})),
    ).toMatchObject({
      kind: 'disconnected',
    })
  })

  it('an ask that fails frees its place and tells its caller', async () => {
    const pacing = pacingOf(createFakeClock(0), 45, 1)
    const failing = () => Promise.reject(new TidegateError('not-found', 'no such contract'))
    for (let i = 0; i < 3; i++) {
      expect(await errorOf(pacing.run({ priority: 'backfill', waitMs: 0 }, failing))).toMatchObject({
        kind: 'not-found',
      })
      await settled()
    }
    expect(pacing.stats().open).toBe(0)
  })
})

const { write: plainWrite } = Socket.prototype
const writeOf = (socket: Socket, args: readonly unknown[]): boolean => Reflect.apply(plainWrite, socket, args)

describe('on the wire', () => {
  afterEach(endAll)

  it('no second holds more than 45 messages, cancels and probes among them, and the gateway never complains', async () => {
    const clock = createFakeClock(NOW_SEC * 1000)
    const simulator = await startSimulator({ now: clock.now })
    // At the socket itself: by the time the simulator reads, a clock that is moved by hand may have moved.
    const at: number[] = []
    const write = vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...args: unknown[]) {
      if (this.remotePort === simulator.port) at.push(clock.now())
      return writeOf(this, args)
    })
    const { relay, logged } = await startBridge(simulator.port, { clock })
    const caller = new AbortController()
    const kept = Array.from({ length: 100 }, (_, i) =>
      relay.bars(request({ end: NOW_SEC - i * 3600, waitMs: PATIENT_MS })),
    )
    const left = Array.from({ length: 100 }, (_, i) =>
      relay.bars(request({ end: NOW_SEC - 1 - i, waitMs: PATIENT_MS }), caller.signal),
    )
    let waiting = true
    const outcomes = Promise.allSettled([...kept, ...left]).then((all) => {
      waiting = false
      return all
    })
    for (let turn = 0; waiting; turn++) {
      await clock.advance(50)
      if (turn === 60) caller.abort()
    }
    const all = await outcomes
    expect(all.slice(0, 100).every((one) => one.status === 'fulfilled')).toBe(true)
    write.mockRestore()
    // The greeting is no message that the simulator records.
    expect(at).toHaveLength(simulator.received.length + 1)
    expect(mostInASecond(at)).toBeLessThanOrEqual(45)
    expect(at.length).toBeGreaterThan(100)
    expect(logged.join()).not.toContain('Max rate')
  })
})
