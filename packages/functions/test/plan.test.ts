import { TidegateError } from '@tidegate/core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import type { ErrorAnswer, PlanAnswer, StartedAnswer } from '../src/index.ts'
import { createApp } from '../src/index.ts'
import { historyRequests, KEY, openWorld, type World } from './world.ts'

const DATASET = {
  name: 'stocks',
  instruments: ['AAPL.NASDAQ'],
  specs: ['DAILY'],
  since: '2026-03-02',
  hours: 'regular',
  schedule: { every: '1h' },
} as const
/** Small bars of more than six months ago, and of a day since. */
const SMALL = { instruments: ['AAPL.NASDAQ'], specs: ['30-SECOND-BID_ASK'], start: '2025-04-01', end: '2025-10-11' }

let world: World
let database: Awaited<ReturnType<typeof freshPglite>>
beforeAll(async () => {
  database = await freshPglite()
  world = await openWorld(database)
}, 60_000)
beforeEach(() => wipe(database))
afterAll(async () => {
  await world?.close()
  await database?.close()
})

const plan = <T = PlanAnswer>(body: unknown) => world.call<T>('POST', '/v1/plan', body)

describe('a plan by HTTP', () => {
  it('tells weight, what can never be had, the time it takes and the rule that binds', async () => {
    const { status, body } = await plan(SMALL)
    expect(status).toBe(200)
    const [series] = body.series
    expect(series).toMatchObject({
      instrumentId: 'AAPL.NASDAQ',
      unavailable: [{ windows: [{ start: '2025-04-01T00:00:00Z' }], why: expect.stringContaining('six months') }],
      gaps: [{ end: '2025-10-11T00:00:00Z' }],
      weight: 2 * (series?.requests ?? 0),
      refusal: null,
    })
    expect(series?.unavailable[0]?.windows[0]?.end).toBe(series?.gaps[0]?.start)
    expect(body).toMatchObject({ requests: series?.requests, weight: series?.weight })
    const long = await plan({ ...SMALL, start: '2025-12-01', end: '2026-04-01' })
    expect(long.body.boundBy).toBe('small bars')
    expect(long.body.expectedSec).toBe(600 * (Math.ceil(long.body.weight / 60) - 1))
    const nothing = await plan({ ...SMALL, start: '2025-04-01', end: '2025-04-02' })
    expect(nothing.body).toMatchObject({
      requests: 0,
      weight: 0,
      expectedSec: 0,
      boundBy: null,
      series: [{ gaps: [] }],
    })
    expect(historyRequests(world.simulator)).toBe(0)
  })

  it('of a declared dataset is by its name alone', async () => {
    await world.call('POST', '/v1/datasets', DATASET)
    await world.functions.ingest.tick()
    expect((await plan({ dataset: 'stocks' })).body.series).toMatchObject([
      { instrumentId: 'AAPL.NASDAQ', spec: '1-DAY-LAST', hours: 'regular', wanted: { start: '2026-03-02T00:00:00Z' } },
    ])
    const none = await plan<ErrorAnswer>({ dataset: 'none' })
    expect([none.status, none.body.error.message]).toEqual([404, expect.stringContaining('no dataset "none"')])
    const both = await plan<ErrorAnswer>({ dataset: 'stocks', ...SMALL })
    expect([both.status, both.body.error.message]).toEqual([400, expect.stringContaining('there is no such field')])
    for (const bad of [{ dataset: 7 }, { dataset: '' }, [], 'stocks', null]) {
      expect((await plan<ErrorAnswer>(bad)).body.error.kind, JSON.stringify(bad)).toMatch(/invalid|not-found/)
    }
  })

  it('tells of a permission that is missing so far', async () => {
    const {
      relay,
      functions: { store },
    } = world
    const refused = new TidegateError('no-permission', 'No market data permissions for NASDAQ STK', { code: 162 })
    const { contract, ...rest } =
      (
        await relay.contracts({ contract: { secType: 'STK', symbol: 'AAPL', exchange: 'SMART', currency: 'USD' } })
      )[0] ?? expect.fail()
    await store.putInstrument('AAPL.NASDAQ', { contract, ...rest }, 0)
    const [series] = await store.ensureSeries([
      { instrumentId: 'AAPL.NASDAQ', spec: '1-MINUTE-LAST', hours: 'regular' },
    ])
    const window = { start: 1_772_000_000 - (1_772_000_000 % 60), end: 1_772_000_040 + 3600 }
    const { chunkIds } = await store.createRun({
      id: 'r',
      source: 'test',
      chunks: [{ seriesId: series?.id ?? 0, window }],
      now: 0,
    })
    const claim = await store.claim(chunkIds[0] ?? '', { now: 0, leaseSec: 1 })
    await store.giveUp(claim ?? expect.fail(), 'parked', refused.toJSON(), 1_772_100_000)
    const { body } = await plan({
      instruments: ['AAPL.NASDAQ'],
      specs: ['1HOUR'],
      start: '2026-03-02',
      end: '2026-03-04',
    })
    expect(body.series[0]?.refusal).toEqual({
      spec: '1-MINUTE-LAST',
      message: 'No market data permissions for NASDAQ STK',
      code: 162,
      at: '2026-02-26T10:00:00Z',
    })
  })
})

it('a run that does not hold all says how many requests remain', async () => {
  const keys = [KEY]
  const {
    relay,
    functions: { store },
  } = world
  const started = { runId: 'r', chunks: 10_000, remaining: 7, series: [], problems: [] }
  const ingest = { ...world.functions.ingest, start: async () => started }
  const quiet = { info: () => {}, warn: () => {}, error: () => {} }
  const app = createApp({ ingest, store, relay, keys, log: quiet })
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
  const answer = await app.request('/v1/runs', { method: 'POST', headers, body: JSON.stringify(SMALL) })
  expect((await answer.json()) as StartedAnswer).toMatchObject({ id: 'r', chunks: 10_000, remaining: 7 })
})
