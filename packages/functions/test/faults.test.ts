import { systemClock } from '@tidegate/bridge'
import { parseInstant, TidegateError } from '@tidegate/core'
import { createStore, type Database, openTcp } from '@tidegate/db'
import { createIngest, type Ingest } from '@tidegate/ingest'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Postgres, startPostgres } from '../../../test/support/postgres.ts'
import type {
  BarsAnswer,
  ErrorAnswer,
  ProgressAnswer,
  SeriesAnswer,
  StartedAnswer,
  StatusAnswer,
} from '../src/index.ts'
import { historyRequests, openWorld, truth, type World } from './world.ts'

const DAY = { instruments: ['AAPL.NASDAQ'], specs: ['1MIN'], start: '2026-04-01', end: '2026-04-02' }
/** How long the bridge waits for the gateway; it waits for nothing else that long. */
const PATIENCE_MS = 12_345
/** After so long the bridge may put the same question again. */
const TWIN_SEC = 16
const until = (check: () => unknown) => vi.waitFor(check, { timeout: 15_000, interval: 10 })

let postgres: Postgres
let database: Database
let world: World
let patience: Patience
beforeAll(async () => {
  postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres?.close())

beforeEach(async () => {
  database = openTcp(await postgres.freshDatabase())
  await database.migrate()
  patience = holdPatience()
  world = await openWorld(database, { requestTimeoutMs: PATIENCE_MS })
})
afterEach(async () => {
  patience.letGo()
  await world.close()
  await database.close()
})

interface Patience {
  /** The bridge has waited long enough for all that it waits for. */
  runOut(): void
  /** From now on it is the machine's clock that tells. */
  letGo(): void
}

/** The patience of the next bridge runs out when a test says so: however busy the machine, a gateway that answers is in time. */
function holdPatience(): Patience {
  const { after } = systemClock
  const waiting = new Set<() => void>()
  let isHeld = true
  const spy = vi.spyOn(systemClock, 'after').mockImplementation((ms, run) => {
    if (!isHeld || ms !== PATIENCE_MS) return after(ms, run)
    waiting.add(run)
    return () => waiting.delete(run)
  })
  const runOut = () => {
    for (const run of waiting) {
      waiting.delete(run)
      run()
    }
  }
  return {
    runOut,
    letGo() {
      isHeld = false
      spy.mockRestore()
      runOut()
    },
  }
}

async function start(): Promise<StartedAnswer> {
  const { status, body } = await world.call<StartedAnswer>('POST', '/v1/runs', DAY)
  expect(status).toBe(202)
  expect(body.chunks).toBe(1)
  return body
}

async function progress(id: string): Promise<ProgressAnswer> {
  return (await world.call<ProgressAnswer>('GET', `/v1/runs/${id}`)).body
}

/** What is stored and covered of the one series that the tests ask for. */
async function stored() {
  const { body } = await world.call<SeriesAnswer>('GET', '/v1/series')
  const [series] = body.series
  return { bars: series?.bars, covered: series?.covered }
}

/** The next history that is asked for is the chunk's bars, and not its venue's sessions. */
function withoutSessions(): void {
  world.relay.sessions = async () => {
    throw new TidegateError('timeout', 'these tests have no sessions')
  }
}

const NOTHING = { bars: 0, covered: [] }
const ALL_COVERED = [{ start: '2026-04-01T00:00:00Z', end: '2026-04-02T00:00:00Z' }]

async function expectTruth(): Promise<void> {
  const query = 'instrument=AAPL.NASDAQ&spec=1MIN&start=2026-04-01&end=2026-04-02'
  const { body } = await world.call<BarsAnswer>('GET', `/v1/bars?${query}`)
  const expected = truth(world.simulator, {
    contract: { symbol: 'AAPL', secType: 'STK', primaryExchange: 'NASDAQ' },
    barSize: '1 min',
    whatToShow: 'TRADES',
    useRTH: true,
    startSec: parseInstant(DAY.start),
    endSec: parseInstant(DAY.end),
  })
  expect(expected.t).toHaveLength(390)
  expect(body.bars).toEqual(expected)
  expect(await stored()).toEqual({ bars: 390, covered: ALL_COVERED })
}

describe('a gateway that fails', () => {
  it('never answers: the chunk waits its turn again, nothing counts as empty, and later it is filled', async () => {
    world.simulator.faults.silentHistory = true
    const { id } = await start()
    const schedules = () => world.simulator.received.filter(({ fields }) => fields.includes('SCHEDULE')).length
    for (const asked of [schedules, () => historyRequests(world.simulator)]) {
      await until(() => expect(asked()).toBe(1))
      patience.runOut()
    }
    await until(async () =>
      expect(await progress(id)).toMatchObject({
        state: 'open',
        chunks: { queued: 1, done: 0, failed: 0 },
        series: [{ error: { kind: 'timeout' } }],
      }),
    )
    expect(await stored()).toEqual(NOTHING)
    world.simulator.faults.silentHistory = false
    world.clock.advance(TWIN_SEC)
    expect(await world.ended(id)).toMatchObject({ state: 'done', bars: 390 })
    expect(historyRequests(world.simulator)).toBeGreaterThan(1)
    await expectTruth()
  })

  it('closes in the middle of its reply: nothing half-written, and the bridge asks again once it may', async () => {
    withoutSessions()
    world.simulator.faults.dropMidReply = 1
    const { id } = await start()
    await until(() => expect(world.bridge.status().state).toBe('down'))
    expect(await stored()).toEqual(NOTHING)
    world.clock.advance(TWIN_SEC)
    expect(await world.ended(id)).toMatchObject({ state: 'done', bars: 390 })
    expect(historyRequests(world.simulator)).toBe(2)
    await expectTruth()
  })

  it('refuses for its pacing beyond the patience of a worker: the chunk is put back, not failed', async () => {
    withoutSessions()
    world.simulator.faults.refuseHistory = {
      times: 3,
      text: 'Historical Market Data Service error message:Historical data request pacing violation',
    }
    const { id } = await start()
    for (const asked of [1, 2]) {
      await until(() => expect(historyRequests(world.simulator)).toBe(asked))
      world.clock.advance(TWIN_SEC)
    }
    await until(async () => expect(await progress(id)).toMatchObject({ series: [{ error: { kind: 'pacing' } }] }))
    expect(historyRequests(world.simulator)).toBe(3)
    expect(await progress(id)).toMatchObject({ state: 'open', chunks: { failed: 0, parked: 0 } })
    expect(await stored()).toEqual(NOTHING)
  })
})

describe('a database that goes away', () => {
  it('in the middle of a run: the chunk is not lost, and goes on when the database is back', async () => {
    const answer = Promise.withResolvers<void>()
    world.hold = answer.promise
    const { id } = await start()
    await until(() => expect(historyRequests(world.simulator)).toBe(1))
    await postgres.stop()
    answer.resolve()
    await until(() => expect(world.log.messages()).toContain('a chunk could not be worked on'))

    const refused = await world.call<ErrorAnswer>('GET', '/v1/series')
    expect(refused).toMatchObject({ status: 500, body: { error: { kind: 'database' } } })
    expect(refused.body.error.message).not.toContain('a%20b')
    expect((await world.call<ErrorAnswer>('POST', '/v1/runs', DAY)).status).toBe(500)
    const status = await world.call<StatusAnswer>('GET', '/v1/status')
    expect(status.body).toMatchObject({ database: { ok: false, error: { kind: 'database' } }, bridge: { ok: true } })
    expect((await world.call('GET', '/health')).status).toBe(200)

    await postgres.start()
    expect(await stored()).toEqual(NOTHING)
    // Its worker is taken to be dead once the lease is over, and the sweep sends it round again.
    world.clock.advance(600)
    await until(async () => expect(await world.functions.ingest.sweep()).toMatchObject({ sent: 1 }))
    expect(await world.ended(id)).toMatchObject({ state: 'done', bars: 390 })
    await expectTruth()
  })
})

describe('the same chunk delivered twice at once', () => {
  /** Another worker over the same database, as a second process would be. */
  async function withWorkers<T>(count: number, run: (workers: readonly Ingest[]) => Promise<T>): Promise<T> {
    const databases = Array.from({ length: count }, () => openTcp(database.driver === 'tcp' ? urlOf(database) : ''))
    const workers = databases.map((own) =>
      createIngest({
        store: createStore(own),
        relay: world.relay,
        queue: { send: async () => {}, consume: async () => {} },
        now: world.clock.now,
        random: () => 0,
        newId: () => crypto.randomUUID(),
        log: world.log,
      }),
    )
    try {
      return await run(workers)
    } finally {
      await Promise.all(databases.map((own) => own.close()))
    }
  }

  const urlOf = (open: Database) => (open as ReturnType<typeof openTcp>).url

  const request = {
    instruments: DAY.instruments,
    specs: DAY.specs,
    hours: 'regular' as const,
    window: { start: parseInstant(DAY.start), end: parseInstant(DAY.end) },
  }

  async function dueChunk(): Promise<string> {
    const [chunkId] = await world.functions.store.due(Math.floor(world.clock.now() / 1000), 1)
    if (chunkId === undefined) throw new Error('no chunk is due')
    return chunkId
  }

  it('is asked for once and written once', async () => {
    await withWorkers(4, async (workers) => {
      await workers[0]?.start(request)
      const chunkId = await dueChunk()
      const results = await Promise.all(workers.map((worker) => worker.work(chunkId)))
      expect(results.map(({ outcome }) => outcome).sort()).toEqual(['done', 'nothing', 'nothing', 'nothing'])
      expect(results.reduce((sum, { written }) => sum + written, 0)).toBe(390)
      expect(historyRequests(world.simulator)).toBe(1)
    })
    await expectTruth()
  })

  it('again after its lease ran out: the second worker commits, the first one finds its fence gone', async () => {
    await withWorkers(2, async ([slow, quick]) => {
      await slow?.start(request)
      const chunkId = await dueChunk()
      const answer = Promise.withResolvers<void>()
      world.hold = answer.promise
      const late = slow?.work(chunkId)
      await until(() => expect(historyRequests(world.simulator)).toBe(1))
      world.clock.advance(301)
      world.hold = undefined
      expect(await quick?.work(chunkId)).toEqual({ outcome: 'done', written: 390 })
      answer.resolve()
      expect(await late).toEqual({ outcome: 'nothing', written: 0 })
    })
    await expectTruth()
  })
})

describe('closing', () => {
  it('waits for the chunks under way, and what they brought is stored', async () => {
    const answer = Promise.withResolvers<void>()
    world.hold = answer.promise
    await start()
    await until(() => expect(historyRequests(world.simulator)).toBe(1))
    let closed = false
    const closing = world.functions.close().then(() => {
      closed = true
    })
    // More than long enough for a close that waits for nothing.
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(closed).toBe(false)
    answer.resolve()
    await closing
    await expectTruth()
  })
})
