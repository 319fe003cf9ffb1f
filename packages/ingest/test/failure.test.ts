import { type ErrorKind, formatInstant, parseInstant, TidegateError } from '@tidegate/core'
import { describe, expect, it } from 'vitest'
import { coveredOf, DATASET, eachWorld, relayWith } from './world.ts'

const at = parseInstant
const NOW = at('2026-03-12T12:00Z')
const WINDOW = { start: at('2026-03-03T15:00Z'), end: at('2026-03-03T16:00Z') }
const REQUEST = { instruments: ['AAPL'], specs: ['1-MINUTE-LAST'], hours: 'regular', window: WINDOW } as const
const HOUR_SEC = 3600

const { world } = eachWorld(NOW)

/** The gateway fails in these ways, one a request, and is well again after. */
function failWith(...kinds: (ErrorKind | TidegateError)[]): void {
  world.relay.tamper = (_, answer) => {
    const next = kinds.shift()
    if (next === undefined) return answer
    throw typeof next === 'string' ? new TidegateError(next, `the gateway said ${next}`) : next
  }
}

async function started(): Promise<string> {
  const { runId, chunks } = await world.ingest.start(REQUEST)
  expect(chunks).toBe(1)
  return runId
}

const covered = () => coveredOf(world.store, '1-MINUTE-LAST')
const runState = async (id: string) => {
  await world.ingest.sweep()
  return (await world.store.run(id))?.state
}

describe('a failure that passes', () => {
  it.each<ErrorKind>(['timeout', 'disconnected', 'farm-down', 'competing-session', 'pacing', 'busy'])(
    '%s is tried again, later each time, for as long as it takes, and covers nothing meanwhile',
    async (kind) => {
      const run = await started()
      failWith(...Array<ErrorKind>(9).fill(kind))
      const delays: number[] = []
      for (let i = 0; i < 9; i++) {
        const [result] = await world.drain({ forSec: 0 })
        expect(result).toMatchObject({ outcome: 'requeued', error: { kind } })
        expect(await covered()).toEqual([])
        delays.push(result?.retryAfterSec ?? 0)
        world.clock.nowMs += (result?.retryAfterSec ?? 0) * 1000
      }
      expect(delays.slice(0, 5)).toEqual([2, 3, 6, 12, 24])
      expect(Math.max(...delays)).toBeLessThanOrEqual(300)
      expect(await world.drain()).toMatchObject([{ outcome: 'done', written: 60 }])
      expect(await covered()).toEqual([WINDOW])
      expect(await runState(run)).toBe('done')
    },
  )

  it('waits as long as the bridge said', async () => {
    await started()
    failWith(new TidegateError('farm-down', 'later', { retryAfterMs: 45_000 }))
    expect(await world.drain()).toMatchObject([{ outcome: 'requeued', retryAfterSec: 45 }])
    expect(await world.drain({ forSec: 44 })).toEqual([])
    expect(await world.drain({ forSec: 45 })).toMatchObject([{ outcome: 'done' }])
  })

  it('a message that comes too early finds nothing to do', async () => {
    await started()
    failWith(new TidegateError('busy', 'later', { retryAfterMs: 45_000 }))
    const [chunk] = world.queue.messages
    await world.drain()
    expect(await world.ingest.work(chunk?.chunkId ?? '')).toEqual({ outcome: 'nothing', written: 0 })
  })
})

describe('a failure that stays', () => {
  it.each<[ErrorKind, string]>([
    ['invalid', 'failed'],
    ['unauthorized', 'failed'],
    ['forbidden', 'failed'],
    ['no-permission', 'parked'],
  ])('%s is %s at once', async (kind, outcome) => {
    const run = await started()
    failWith(kind)
    expect(await world.drain({ forSec: 9 * HOUR_SEC })).toMatchObject([{ outcome, error: { kind } }])
    expect(world.relay.asked).toHaveLength(1)
    expect(await covered()).toEqual([])
    expect(await runState(run)).toBe('failed')
    expect((await world.store.run(run))?.series[0]?.error).toMatchObject({ kind })
  })

  it('internal is tried five times', async () => {
    await started()
    failWith(...Array<ErrorKind>(9).fill('internal'))
    const results = await world.drain({ forSec: HOUR_SEC })
    expect(results.map(({ outcome }) => outcome)).toEqual([...Array(4).fill('requeued'), 'failed'])
  })

  it('a contract that IBKR does not know is asked for again after an hour, and then parked', async () => {
    await started()
    failWith('not-found', 'not-found')
    expect(await world.drain()).toMatchObject([{ outcome: 'requeued', retryAfterSec: HOUR_SEC }])
    expect(await world.drain({ forSec: HOUR_SEC - 1 })).toEqual([])
    expect(await world.drain({ forSec: HOUR_SEC })).toMatchObject([{ outcome: 'parked', error: { kind: 'not-found' } }])
  })

  it('what an outage said before does not count: after timeouts a contract still gets its second look', async () => {
    await started()
    failWith('timeout', 'timeout', 'timeout', 'timeout', 'timeout', 'timeout', 'not-found', 'internal')
    const results = await world.drain({ forSec: 9 * HOUR_SEC })
    expect(results.at(-1)?.outcome).toBe('done')
    expect(await covered()).toEqual([WINDOW])
  })

  it('a schedule leaves it alone for an hour; a fetch by hand asks at once', async () => {
    await started()
    failWith('no-permission', 'no-permission')
    await world.drain()
    await world.ingest.declare({ ...DATASET, since: formatInstant(WINDOW.start) })
    await world.ingest.tick()
    const open = await world.store.due(NOW + 10, 1000)
    for (const id of open) {
      const claim = await world.store.claim(id, { now: NOW + 10, leaseSec: 0 })
      expect(claim?.window.start === WINDOW.start).toBe(false)
    }
    world.queue.messages.splice(0)
    expect((await world.ingest.start(REQUEST)).chunks).toBe(1)
  })
})

describe('a bridge', () => {
  it('that is not there fails a start as `disconnected`, and no run is made', async () => {
    const gone = world.another({
      relay: relayWith(world.relay, {
        status: () => Promise.reject(new TidegateError('disconnected', 'The bridge did not answer.')),
      }),
    })
    await expect(gone.start(REQUEST)).rejects.toMatchObject({ kind: 'disconnected' })
    expect(await world.store.outbox(10)).toEqual([])
  })

  it('that has no gateway says so, and chunks wait', async () => {
    await started()
    const { gateway, pacing } = await world.relay.status()
    const down = world.another({
      relay: relayWith(world.relay, {
        status: async () => ({ pacing, gateway: { ...gateway, state: 'down', reason: 'it logs in' } }),
      }),
    })
    const results = await world.drain({ ingest: down })
    expect(results).toMatchObject([
      { outcome: 'requeued', error: { kind: 'disconnected', message: expect.stringContaining('it logs in') } },
    ])
    expect(world.relay.asked).toEqual([])
  })
})

describe('a worker', () => {
  it('keeps out the answer of a gateway that changed between check and answer', async () => {
    await world.ingest.start(REQUEST)
    world.relay.tamper = (_, { bars, done }) => ({ bars, done: { ...done, simulated: true } })
    const [chunkId = ''] = world.queue.messages.map((message) => message.chunkId)
    expect(await world.ingest.work(chunkId)).toMatchObject({
      outcome: 'failed',
      error: { kind: 'invalid', message: expect.stringContaining('must not mix') },
    })
    expect(await world.store.series()).toMatchObject([{ bars: 0, covered: [] }])
  })

  it('hangs up on a bridge that never answers, before its lease is over', async () => {
    await world.ingest.start(REQUEST)
    const hanging = new AbortController()
    const waits: number[] = []
    const worker = world.another({
      relay: relayWith(world.relay, {
        bars: (_, signal) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(new TidegateError('timeout', 'It hangs.')))
            hanging.abort()
          }),
      }),
      timeout: (ms) => {
        waits.push(ms)
        return hanging.signal
      },
    })
    const [chunkId = ''] = world.queue.messages.map((message) => message.chunkId)
    expect(await worker.work(chunkId)).toMatchObject({ outcome: 'requeued', error: { kind: 'timeout' } })
    expect(waits.at(-1)).toBe(270_000)
  })

  it('asks with the priority that its run was given', async () => {
    await world.ingest.start({ ...REQUEST, priority: 'backfill' })
    await world.drain()
    await world.ingest.start({ ...REQUEST, specs: ['5-MINUTE-LAST'] })
    await world.drain()
    const asked = world.relay.asked.map(({ barSize, priority }) => `${barSize} ${priority}`)
    expect(new Set(asked)).toEqual(new Set(['1 min backfill', '5 mins interactive']))
  })
})
