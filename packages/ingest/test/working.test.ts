import { parseInstant, TidegateError } from '@tidegate/core'
import type { BridgeReport } from '@tidegate/relay'
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { faulty } from './faults.ts'
import { coveredOf, eachWorld, relayWith } from './world.ts'

const at = parseInstant
const NOW = at('2026-03-12T12:00Z')
const WINDOW = { start: at('2026-02-04T15:00Z'), end: at('2026-03-06T16:00Z') }
const REQUEST = { instruments: ['AAPL'], specs: ['1-MINUTE-LAST'], hours: 'regular', window: WINDOW } as const
const SHORT = { ...REQUEST, window: { start: at('2026-03-03T15:00Z'), end: at('2026-03-03T16:00Z') } }
/** Longer than a lease, and than the grace a message on its way is given. */
const LATER_MS = 400_000

const { database, world } = eachWorld(NOW)

const covered = () => coveredOf(world.store, '1-MINUTE-LAST')
const messageIds = () => world.queue.messages.map(({ chunkId }) => chunkId)

describe('a cancelled run', () => {
  it('hangs up what is under way here, asks for nothing more, and leaves gaps that are asked for anew', async () => {
    const { runId, chunks } = await world.ingest.start(REQUEST)
    expect(chunks).toBeGreaterThan(2)
    const [first = '', second = ''] = messageIds()
    await world.ingest.work(first)
    const asked = Promise.withResolvers<AbortSignal | undefined>()
    const worker = world.another({
      relay: relayWith(world.relay, {
        bars: (_, signal) => {
          asked.resolve(signal)
          return new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(new TidegateError('disconnected', 'hung up')))
          })
        },
      }),
    })
    const working = worker.work(second)
    const signal = await asked.promise
    expect(signal?.aborted).toBe(false)
    expect(await worker.cancelRun(runId)).toBe('cancelled')
    expect(signal?.aborted).toBe(true)
    expect(await working).toEqual({ outcome: 'nothing', written: 0 })
    const before = world.relay.asked.length
    expect((await world.drain({ forSec: 1e5 })).map(({ outcome }) => outcome)).toEqual(Array(chunks).fill('nothing'))
    expect(world.relay.asked).toHaveLength(before)
    const run = await world.store.run(runId)
    expect(run).toMatchObject({ state: 'cancelled', chunks: { done: 1, cancelled: chunks - 1 } })
    expect(run?.series[0]?.error).toBeUndefined()
    expect((await world.ingest.start(REQUEST)).chunks).toBe(chunks - 1)
    await world.drain()
    expect(await covered()).toEqual([WINDOW])
  })

  it('writes nothing of the answer that another process is waiting for', async () => {
    const { runId } = await world.ingest.start(SHORT)
    const elsewhere = world.another({
      relay: relayWith(world.relay, {
        async bars(request, signal) {
          const answer = await world.relay.bars(request, signal)
          await world.ingest.cancelRun(runId)
          expect(signal?.aborted).toBe(false)
          return answer
        },
      }),
    })
    expect(await elsewhere.work(messageIds()[0] ?? '')).toEqual({ outcome: 'nothing', written: 0 })
    expect(await world.store.series()).toMatchObject([{ bars: 0, covered: [] }])
  })

  it('is cancelled for good; one that is done stays done, and one that is not there is none', async () => {
    const { runId } = await world.ingest.start(SHORT)
    await world.ingest.cancelRun(runId)
    expect(await world.ingest.cancelRun(runId)).toBe('cancelled')
    await world.ingest.sweep()
    expect((await world.store.run(runId))?.state).toBe('cancelled')
    const { runId: other } = await world.ingest.start(SHORT)
    await world.drain()
    await world.ingest.sweep()
    expect(await world.ingest.cancelRun(other)).toBe('done')
    expect(await covered()).toEqual([SHORT.window])
    await expect(world.ingest.cancelRun('nowhere')).rejects.toMatchObject({ kind: 'not-found' })
  })
})

describe('chunks that wait for a login', () => {
  it('go round again with the first sweep that finds somebody logged in', async () => {
    const { runId } = await world.ingest.start(SHORT)
    world.relay.tamper = () => {
      throw new TidegateError('login-required', 'Log in at the gateway.')
    }
    expect(await world.drain()).toMatchObject([{ outcome: 'parked' }])
    const { gateway, pacing } = await world.relay.status()
    const logged = (phase: typeof gateway.phase) =>
      world.another({
        relay: relayWith(world.relay, { status: async () => ({ pacing, gateway: { ...gateway, phase } }) }),
      })
    const silent = world.another({
      relay: relayWith(world.relay, { status: () => Promise.reject(new TidegateError('disconnected', 'It is away.')) }),
    })
    for (const ingest of [logged('login-required'), logged('connecting'), silent]) {
      await ingest.sweep()
      expect(messageIds()).toEqual([])
      expect(await world.store.run(runId)).toMatchObject({ state: 'failed', chunks: { parked: 1 } })
    }
    world.relay.tamper = (_, answer) => answer
    await logged('ready').sweep()
    expect(await world.store.run(runId)).toMatchObject({ state: 'open', chunks: { queued: 1 } })
    expect(await world.drain()).toMatchObject([{ outcome: 'done' }])
    await world.ingest.sweep()
    expect((await world.store.run(runId))?.state).toBe('done')
  })

  it('are told of by the bridge that is out, among several, until all of them are in', async () => {
    const status = await world.relay.status()
    const tell = async (...phases: (typeof status.gateway.phase | 'away')[]) => {
      const bridges = phases.map((phase, i): BridgeReport => {
        const name = `bridge-${i}`
        if (phase === 'away') return { name, ok: false, error: { kind: 'disconnected', message: 'It is away.' } }
        return { name, ok: true, ...status, gateway: { ...status.gateway, phase, reason: 'approve it' } }
      })
      const relay = relayWith(world.relay, { status: async () => ({ ...status, bridges }) })
      const webhooks = { fetch: () => Promise.reject(new Error('nobody is told')), allowPrivate: false }
      await world.another({ relay, webhooks }).tell()
      const rows = await database.rows<{ reason: string }>(sql`
        select event->'data'->>'reason' as reason from outbox where event->>'type' = 'login.required' order by id`)
      return rows.map(({ reason }) => reason)
    }
    const told = 'At the bridge "bridge-1": approve it'
    expect(await tell('ready', 'away')).toEqual([])
    expect(await tell('ready', 'login-required')).toEqual([told])
    expect(await tell('ready', 'login-required')).toEqual([told])
    expect(await tell('ready', 'away')).toEqual([told])
    expect(await tell('ready', 'login-required')).toEqual([told])
    expect(await tell('ready', 'degraded')).toEqual([told])
    expect(await tell('ready', 'login-required')).toEqual([told, told])
  })

  it('are not looked for at the bridge while there are none', async () => {
    let asked = 0
    const status = async () => {
      asked++
      return world.relay.status()
    }
    await world.another({ relay: relayWith(world.relay, { status }) }).sweep()
    expect(asked).toBe(0)
  })
})

describe('chunks that wait out what befell the gateway', () => {
  const REASON = { 'competing-session': 900_000, disconnected: 30_000, 'farm-down': 30_000 } as const
  async function waiting(kind: keyof typeof REASON): Promise<void> {
    await world.ingest.start(SHORT)
    world.relay.tamper = () => {
      throw new TidegateError(kind, 'Later.', { retryAfterMs: REASON[kind] })
    }
    expect(await world.drain()).toMatchObject([{ outcome: 'requeued', retryAfterSec: REASON[kind] / 1000 }])
    world.relay.tamper = (_, answer) => answer
  }
  const seen = async (state: 'ready' | 'down', phase: 'ready' | 'degraded' | 'competing' | 'connecting') => {
    const { gateway, pacing } = await world.relay.status()
    return world.another({
      relay: relayWith(world.relay, { status: async () => ({ pacing, gateway: { ...gateway, state, phase } }) }),
    })
  }

  it('behind another session go at the first sweep after the bridge’s pause, not when their own is over', async () => {
    await waiting('competing-session')
    await (await seen('down', 'competing')).sweep()
    expect(await world.drain()).toEqual([])
    world.clock.nowMs += 60_000
    await (await seen('ready', 'ready')).sweep()
    expect(await world.drain()).toMatchObject([{ outcome: 'done' }])
    expect(await covered()).toEqual([SHORT.window])
  })

  it.each(['disconnected', 'farm-down'] as const)(
    'of a gateway %s go once it was seen away, and is back',
    async (kind) => {
      await waiting(kind)
      await (await seen('ready', 'degraded')).sweep()
      expect(await world.drain()).toEqual([])
      await (await seen('down', 'connecting')).sweep()
      expect(await world.drain()).toEqual([])
      await (await seen('ready', 'degraded')).sweep()
      expect(await world.drain()).toMatchObject([{ outcome: 'done' }])
    },
  )

  it('go after a bridge that did not answer, and each only once', async () => {
    await waiting('disconnected')
    const silent = relayWith(world.relay, { status: () => Promise.reject(new TidegateError('disconnected', 'Away.')) })
    await world.another({ relay: silent }).sweep()
    world.relay.tamper = () => {
      throw new TidegateError('disconnected', 'It is this request.', { retryAfterMs: 30_000 })
    }
    await world.ingest.sweep()
    expect(await world.drain()).toMatchObject([{ outcome: 'requeued' }])
    await world.ingest.sweep()
    expect(await world.drain()).toEqual([])
  })
})

describe('a database that breaks while a failure is settled', () => {
  const failing = (call: string, times: number) => {
    let left = times
    const pauses: number[] = []
    const pause = async (ms: number) => {
      pauses.push(ms)
    }
    const parts = faulty(world, (name) => (name === call && left-- > 0 ? 'before' : undefined))
    return { ingest: world.another({ ...parts, pause }), pauses }
  }

  it.each([
    ['store.requeue', 'internal', 'requeued'],
    ['store.giveUp', 'no-permission', 'parked'],
  ] as const)('is given a moment by %s, so that the chunk is not left to its lease', async (call, kind, outcome) => {
    await world.ingest.start(SHORT)
    world.relay.tamper = () => {
      throw new TidegateError(kind, 'It fails.')
    }
    const { ingest, pauses } = failing(call, 3)
    expect(await ingest.work(messageIds()[0] ?? '')).toMatchObject({ outcome, error: { kind } })
    expect(pauses).toEqual([187.5, 750, 3000])
  })

  it('and stays away is told to the queue, and the lease brings the chunk back', async () => {
    await world.ingest.start(SHORT)
    const [id = ''] = messageIds().splice(0)
    world.relay.tamper = () => {
      throw new TidegateError('internal', 'It fails.')
    }
    const { ingest, pauses } = failing('store.requeue', 4)
    await expect(ingest.work(id)).rejects.toMatchObject({ kind: 'database' })
    expect(pauses).toHaveLength(3)
    world.relay.tamper = (_, answer) => answer
    world.queue.messages.splice(0)
    world.clock.nowMs += LATER_MS
    await world.ingest.sweep()
    expect(await world.drain()).toMatchObject([{ outcome: 'done' }])
  })
})

describe('a chunk that is the end of its workers', () => {
  it('has failed after five of them in a row, and says so', async () => {
    const { runId } = await world.ingest.start(SHORT)
    const [id = ''] = messageIds()
    const deadly = world.another({
      store: {
        ...world.store,
        // As if the process were killed then and there: nothing more is heard of it.
        async claim(chunkId, lease) {
          await world.store.claim(chunkId, lease)
          throw new Error('killed')
        },
      },
    })
    for (let i = 0; i < 5; i++) {
      await expect(deadly.work(id)).rejects.toThrow('killed')
      expect(await world.ingest.work(id)).toEqual({ outcome: 'nothing', written: 0 })
      world.clock.nowMs += LATER_MS
    }
    expect(await world.ingest.work(id)).toMatchObject({ outcome: 'failed', error: { kind: 'internal' } })
    expect(world.relay.asked).toEqual([])
    await world.ingest.sweep()
    expect(await world.store.run(runId)).toMatchObject({ state: 'failed', chunks: { failed: 1 } })
  })
})

it('a request says where its contract is listed, by which one of several bridges is chosen', async () => {
  await world.ingest.start(SHORT)
  await world.drain()
  expect(world.relay.asked.map(({ contract }) => contract)).toMatchObject([
    { conId: 265598, exchange: 'SMART', primaryExchange: 'NASDAQ' },
  ])
})

describe('a message that died', () => {
  it('makes its chunk a failed one, which its run tells, and whose window is asked for anew', async () => {
    const { runId } = await world.ingest.start(SHORT)
    const [id = ''] = messageIds()
    world.queue.messages.splice(0)
    await world.ingest.bury(id)
    await world.ingest.bury(id)
    await world.ingest.sweep()
    const run = await world.store.run(runId)
    expect(run).toMatchObject({ state: 'failed', chunks: { failed: 1 } })
    expect(run?.series[0]?.error).toMatchObject({ kind: 'internal', message: expect.stringContaining('gave up') })
    expect((await world.ingest.start(SHORT)).chunks).toBe(1)
    await world.drain()
    expect(await covered()).toEqual([SHORT.window])
  })

  it('does nothing to a chunk that has been worked on since', async () => {
    const { runId } = await world.ingest.start(SHORT)
    const [id = ''] = messageIds()
    await world.drain()
    await world.ingest.bury(id)
    expect(await world.store.run(runId)).toMatchObject({ chunks: { done: 1, failed: 0 } })
  })
})

it('a sweep forgets what was delivered a day ago', async () => {
  await world.ingest.start(SHORT)
  await world.drain()
  await world.ingest.sweep()
  const entries = async () => (await database.rows(sql`select 1 from outbox where kind <> 'event'`)).length
  expect(await entries()).toBe(2)
  world.clock.nowMs += 86_400_000
  await world.ingest.sweep()
  expect(await entries()).toBe(2)
  world.clock.nowMs += 1000
  await world.ingest.sweep()
  expect(await entries()).toBe(0)
})
