import { parseInstant } from '@tidegate/core'
import type { EmbeddedDatabase } from '@tidegate/db'
import type { Ingest } from '@tidegate/ingest'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { startReceiver } from '../../../test/support/receiver.ts'
import { createNodeFunctions } from '../src/index.ts'
import { createSchedule, everyOnTheClock } from '../src/schedule.ts'
import { recordingLog } from './record.ts'
import { createTestClock, KEY, openGateway } from './world.ts'

/** Timers that a test fires by hand. */
function handTimers() {
  const timers = new Set<() => void>()
  return {
    every: (_ms: number, run: () => void) => {
      timers.add(run)
      return () => {
        timers.delete(run)
      }
    },
    fire: () => {
      for (const run of timers) run()
    },
    count: () => timers.size,
  }
}

function ingestOf(parts: Partial<Ingest>): Ingest {
  const unused = async (): Promise<never> => {
    throw new Error('not part of a schedule')
  }
  const tell = async () => ({ delivered: 0, failed: 0 })
  const declared = { declare: unused, change: unused, startDataset: unused, datasets: unused }
  const stopping = { cancelRun: unused, bury: unused, refill: unused, abandonAdjustment: unused }
  return {
    ...declared,
    ...stopping,
    plan: unused,
    start: unused,
    work: unused,
    tick: unused,
    sweep: unused,
    tell,
    ...parts,
  }
}

/** Everything that is ready to go on has gone on. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('the schedule', () => {
  it('passes at once and every minute, one at a time, and waits for the last when it is stopped', async () => {
    const timers = handTimers()
    const ticks: PromiseWithResolvers<void>[] = []
    const tick = async () => {
      const open = Promise.withResolvers<void>()
      ticks.push(open)
      await open.promise
      return { runs: [], chunks: 0, problems: [] }
    }
    const sweep = vi.fn(async () => ({ sent: 0, closed: 0 }))
    const schedule = createSchedule({ ingest: ingestOf({ tick, sweep }), log: recordingLog(), every: timers.every })
    schedule.start()
    schedule.start()
    expect(timers.count()).toBe(1)
    timers.fire()
    timers.fire()
    expect(ticks).toHaveLength(1)
    ticks[0]?.resolve()
    await vi.waitFor(() => expect(sweep).toHaveBeenCalledTimes(1))
    await turn()
    timers.fire()
    expect(ticks).toHaveLength(2)
    let stopped = false
    const stopping = schedule.stop().then(() => {
      stopped = true
    })
    expect(timers.count()).toBe(0)
    expect(stopped).toBe(false)
    ticks[1]?.resolve()
    await stopping
    expect(sweep).toHaveBeenCalledTimes(2)
  })

  it('goes on after a part that failed, and says so', async () => {
    const timers = handTimers()
    const log = recordingLog()
    const fail = vi.fn(async () => Promise.reject(new Error('the database is gone')))
    const failing = ingestOf({ tick: fail, sweep: fail, tell: fail })
    const schedule = createSchedule({ ingest: failing, log, every: timers.every })
    schedule.start()
    await vi.waitFor(() => expect(fail).toHaveBeenCalledTimes(3))
    await turn()
    timers.fire()
    await schedule.stop()
    expect(fail).toHaveBeenCalledTimes(6)
    expect(log.entries.map(({ level, fields }) => [level, fields])).toEqual(
      ['tick', 'sweep', 'tell', 'tick', 'sweep', 'tell'].map((part) => [
        'error',
        { part, err: new Error('the database is gone') },
      ]),
    )
  })

  it('goes on after a part that does not end', async () => {
    const log = recordingLog()
    const never = () => new Promise<never>(() => {})
    const sweep = vi.fn(async () => ({ sent: 0, closed: 0 }))
    const hung: AbortController[] = []
    const timeout = () => {
      const controller = new AbortController()
      hung.push(controller)
      return controller.signal
    }
    const ingest = ingestOf({ tick: never, sweep, tell: never })
    const schedule = createSchedule({ ingest, log, every: handTimers().every, timeout })
    schedule.start()
    hung[0]?.abort()
    await vi.waitFor(() => expect(hung).toHaveLength(3))
    expect(sweep).toHaveBeenCalledTimes(1)
    hung[2]?.abort()
    await schedule.stop()
    expect(log.entries.map(({ fields }) => fields)).toMatchObject([{ part: 'tick' }, { part: 'tell' }])
  })

  it('keeps to the full minutes of the clock, from whenever it began', () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 3, 8, 18, 0, 59, 990) })
    try {
      const atMs: number[] = []
      const end = everyOnTheClock(60_000, () => atMs.push(Date.now() - Date.UTC(2026, 3, 8, 18)))
      vi.advanceTimersByTime(3 * 60_000)
      end()
      vi.advanceTimersByTime(3 * 60_000)
      expect(atMs).toEqual([60_050, 120_050, 180_050])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('the functions on Node', () => {
  let database: EmbeddedDatabase
  beforeAll(async () => {
    database = await freshPglite()
  }, 60_000)
  afterAll(() => database?.close())

  it('fill a dataset by themselves and keep it current: each minute asks for what has become final, and no more', async () => {
    const clock = createTestClock()
    const timers = handTimers()
    const { simulator, relay, close } = await openGateway(clock)
    const log = recordingLog()
    const listen = { host: '127.0.0.1', port: 0 }
    const parts = { database, relay, log, now: clock.now, every: timers.every }
    const functions = await createNodeFunctions({ ...parts, keys: [KEY], listen })
    try {
      await functions.ingest.declare({
        name: 'first',
        instruments: ['AAPL.NASDAQ'],
        specs: ['1MIN'],
        since: '2026-04-07T13:30:00Z',
        hours: 'regular',
        schedule: { every: '1m' },
      })
      const stored = async () => (await functions.store.series())[0]
      functions.startSchedule()
      await vi.waitFor(async () => expect((await stored())?.bars).toBeGreaterThan(390), { timeout: 10_000 })
      const before = await stored()
      clock.advance(120)
      await vi.waitFor(
        async () => {
          timers.fire()
          expect((await stored())?.bars).toBeGreaterThanOrEqual((before?.bars ?? 0) + 2)
        },
        { timeout: 10_000, interval: 50 },
      )
      const after = await stored()
      const expected = simulator.truth({
        contract: { symbol: 'AAPL', secType: 'STK', primaryExchange: 'NASDAQ' },
        barSize: '1 min',
        whatToShow: 'TRADES',
        useRTH: true,
        startSec: parseInstant('2026-04-07T13:30:00Z'),
        endSec: (after?.to ?? 0) + 60,
      })
      expect(after?.bars).toBe(expected.length)
      expect((await fetch(`${functions.url}/health`)).status).toBe(200)
      await expect(
        createNodeFunctions({ ...parts, keys: [KEY], listen: listenOf(functions.url) }),
      ).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining('FUNCTIONS_PORT'),
      })
      await expect(createNodeFunctions({ ...parts, keys: ['short'] })).rejects.toMatchObject({ kind: 'invalid' })
    } finally {
      await functions.close()
      await close()
    }
  })

  it('tell webhooks of the runs that have ended, and hang up on who does not answer when they end', async () => {
    const clock = createTestClock()
    const timers = handTimers()
    const [receiver, gateway] = await Promise.all([startReceiver(), openGateway(clock)])
    const functions = await createNodeFunctions({
      ...{ database, relay: gateway.relay, log: recordingLog(), now: clock.now, every: timers.every },
      ...{ keys: [KEY], webhooksPrivate: true },
    })
    try {
      const { store } = functions
      const webhook = {
        secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
        events: ['run.finished'],
        createdAt: 0,
      } as const
      for (const id of ['taken', 'silent']) await store.putWebhook({ ...webhook, id, url: `${receiver.url}/${id}` })
      const asked = new Promise<void>((resolve) => receiver.answers.set('/silent', () => resolve()))
      await store.createRun({ id: 'ended', source: 'test', chunks: [], now: clock.now() / 1000 })
      functions.startSchedule()
      await asked
      await vi.waitFor(() => expect(receiver.bodies('/taken')).toMatchObject([{ data: { run: 'ended' } }]))
      await functions.close()
      expect((await store.deliveries('silent', 1))?.[0]).toMatchObject({ state: 'waiting', attempts: 1 })
    } finally {
      await functions.close()
      await gateway.close()
      await receiver.close()
    }
  })

  function listenOf(url: string | undefined) {
    const { hostname, port } = new URL(url ?? '')
    return { host: hostname, port: Number(port) }
  }
})
