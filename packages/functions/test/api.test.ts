import { type BarColumns, parseInstant } from '@tidegate/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import type { BarsAnswer, PlanAnswer, ProgressAnswer, SeriesAnswer, StartedAnswer } from '../src/index.ts'
import { createApp } from '../src/index.ts'
import { historyRequests, KEY, openWorld, truth, type World } from './world.ts'

const AAPL = { symbol: 'AAPL', secType: 'STK', primaryExchange: 'NASDAQ' }
const WEEK = { start: '2026-03-30', end: '2026-04-04' }
const MINUTES = { instruments: ['AAPL.NASDAQ'], specs: ['1MIN'], ...WEEK }

let world: World
let closeDatabase: () => Promise<void>
beforeAll(async () => {
  const database = await freshPglite()
  closeDatabase = () => database.close()
  world = await openWorld(database)
}, 60_000)
afterAll(async () => {
  await world?.close()
  await closeDatabase?.()
})

async function fill(body: object): Promise<ProgressAnswer> {
  const { status, body: started } = await world.call<StartedAnswer>('POST', '/v1/runs', body)
  expect(status).toBe(202)
  return world.ended(started.id)
}

function minutesOf(start: string, end: string): BarColumns {
  const span = { startSec: parseInstant(start), endSec: parseInstant(end) }
  return truth(world.simulator, { contract: AAPL, barSize: '1 min', whatToShow: 'TRADES', useRTH: true, ...span })
}

describe('a fetch by HTTP', () => {
  it('says what it would take, does it, and then has nothing left to do', async () => {
    const before = await world.call<PlanAnswer>('POST', '/v1/plan', MINUTES)
    expect(before.status).toBe(200)
    expect(before.body).toMatchObject({
      requests: expect.any(Number),
      expectedSec: expect.any(Number),
      series: [
        {
          instrumentId: 'AAPL.NASDAQ',
          spec: '1-MINUTE-LAST',
          hours: 'regular',
          wanted: { start: '2026-03-30T00:00:00Z', end: '2026-04-04T00:00:00Z' },
          gaps: [{ start: '2026-03-30T00:00:00Z', end: '2026-04-04T00:00:00Z' }],
        },
      ],
    })
    expect(before.body.requests).toBeGreaterThan(0)
    expect(historyRequests(world.simulator)).toBe(0)

    const started = await world.call<StartedAnswer>('POST', '/v1/runs', MINUTES)
    expect(started.status).toBe(202)
    expect(started.headers.get('location')).toBe(`/v1/runs/${started.body.id}`)
    expect(started.body).toMatchObject({ chunks: before.body.requests, problems: [] })
    const run = await world.ended(started.body.id)
    expect(run).toMatchObject({
      state: 'done',
      chunks: { queued: 0, leased: 0, done: started.body.chunks, failed: 0, parked: 0 },
      series: [{ instrumentId: 'AAPL.NASDAQ', settled: started.body.chunks, total: started.body.chunks }],
    })
    expect(run.finishedAt).not.toBeNull()

    const expected = minutesOf(WEEK.start, WEEK.end)
    expect(expected.t.length).toBeGreaterThan(1000)
    expect(run.bars).toBe(expected.t.length)
    const got = await world.call<BarsAnswer>(
      'GET',
      `/v1/bars?instrument=AAPL.NASDAQ&spec=1MIN&start=2026-03-30&end=2026-04-04`,
    )
    expect(got.body).toEqual({
      instrumentId: 'AAPL.NASDAQ',
      spec: '1-MINUTE-LAST',
      hours: 'regular',
      bars: expected,
      next: null,
      adjustment: 0,
    })

    const after = await world.call<PlanAnswer>('POST', '/v1/plan', MINUTES)
    expect(after.body).toMatchObject({ requests: 0, expectedSec: 0, series: [{ gaps: [], requests: 0 }] })
    const asked = historyRequests(world.simulator)
    expect(await fill(MINUTES)).toMatchObject({ state: 'done', bars: 0, series: [] })
    expect(historyRequests(world.simulator)).toBe(asked)
  })

  it('gives bars a page at a time, from start to end and never one twice', async () => {
    await fill(MINUTES)
    const expected = minutesOf('2026-03-31', '2026-04-02')
    const pages: BarsAnswer[] = []
    let start: string | null = '2026-03-31'
    while (start !== null) {
      const { body }: { body: BarsAnswer } = await world.call<BarsAnswer>(
        'GET',
        `/v1/bars?instrument=AAPL.NASDAQ&spec=1-MINUTE-LAST&start=${start}&end=2026-04-02&limit=300`,
      )
      expect(body.bars.t.length).toBeGreaterThan(0)
      pages.push(body)
      start = body.next
    }
    expect(pages.slice(0, -1).every(({ bars }) => bars.t.length === 300)).toBe(true)
    expect(pages.flatMap(({ bars }) => bars.t)).toEqual(expected.t)
    expect(pages.flatMap(({ bars }) => bars.w)).toEqual(expected.w)
  })

  it('fills several series at once, keeps what can be had, and names what can not', async () => {
    const { status, body } = await world.call<StartedAnswer>('POST', '/v1/runs', {
      instruments: ['MSFT.NASDAQ', 'NOSUCH.NASDAQ', 'AAPL'],
      specs: ['DAILY', '1HOUR'],
      start: '2026-02-02',
      end: '2026-04-01',
    })
    expect(status).toBe(202)
    expect(body.problems).toEqual([
      { instrument: 'NOSUCH.NASDAQ', error: expect.objectContaining({ kind: 'not-found', code: 200 }) },
    ])
    expect(body.series.map(({ instrumentId, spec }) => `${instrumentId} ${spec}`).sort()).toEqual([
      'AAPL.NASDAQ 1-DAY-LAST',
      'AAPL.NASDAQ 1-HOUR-LAST',
      'MSFT.NASDAQ 1-DAY-LAST',
      'MSFT.NASDAQ 1-HOUR-LAST',
    ])
    expect(await world.ended(body.id)).toMatchObject({ state: 'done' })
    const listed = await world.call<SeriesAnswer>('GET', '/v1/series?instrument=MSFT.NASDAQ&spec=1-DAY-LAST')
    const days = world.simulator.truth({
      contract: { ...AAPL, symbol: 'MSFT' },
      barSize: '1 day',
      whatToShow: 'TRADES',
      useRTH: true,
      startSec: parseInstant('2026-02-02'),
      endSec: parseInstant('2026-04-01'),
    })
    expect(listed.body.series).toEqual([
      {
        instrumentId: 'MSFT.NASDAQ',
        spec: '1-DAY-LAST',
        hours: 'regular',
        bars: days.length,
        from: '2026-02-02T00:00:00Z',
        to: '2026-03-31T00:00:00Z',
        covered: [{ start: '2026-02-02T00:00:00Z', end: '2026-04-01T00:00:00Z' }],
      },
    ])
    const all = await world.call<SeriesAnswer>('GET', '/v1/series')
    expect(all.body.series.length).toBeGreaterThanOrEqual(4)
    expect((await world.call<SeriesAnswer>('GET', '/v1/series?instrument=NONE.NYSE')).body.series).toEqual([])
  })

  it('is found by a bare name that nobody asked under, and by timeframe', async () => {
    expect(await world.call<SeriesAnswer>('GET', '/v1/series?instrument=MSFT&spec=DAILY')).toMatchObject({
      status: 200,
      body: { series: [{ instrumentId: 'MSFT.NASDAQ', spec: '1-DAY-LAST' }] },
    })
    const page = '/v1/bars?instrument=msft&spec=DAILY&start=2026-02-02&end=2026-04-01'
    expect((await world.call<BarsAnswer>('GET', page)).body).toMatchObject({ instrumentId: 'MSFT.NASDAQ' })
  })

  it('counts only what is final: the minute under way and what is ahead are neither stored nor covered', async () => {
    const today = { instruments: ['AAPL.NASDAQ'], specs: ['5MIN'], start: '2026-04-08', end: '2026-04-10' }
    await fill(today)
    const { body } = await world.call<SeriesAnswer>('GET', '/v1/series?instrument=AAPL.NASDAQ&spec=5-MINUTE-LAST')
    const nowSec = world.clock.now() / 1000
    const [series] = body.series
    expect(parseInstant(series?.covered.at(-1)?.end ?? '')).toBeLessThanOrEqual(nowSec)
    expect(parseInstant(series?.to ?? '') + 300).toBeLessThanOrEqual(nowSec)
    const { body: got } = await world.call<BarsAnswer>(
      'GET',
      '/v1/bars?instrument=AAPL&spec=5MIN&start=2026-04-08&end=2026-04-10',
    )
    const last = series?.covered.at(-1)?.end ?? ''
    const expected = truth(world.simulator, {
      contract: AAPL,
      barSize: '5 mins',
      whatToShow: 'TRADES',
      useRTH: true,
      startSec: parseInstant('2026-04-08'),
      endSec: parseInstant(last),
    })
    expect(got.bars).toEqual(expected)
  })
})

describe('the hours of a request that does not say', () => {
  it('are those of the settings', async () => {
    const { ingest, store } = world.functions
    const app = createApp({ ingest, store, relay: world.relay, log: world.log, keys: [KEY], hours: 'all' })
    const plan = async (body: object) => {
      const headers = { authorization: `Bearer ${KEY}` }
      const answer = await app.request('/v1/plan', { method: 'POST', headers, body: JSON.stringify(body) })
      return ((await answer.json()) as PlanAnswer).series.map(({ hours }) => hours)
    }
    expect(await plan(MINUTES)).toEqual(['all'])
    expect(await plan({ ...MINUTES, hours: 'regular' })).toEqual(['regular'])
  })
})
