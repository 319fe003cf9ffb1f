import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { parseInstant } from '@tidegate/core'
import { createStore, openTcp, type Store, type TcpDatabase } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { Miniflare } from 'miniflare'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { NewKeyAnswer, NewWebhookAnswer } from '../../packages/functions/src/index.ts'
import { type Gateway, historyRequests, KEY, openGateway, truth } from '../../packages/functions/test/world.ts'
import { bundle } from '../../scripts/bundle.ts'
import { type Neon, startNeon } from '../support/neon.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { startReceiver } from '../support/receiver.ts'

const AAPL = { contract: { symbol: 'AAPL', secType: 'STK', primaryExchange: 'NASDAQ' }, useRTH: true } as const
const EURUSD = { contract: { symbol: 'EUR', secType: 'CASH', currency: 'USD' }, useRTH: true } as const
/** The Worker's clock is the machine's. */
const DAY_SEC = 86_400
const today = Math.floor(Date.now() / 1000 / DAY_SEC) * DAY_SEC
const since = today - 8 * DAY_SEC

let folder = ''
let postgres: Postgres
let neon: Neon
let database: TcpDatabase
let store: Store
let gateway: Gateway & { readonly key: string }
let miniflare: Miniflare
const logged: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tidegate-worker-'))
  ;[postgres, gateway] = await Promise.all([startPostgres(), openGateway({ now: Date.now }, { listen: true })])
  const url = await postgres.freshDatabase()
  neon = await startNeon({ url })
  database = openTcp(url)
  await database.migrate()
  store = createStore(database)
  const { file } = await bundle('worker', folder)
  miniflare = new Miniflare({
    modules: true,
    script: await readFile(file, 'utf8'),
    cf: false,
    compatibilityDate: '2026-07-01',
    compatibilityFlags: ['nodejs_compat'],
    queueProducers: { CHUNKS: 'chunks' },
    queueConsumers: {
      chunks: { maxBatchSize: 5, maxBatchTimeout: 0.05, maxRetries: 5, deadLetterQueue: 'failed' },
      failed: { maxBatchSize: 5, maxBatchTimeout: 0.05 },
    },
    bindings: {
      // Neon's driver takes a host of Neon's form; what is behind the endpoint is the Postgres above.
      DATABASE_URL: 'postgres://user:password@ep-test.eu-central-1.aws.neon.tech/tidegate',
      DATABASE_HTTP_ENDPOINT: neon.endpoint,
      BRIDGE_URL: gateway.bridge.url ?? '',
      BRIDGE_KEY: gateway.key,
      BRIDGES: '[]',
      DEAD_LETTERS: 'failed',
      TIDEGATE_KEY: KEY,
      TIDEGATE_WEBHOOKS_PRIVATE: 'true',
    },
    handleRuntimeStdio(stdout: Readable, stderr: Readable) {
      for (const stream of [stdout, stderr])
        stream.on('data', (data) => logged.push(...String(data).trim().split('\n')))
    },
  })
  await miniflare.ready
}, 90_000)
afterAll(async () => {
  await miniflare?.dispose()
  await gateway?.close()
  await neon?.close()
  await database?.close()
  await postgres?.close()
  await rm(folder, { recursive: true, force: true })
})

const isoOf = (sec: number) => new Date(sec * 1000).toISOString().slice(0, 10)

const minute = async () => {
  const worker = await miniflare.getWorker()
  expect(await worker.scheduled({ cron: '* * * * *', scheduledTime: new Date() })).toMatchObject({ outcome: 'ok' })
}

const until = (check: () => unknown) => vi.waitFor(check, { timeout: 30_000, interval: 50 })

async function call<T>(method: string, url: string, body?: object): Promise<{ status: number; body: T }> {
  const answer = await miniflare.dispatchFetch(`http://tidegate.test${url}`, {
    method,
    headers: { authorization: `Bearer ${KEY}` },
    body: body && JSON.stringify(body),
  })
  return { status: answer.status, body: (await answer.json()) as T }
}

interface Entry {
  readonly level: number
  readonly msg: string
  readonly chunk?: string
}

const entries = () => logged.flatMap((line): Entry[] => (line.startsWith('{') ? [JSON.parse(line)] : []))

describe('the Worker, from its cron trigger to rows in Postgres', () => {
  it('fills a dataset: what is stored is what the market was, and covered', async () => {
    const first = {
      instruments: ['AAPL.NASDAQ'],
      specs: ['1MIN'],
      hours: 'regular',
      since: isoOf(since),
      schedule: { every: '1m' },
    }
    expect((await call('POST', '/v1/datasets', { name: 'first', ...first })).status).toBe(201)
    const second = { ...first, name: 'second', instruments: ['EUR/USD.IDEALPRO'], specs: ['5MIN'] }
    expect((await call('POST', '/v1/datasets', second)).status).toBe(201)
    await minute()
    await until(async () => {
      const series = await store.series()
      expect(series).toHaveLength(2)
      for (const one of series) expect(one.covered[0]?.end).toBeGreaterThanOrEqual(today - 3600)
      expect(await store.due(Math.floor(Date.now() / 1000), 10)).toEqual([])
    })
    for (const [name, query, barSize, whatToShow] of [
      ['AAPL.NASDAQ', AAPL, '1 min', 'TRADES'],
      ['EUR/USD.IDEALPRO', EURUSD, '5 mins', 'MIDPOINT'],
    ] as const) {
      const [series] = await store.series({ instrumentIds: [name] })
      const covered = series?.covered.at(-1)?.end ?? 0
      const expected = truth(gateway.simulator, { ...query, barSize, whatToShow, startSec: since, endSec: covered })
      expect(expected.t.length).toBeGreaterThan(1000)
      expect(series?.covered).toEqual([{ start: since, end: covered }])
      expect(await store.bars(series?.id ?? 0, { start: since, end: covered }, 1_000_000)).toEqual(expected)
    }
    expect(neon.requests()).toBeGreaterThan(0)
    expect(entries().filter(({ level }) => level >= 40)).toEqual([])
  })

  it('opens nothing new at a second trigger while everything is covered', async () => {
    // Weeks: the last one is over, and nothing more becomes final while the test runs.
    await call('DELETE', '/v1/datasets/second')
    const weeks = { instruments: ['AAPL.NASDAQ'], specs: ['1-WEEK-LAST'], since: isoOf(today - 35 * DAY_SEC) }
    expect((await call('PATCH', '/v1/datasets/first', weeks)).status).toBe(200)
    const runs = async () => (await database.rows(sql`select state from runs where source = 'tick'`)).length
    const before = await runs()
    await minute()
    expect(await runs()).toBe(before + 1)
    await until(async () => {
      const [stored] = await store.series({ specs: weeks.specs })
      expect(stored?.bars).toBeGreaterThanOrEqual(4)
    })
    const asked = historyRequests(gateway.simulator)
    await minute()
    await minute()
    expect(await runs()).toBe(before + 1)
    expect(historyRequests(gateway.simulator)).toBe(asked)
  })

  it('fills on demand over HTTP, and closes the run with its last chunk', async () => {
    const window = { start: '2026-03-02', end: '2026-03-07' }
    const request = { instruments: ['MSFT.NASDAQ'], specs: ['15-MINUTE-LAST'], ...window }
    const started = await call<{ id: string; chunks: number }>('POST', '/v1/runs', request)
    expect(started.status).toBe(202)
    await until(async () => {
      expect((await call('GET', `/v1/runs/${started.body.id}`)).body).toMatchObject({
        state: 'done',
        chunks: { done: started.body.chunks },
      })
    })
    const query = 'instrument=MSFT.NASDAQ&spec=15-MINUTE-LAST&start=2026-03-02&end=2026-03-07'
    const expected = truth(gateway.simulator, {
      ...AAPL,
      contract: { ...AAPL.contract, symbol: 'MSFT' },
      barSize: '15 mins',
      whatToShow: 'TRADES',
      startSec: parseInstant(window.start),
      endSec: parseInstant(window.end),
    })
    expect(expected.t.length).toBe(130)
    expect((await call<{ bars: unknown }>('GET', `/v1/bars?${query}`)).body.bars).toEqual(expected)
    expect((await call('GET', '/v1/status')).body).toMatchObject({ database: { ok: true }, bridge: { ok: true } })
    const refused = await miniflare.dispatchFetch('http://tidegate.test/v1/status')
    expect(refused.status).toBe(401)
    await refused.body?.cancel()
  })

  it('tells webhooks, signed, and lets in who has a key with the scope', async () => {
    const receiver = await startReceiver()
    try {
      const body = { url: `${receiver.url}/a`, events: ['run.finished'] }
      const added = await call<NewWebhookAnswer>('POST', '/v1/webhooks', body)
      expect(added.status).toBe(201)
      await store.createRun({ id: 'told', source: 'test', chunks: [], now: Math.floor(Date.now() / 1000) })
      await minute()
      await minute()
      const told = receiver.received.map((one) =>
        new Webhook(added.body.secret).verify(one.body, one.headers as Record<string, string>),
      )
      expect(told).toContainEqual(expect.objectContaining({ data: expect.objectContaining({ run: 'told' }) }))
      expect((await call('DELETE', `/v1/webhooks/${added.body.id}`)).status).toBe(200)
      const made = await call<NewKeyAnswer>('POST', '/v1/keys', { name: 'reader', scopes: ['read'] })
      const headers = { authorization: `Bearer ${made.body.key}` }
      const statuses = ['/v1/series', '/v1/keys'].map(async (path) => {
        const answer = await miniflare.dispatchFetch(`http://tidegate.test${path}`, { headers })
        await answer.body?.cancel()
        return answer.status
      })
      expect(await Promise.all(statuses)).toEqual([200, 403])
    } finally {
      await receiver.close()
    }
  })

  it('writes once what is delivered twice at once, and drops what is no chunk', async () => {
    const worker = await miniflare.getWorker()
    const details = await store.instrument('AAPL.NASDAQ')
    expect(details).toBeDefined()
    const [series] = await store.ensureSeries([
      { instrumentId: 'AAPL.NASDAQ', spec: '30-MINUTE-LAST', hours: 'regular' },
    ])
    const window = { start: parseInstant('2026-03-02'), end: parseInstant('2026-03-07') }
    const nowSec = Math.floor(Date.now() / 1000)
    const run = { id: 'twice', source: 'test', chunks: [{ seriesId: series?.id ?? 0, window }], now: nowSec }
    const [chunkId = ''] = (await store.createRun(run)).chunkIds
    const message = (id: string, body: unknown) => ({ id, timestamp: new Date(), attempts: 1, body })
    const batches = [
      [message('a', chunkId), message('b', chunkId), message('c', { chunk: chunkId })],
      [message('d', chunkId), message('e', 'nonsense')],
    ]
    const results = await Promise.all(batches.map((messages) => worker.queue('chunks', messages)))
    expect(results.map(({ outcome, explicitAcks }) => [outcome, [...explicitAcks].sort()])).toEqual([
      ['ok', ['a', 'b', 'c']],
      ['ok', ['d', 'e']],
    ])
    expect(await store.run('twice')).toMatchObject({ state: 'done', chunks: { done: 1 } })
    const commits = () => entries().filter(({ msg, chunk }) => msg === 'chunk committed' && chunk === chunkId)
    const dropped = 'a message holds no chunk id and is dropped'
    await until(() => expect(entries().filter(({ msg }) => msg === dropped)).toHaveLength(2))
    const expected = truth(gateway.simulator, {
      ...AAPL,
      barSize: '30 mins',
      whatToShow: 'TRADES',
      startSec: window.start,
      endSec: window.end,
    })
    expect(await store.bars(series?.id ?? 0, window, 1000)).toEqual(expected)
    await until(() => expect(commits()).toEqual([expect.objectContaining({ written: expected.t.length, restated: 0 })]))
  })

  it('makes a failed chunk of a dead letter, and its run tells; cancels a run', async () => {
    const worker = await miniflare.getWorker()
    const [series] = await store.ensureSeries([
      { instrumentId: 'AAPL.NASDAQ', spec: '20-MINUTE-LAST', hours: 'regular' },
    ])
    const windows = ['2026-03-02', '2026-03-09', '2026-03-16'].map((day) => {
      const start = parseInstant(day)
      return { seriesId: series?.id ?? 0, window: { start, end: start + 5 * DAY_SEC } }
    })
    // A little ago: a clock that is not yet there would leave them to their time.
    const now = Math.floor(Date.now() / 1000) - 5
    const [chunkId = ''] = (await store.createRun({ id: 'dead', source: 'test', chunks: windows.slice(0, 1), now }))
      .chunkIds
    const messages = [{ id: 'letter', timestamp: new Date(), attempts: 1, body: chunkId }]
    expect(await worker.queue('failed', messages)).toMatchObject({ outcome: 'ok', explicitAcks: ['letter'] })
    expect((await call('GET', '/v1/runs/dead')).body).toMatchObject({
      state: 'failed',
      chunks: { failed: 1, queued: 0 },
      series: [{ error: { kind: 'internal', message: expect.stringContaining('gave up') } }],
    })
    await store.createRun({ id: 'unwanted', source: 'test', chunks: windows.slice(1), now })
    const cancelled = { state: 'cancelled', chunks: { cancelled: 2 } }
    expect(await call('POST', '/v1/runs/unwanted/cancel')).toMatchObject({ status: 200, body: cancelled })
    expect(await call('POST', '/v1/runs/unwanted/cancel')).toMatchObject({ status: 200, body: cancelled })
  })

  it('cancels a run that is under way: a Worker can hang up for nobody else, and the answer is not stored', async () => {
    gateway.simulator.faults.delayMs = 500
    try {
      const asked = historyRequests(gateway.simulator)
      const request = {
        instruments: ['AAPL.NASDAQ'],
        specs: ['10-MINUTE-LAST'],
        start: '2026-03-02',
        end: '2026-03-07',
      }
      const { body: run } = await call<{ id: string }>('POST', '/v1/runs', request)
      await until(() => expect(historyRequests(gateway.simulator)).toBeGreaterThan(asked))
      const cancelled = await call('POST', `/v1/runs/${run.id}/cancel`)
      expect(cancelled).toMatchObject({ status: 200, body: { state: 'cancelled' } })
    } finally {
      gateway.simulator.faults.delayMs = 0
    }
    await until(async () => expect((await gateway.relay.status()).pacing.open).toBe(0))
    expect(await store.series({ specs: ['10-MINUTE-LAST'] })).toMatchObject([{ bars: 0, covered: [] }])
  })

  it('lets a message come again while the database is gone', async () => {
    const worker = await miniflare.getWorker()
    await postgres.stop()
    const messages = [{ id: 'later', timestamp: new Date(), attempts: 1, body: '1' }]
    const result = await worker.queue('chunks', messages)
    expect(result).toMatchObject({
      outcome: 'ok',
      explicitAcks: [],
      retryMessages: [{ msgId: 'later', delaySeconds: 30 }],
    })
    // A minute without a database is said, and is no crash: the next one comes.
    await minute()
    const failed = 'a part of the schedule failed; the next minute tries again'
    await until(() => expect(entries().map(({ msg }) => msg)).toContain(failed))
    expect((await call('GET', '/v1/status')).body).toMatchObject({ database: { ok: false } })
    await postgres.start()
    expect((await call('GET', '/v1/status')).body).toMatchObject({ database: { ok: true } })
  })
})

describe('a Worker without its settings', () => {
  it('says so to whoever asks, and what is wrong to its log alone', async () => {
    const lines: string[] = []
    const bare = new Miniflare({
      modules: true,
      script: await readFile(path.join(folder, 'worker/worker.mjs'), 'utf8'),
      cf: false,
      compatibilityDate: '2026-07-01',
      compatibilityFlags: ['nodejs_compat'],
      queueProducers: { CHUNKS: 'chunks' },
      bindings: { TIDEGATE_KEY: 'too short', BRIDGE_KEY: gateway.key },
      handleRuntimeStdio(stdout: Readable, stderr: Readable) {
        for (const stream of [stdout, stderr]) stream.on('data', (data) => lines.push(String(data)))
      },
    })
    try {
      const answer = await bare.dispatchFetch('http://tidegate.test/v1/status')
      expect(answer.status).toBe(500)
      expect(await answer.json()).toEqual({ error: { kind: 'internal', message: expect.stringContaining('log') } })
      await until(() =>
        expect(lines.join('')).toMatch(
          /TIDEGATE_KEY: expected a key of at least 32[\s\S]*BRIDGE_URL|BRIDGE_URL[\s\S]*TIDEGATE_KEY/,
        ),
      )
      expect(lines.join('')).not.toContain('too short')
    } finally {
      await bare.dispose()
    }
  })
})
