import { createStore, openTcp, type TcpDatabase } from '@tidegate/db'
import { createIngest } from '@tidegate/ingest'
import { createRelay } from '@tidegate/relay'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Postgres, startPostgres } from '../../../test/support/postgres.ts'
import { createApp, type ErrorAnswer, type StatusAnswer } from '../src/index.ts'
import { historyRequests, KEY, openWorld, type World } from './world.ts'

const MINUTES = { instruments: ['AAPL.NASDAQ'], specs: ['1MIN'], start: '2026-03-30', end: '2026-04-04' }

let postgres: Postgres
let database: TcpDatabase
let world: World
beforeAll(async () => {
  postgres = await startPostgres()
  database = openTcp(await postgres.freshDatabase())
  await database.migrate()
  world = await openWorld(database)
}, 60_000)
afterAll(async () => {
  // Nothing of what this file asks for may have got as far as the gateway's history.
  expect(historyRequests(world.simulator)).toBe(0)
  await world?.close()
  await database?.close()
  await postgres?.close()
})

describe('what is refused', () => {
  const refused = async (method: string, path: string, body?: unknown) => {
    const answer = await world.call<ErrorAnswer>(method, path, body)
    return { status: answer.status, ...answer.body.error }
  }
  const bars = (query: string) => `/v1/bars?${query}`

  it.each([
    ['a malformed id', { instruments: ['AAPL..'] }, /AAPL\.\./],
    ['start = end', { start: '2026-04-01', end: '2026-04-01' }, /2026-04-01/],
    ['start after end', { start: '2026-04-02', end: '2026-04-01' }, /start/],
    ['a date that is none', { start: '2024-02-30' }, /2024-02-30/],
    ['a time in no known form', { end: 'tomorrow' }, /tomorrow/],
    ['an unknown spec', { specs: ['1-FORTNIGHT-LAST'] }, /1-FORTNIGHT-LAST/],
    ['a spec that IBKR has no bar size for', { specs: ['7-MINUTE-LAST'] }, /7-MINUTE-LAST/],
    ['unknown hours', { hours: 'sometimes' }, /regular or all/],
    ['no instruments', { instruments: [] }, /instruments/],
    ['a missing list', { specs: undefined }, /specs/],
    ['an unknown field', { instrument: 'AAPL' }, /instrument: there is no such field/],
    [
      'too many series',
      { instruments: Array.from({ length: 600 }, (_, i) => `A${i}`), specs: ['1MIN', 'DAILY'] },
      /1200|600/,
    ],
    ['a control character', { instruments: ['AA\u0000PL'] }, /instruments/],
    ['half a character', { instruments: ['AA\ud800=STK.SMART'] }, /instruments/],
  ])('%s', async (_, change, expected) => {
    for (const path of ['/v1/runs', '/v1/plan']) {
      const error = await refused('POST', path, { ...MINUTES, ...change })
      expect(error).toMatchObject({ status: 400, kind: 'invalid', message: expect.stringMatching(expected) })
    }
  })

  it('every fault of a request at once', async () => {
    const { message } = await refused('POST', '/v1/plan', {
      ...MINUTES,
      specs: ['nonsense'],
      start: '2024-02-30',
      hours: 'x',
    })
    expect(message).toMatch(/nonsense/)
    expect(message).toMatch(/2024-02-30/)
    expect(message).toMatch(/regular or all/)
  })

  it('a body that is no JSON, no object, or too big', async () => {
    expect(await refused('POST', '/v1/runs', '{"instruments": [')).toMatchObject({
      status: 400,
      message: 'The body is no JSON.',
    })
    expect(await refused('POST', '/v1/runs', '[]')).toMatchObject({ status: 400, kind: 'invalid' })
    expect(await refused('POST', '/v1/runs', { ...MINUTES, specs: ['x'.repeat(300_000)] })).toMatchObject({
      status: 400,
      message: expect.stringContaining('256 KiB'),
    })
  })

  it.each([
    ['start after end', 'instrument=AAPL&spec=1MIN&start=2026-04-02&end=2026-04-01', /start/],
    ['a date that is none', 'instrument=AAPL&spec=1MIN&start=2026-02-30&end=2026-04-01', /2026-02-30/],
    ['a limit of none', 'instrument=AAPL&spec=1MIN&start=2026-04-01&end=2026-04-02&limit=0', /1 to 50000/],
    ['a limit too high', 'instrument=AAPL&spec=1MIN&start=2026-04-01&end=2026-04-02&limit=50001', /1 to 50000/],
    ['no spec', 'instrument=AAPL&start=2026-04-01&end=2026-04-02', /spec/],
    [
      'an unknown parameter',
      'instrument=AAPL&spec=1MIN&start=2026-04-01&end=2026-04-02&page=2',
      /page: there is no such/,
    ],
  ])('of bars: %s', async (_, query, expected) => {
    expect(await refused('GET', bars(query))).toMatchObject({ status: 400, message: expect.stringMatching(expected) })
  })

  it.each([
    ['GET', '/v1/runs?dataset=%00'],
    ['GET', '/v1/runs/%00'],
    ['GET', '/v1/series?instrument=%00'],
    ['GET', '/v1/coverage?instrument=%01'],
    ['GET', '/v1/webhooks/%00/deliveries'],
    ['POST', '/v1/webhooks/%00/test'],
    ['POST', '/v1/deliveries/a%00/redo'],
    ['DELETE', '/v1/webhooks/%7f'],
    ['DELETE', '/v1/hooks/%00'],
    ['PUT', '/v1/hooks/h', { dataset: '\u0000' }],
    ['PUT', '/v1/hooks/h', { dataset: '\ud800' }],
    ['POST', '/v1/plan', { dataset: '\ud800' }],
    ['POST', '/v1/keys', { name: '\ud800', scopes: ['read'] }],
    ['POST', '/v1/webhooks', { url: 'https://example.com/\u0000', events: ['\u0000'] }],
  ])('what Postgres could not hold: %s %s %j', async (method, path, body?: object) => {
    expect(await refused(method, path, body)).toMatchObject({ status: 400, kind: 'invalid' })
  })

  it.each(['0', '201', '1.5', 'x'])('a limit of runs that is %s', async (limit) => {
    expect(await refused('GET', `/v1/runs?limit=${limit}`)).toMatchObject({
      status: 400,
      message: 'The request is not as expected. limit: expected a whole number from 1 to 200.',
    })
  })

  it('what is not there', async () => {
    expect(await refused('POST', '/v1/runs', { ...MINUTES, instruments: ['NOSUCH.NASDAQ'] })).toMatchObject({
      status: 404,
      kind: 'not-found',
      message: expect.stringContaining('NOSUCH.NASDAQ'),
    })
    expect(await refused('GET', bars('instrument=IBM.NYSE&spec=1MIN&start=2026-04-01&end=2026-04-02'))).toMatchObject({
      status: 404,
      message: expect.stringContaining('IBM.NYSE 1-MINUTE-LAST'),
    })
    expect(await refused('GET', '/v1/runs/no-such-run')).toMatchObject({
      status: 404,
      message: 'There is no run "no-such-run".',
    })
    expect(await refused('GET', `/v1/runs/${'x'.repeat(200)}`)).toMatchObject({ status: 404 })
    expect(await refused('GET', '/v1/nothing')).toMatchObject({
      status: 404,
      message: 'There is no GET /v1/nothing here.',
    })
  })
})

describe('keys', () => {
  const ask = (path: string, authorization?: string) =>
    world.functions.fetch(
      new Request(`http://tidegate.test${path}`, { headers: authorization === undefined ? {} : { authorization } }),
    )

  it('are needed for everything but /health', async () => {
    expect((await ask('/health')).status).toBe(200)
    for (const authorization of [
      undefined,
      '',
      KEY,
      'Bearer',
      `Bearer ${KEY}x`,
      `Bearer ${KEY.slice(1)}`,
      `Basic ${KEY}`,
    ]) {
      for (const path of ['/v1/status', '/v1/series', '/v1/bars', '/v1/runs/x', '/nothing']) {
        const answer = await ask(path, authorization)
        expect(answer.status).toBe(401)
        expect(answer.headers.get('www-authenticate')).toBe('Bearer')
        expect(await answer.json()).toEqual({
          error: { kind: 'unauthorized', message: expect.stringContaining('TIDEGATE_KEY') },
        })
      }
    }
    expect((await ask('/v1/status', `bearer ${KEY}`)).status).toBe(200)
  })

  it('may be two while they are rotated, and never short', async () => {
    const { ingest, store } = world.functions
    const parts = { ingest, store, relay: world.relay, log: world.log }
    const app = createApp({ ...parts, keys: [KEY, 'n'.repeat(32)] })
    for (const key of [KEY, 'n'.repeat(32)]) {
      expect((await app.request('/v1/status', { headers: { authorization: `Bearer ${key}` } })).status).toBe(200)
    }
    expect(() => createApp({ ...parts, keys: [KEY, 'short'] })).toThrow(/at least 32/)
    expect(() => createApp({ ...parts, keys: [] })).toThrow(/TIDEGATE_KEY/)
  })
})

describe('the status', () => {
  it('says how database and bridge are', async () => {
    const { body } = await world.call<StatusAnswer>('GET', '/v1/status')
    expect(body).toMatchObject({
      database: { ok: true },
      bridge: { ok: true, gateway: { state: 'ready', simulated: true, mode: 'paper' } },
    })
  })
})

describe('a bridge that is not there', () => {
  it('is named by the status and by a fetch, and nothing is begun', async () => {
    const store = createStore(database)
    const relay = createRelay({ url: 'http://127.0.0.1:1', key: KEY })
    const unused = async (): Promise<never> => Promise.reject(new Error('nothing is to be queued'))
    const ingest = createIngest({
      store,
      relay,
      queue: { send: unused, consume: unused },
      now: world.clock.now,
      random: () => 0,
      newId: () => crypto.randomUUID(),
      log: world.log,
    })
    const app = createApp({ ingest, store, relay, log: world.log, keys: [KEY] })
    const headers = { authorization: `Bearer ${KEY}` }
    const status = await app.request('/v1/status', { headers })
    const error = { kind: 'disconnected', message: expect.stringContaining('BRIDGE_URL') }
    expect(status.status).toBe(200)
    expect(await status.json()).toMatchObject({ database: { ok: true }, bridge: { ok: false, error } })
    const fetched = await app.request('/v1/runs', { method: 'POST', headers, body: JSON.stringify(MINUTES) })
    expect(fetched.status).toBe(503)
    expect(await fetched.json()).toMatchObject({ error })
    expect(await store.due(Math.floor(world.clock.now() / 1000), 1)).toEqual([])
  })
})
