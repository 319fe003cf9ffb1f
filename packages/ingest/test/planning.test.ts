import { parseInstant, TidegateError, type Window } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { DATASET, eachWorld } from './world.ts'

const at = parseInstant
const DAY_SEC = 86_400
/** A Thursday. */
const NOW = at('2026-03-12T12:00Z')

const { database, world } = eachWorld(NOW)

function requestFor(spec: string, start: string, end = '2026-03-12') {
  const window = { start: at(start), end: at(end) }
  return { instruments: ['AAPL'], specs: [spec], hours: 'regular', window } as const
}

async function covered(state: 'filled' | 'empty' | 'unavailable'): Promise<Window[]> {
  return database.rows<Window>(sql`
    select extract(epoch from lower(w))::float8 as start, extract(epoch from upper(w))::float8 as "end"
    from coverage, unnest(windows) w where state = ${state} order by w`)
}

describe('what can never be had', () => {
  const edge = at('2025-09-11')

  it('is told by the plan, covered as unavailable before anything is asked, and asked for by nothing', async () => {
    const request = requestFor('30-SECOND-LAST', '2025-03-01', '2025-09-12')
    const plan = await world.ingest.plan(request)
    expect(plan).toMatchObject({ requests: 4, weight: 4 })
    expect(plan.series).toMatchObject([
      {
        gaps: [{ start: edge, end: request.window.end }],
        unavailable: [
          { windows: [{ start: request.window.start, end: edge }], why: expect.stringContaining('six months') },
        ],
      },
    ])
    expect(await world.ingest.start(request)).toMatchObject({ chunks: 4, remaining: 0 })
    expect(await covered('unavailable')).toEqual([{ start: request.window.start, end: edge }])
    expect(world.relay.asked).toEqual([])
    // It is said again, for whoever looks.
    expect((await world.ingest.plan(request)).series).toMatchObject([
      { unavailable: [{ windows: [{ start: request.window.start, end: edge }] }] },
    ])
  })

  it('of which all is, opens a run without chunks, done at once', async () => {
    const { runId, chunks } = await world.ingest.start(requestFor('5-SECOND-LAST', '2025-03-01', '2025-04-01'))
    expect(chunks).toBe(0)
    expect(await world.store.run(runId)).toMatchObject({ state: 'done' })
  })

  it('takes nothing back from what was once had', async () => {
    const request = requestFor('5-SECOND-LAST', '2025-09-11', '2025-09-11T15:00Z')
    await world.ingest.start(request)
    await world.drain()
    const had = await covered('filled')
    expect(had).toEqual([request.window])
    world.clock.nowMs += 30 * DAY_SEC * 1000
    const later = requestFor('5-SECOND-LAST', '2025-09-01', '2025-09-20')
    await world.ingest.start(later)
    expect(await covered('filled')).toEqual(had)
    expect(await covered('unavailable')).toEqual([
      { start: later.window.start, end: request.window.start },
      { start: request.window.end, end: later.window.end },
    ])
  })
})

describe('what IBKR answers up to now only', () => {
  it('is one request to now for all of it, whatever was missing; then not before there is more', async () => {
    const request = requestFor('1-HOUR-ADJUSTED_LAST', '2025-10-01', '2025-11-01')
    expect(await world.ingest.plan(request)).toMatchObject({ requests: 1 })
    await world.ingest.start(request)
    await world.drain()
    expect(world.relay.asked.filter(({ end }) => end === undefined)).toHaveLength(1)
    expect(world.relay.asked).toHaveLength(1)
    const [window, ...others] = await covered('filled')
    expect(others).toEqual([])
    expect(window?.start).toBe(request.window.start)
    expect(window?.end).toBeGreaterThan(NOW - 2 * 3600)
    expect(await world.ingest.start(requestFor('1-HOUR-ADJUSTED_LAST', '2025-10-01', '2026-03-01'))).toMatchObject({
      chunks: 0,
    })
  })

  it('that one request does not reach is unavailable, and why is said', async () => {
    const request = requestFor('1-HOUR-ADJUSTED_LAST', '2023-01-02', '2023-06-01')
    expect((await world.ingest.plan(request)).series).toMatchObject([
      {
        requests: 0,
        gaps: [],
        unavailable: [{ windows: [request.window], why: expect.stringContaining('up to now only') }],
      },
    ])
    expect(await world.ingest.start(request)).toMatchObject({ chunks: 0 })
    expect(await covered('unavailable')).toEqual([request.window])
  })

  it('is asked whole once a day, and from its first gap on in between; one request is open at a time', async () => {
    await world.ingest.declare({
      ...DATASET,
      instruments: ['AAPL.NASDAQ'],
      specs: ['1-HOUR-ADJUSTED_LAST'],
      since: '2026-02-02',
      schedule: { every: '1h' },
    })
    const durations: string[] = []
    // From Thursday noon in Europe, before New York opens, to Friday evening.
    for (let hour = 0; hour < 34; hour += 3) {
      await world.ingest.startDataset(DATASET.name)
      expect((await world.ingest.startDataset(DATASET.name)).chunks).toBe(0)
      expect((await world.ingest.tick()).chunks).toBe(0)
      const ids = await world.store.due(world.clock.nowMs / 1000, 10)
      expect(ids.length).toBeLessThanOrEqual(1)
      const asked = world.relay.asked.length
      await world.drain()
      const [request] = world.relay.asked.slice(asked)
      if (request) durations.push(request.duration)
      world.clock.nowMs += 3 * 3600 * 1000
    }
    const wholes = durations.filter((duration) => Number.parseInt(duration, 10) > 20)
    expect(wholes.length).toBe(2)
    expect(durations.length).toBeGreaterThan(4)
    expect((await world.store.series())[0]?.covered).toHaveLength(1)
  })
})

describe('a request that times out', () => {
  const slowBeyond = (days: number) => {
    world.relay.tamper = ({ duration }, answer) => {
      if (Number.parseInt(duration, 10) > days) throw new TidegateError('timeout', 'no answer in 60 s')
      return answer
    }
  }

  it('is asked in halves, and later plans are cut as short; nothing is lost or asked for twice', async () => {
    slowBeyond(5)
    const request = requestFor('1-MINUTE-LAST', '2026-01-05', '2026-01-26')
    const planned = (await world.ingest.plan(request)).requests
    const { runId, chunks } = await world.ingest.start(request)
    expect(chunks).toBe(planned)
    await world.drain({ forSec: 3600 })
    expect(await covered('filled')).toEqual([request.window])
    const run = await world.store.run(runId)
    expect(run?.chunks).toMatchObject({ queued: 0, leased: 0, failed: 0, cancelled: 0 })
    expect(run?.chunks.done).toBeGreaterThan(chunks)
    expect(await world.store.spans(0)).toMatchObject([{ spec: '1-MINUTE-LAST', secType: 'STK', hours: 'regular' }])
    const before = world.relay.asked.length
    const again = requestFor('1-MINUTE-LAST', '2025-11-03', '2025-11-24')
    expect((await world.ingest.plan(again)).requests).toBeGreaterThan(planned)
    await world.ingest.start(again)
    await world.drain({ forSec: 60 })
    expect(world.relay.asked.slice(before).map(({ duration }) => Number.parseInt(duration, 10))).not.toContain(10)
    expect(world.relay.asked.slice(before).every(({ duration }) => Number.parseInt(duration, 10) <= 5)).toBe(true)
  })

  it('and is short teaches nothing, and waits as any other', async () => {
    slowBeyond(0)
    await world.ingest.start(requestFor('1-MINUTE-LAST', '2026-03-03', '2026-03-04'))
    expect(await world.drain()).toMatchObject([{ outcome: 'requeued' }])
    expect(await world.store.spans(0)).toEqual([])
    expect(world.queue.messages).toHaveLength(1)
  })

  it('is asked in halves again and again where even they are too long, ever later', async () => {
    slowBeyond(0)
    await world.ingest.start(requestFor('1-MINUTE-LAST', '2026-01-05', '2026-01-15'))
    const delays = (await world.drain({ forSec: 60 })).map(({ retryAfterSec }) => retryAfterSec)
    expect(delays[0]).toBe(2)
    expect(Math.max(...delays.map((sec) => sec ?? 0))).toBeGreaterThan(10)
    expect(await world.store.spans(0)).toMatchObject([{ spanSec: DAY_SEC }])
    expect(
      (await world.store.gaps([{ seriesId: 1, window: requestFor('', '2026-01-05', '2026-01-15').window }])).length,
    ).toBe(1)
  })
})

describe('a plan', () => {
  it('of a declared dataset is what it wants by now', async () => {
    await world.ingest.declare({ ...DATASET, instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'], specs: ['5-SECOND-LAST'] })
    await world.ingest.tick()
    const plan = await world.ingest.plan({ dataset: DATASET.name })
    expect(plan.series.map(({ instrumentId }) => instrumentId)).toEqual(['AAPL.NASDAQ', 'MSFT.NASDAQ'])
    expect(plan.weight).toBe(plan.requests)
    expect(plan).toMatchObject({ boundBy: 'small bars' })
    await expect(world.ingest.plan({ dataset: 'none' })).rejects.toMatchObject({ kind: 'not-found' })
  })

  it('of a dataset counts in what was not asked for yet, and says what was not found', async () => {
    const instruments = ['aapl', 'MSFT.NASDAQ', 'EUR/USD', 'NONE.NASDAQ']
    await world.ingest.declare({ ...DATASET, instruments, specs: ['1MIN', '1-HOUR-MID', '1-HOUR-LAST'] })
    const plan = () => world.ingest.plan({ dataset: DATASET.name })
    const before = await plan()
    const names = before.series.map(({ instrumentId, spec }) => `${instrumentId} ${spec}`)
    expect(names).toContain('AAPL 1-MINUTE-LAST')
    expect(names.filter((name) => name.startsWith('EUR/USD'))).toEqual(['EUR/USD 1-MINUTE-MID', 'EUR/USD 1-HOUR-MID'])
    expect(before.series).toHaveLength(11)
    expect(before.problems).toEqual([])
    await world.ingest.declare({ ...DATASET, name: 'known', instruments: ['MSFT.NASDAQ'], specs: ['1MIN'] })
    await world.ingest.startDataset('known')
    expect((await plan()).series).toHaveLength(11)
    await world.ingest.startDataset(DATASET.name)
    const after = await plan()
    expect(after.series.map(({ instrumentId }) => instrumentId)).not.toContain('NONE.NASDAQ')
    expect(after.problems).toMatchObject([{ dataset: 'd', instrument: 'NONE.NASDAQ', error: { kind: 'not-found' } }])
    expect(after.series.reduce((sum, { wanted }) => sum + (wanted ? 1 : 0), 0)).toBe(8)
    expect(before.requests).toBeGreaterThan(0)
    await world.ingest.declare({ ...DATASET, name: 'head', instruments: ['KO.NYSE'], since: 'head' })
    expect((await world.ingest.plan({ dataset: 'head' })).series).toMatchObject([
      { wanted: undefined, requests: 0, isHeadUnknown: true },
    ])
  })

  it('tells of a permission that was missing, of the series and of others of the instrument, until it is there', async () => {
    const request = requestFor('1-MINUTE-LAST', '2026-03-03', '2026-03-04')
    world.relay.tamper = () => {
      throw new TidegateError('no-permission', 'No market data permissions for NASDAQ STK', { code: 162 })
    }
    await world.ingest.start(request)
    await world.drain()
    const refusal = { spec: '1-MINUTE-LAST', message: 'No market data permissions for NASDAQ STK', code: 162, at: NOW }
    for (const spec of ['1-MINUTE-LAST', '1-HOUR-LAST']) {
      expect((await world.ingest.plan({ ...request, specs: [spec] })).series).toMatchObject([{ refusal }])
    }
    world.relay.tamper = (_, answer) => answer
    await world.ingest.start(request)
    await world.drain()
    expect((await world.ingest.plan({ ...request, specs: ['1-HOUR-LAST'] })).series[0]?.refusal).toBeUndefined()
  })

  it('asks nothing of nights that IBKR’s schedule has no session in', async () => {
    const request = requestFor('5-SECOND-LAST', '2026-03-03', '2026-03-04')
    await world.store.putInstrument(
      'AAPL.NASDAQ',
      (await world.relay.contracts({ contract: { secType: 'STK', symbol: 'AAPL', exchange: 'SMART' } }))[0] ??
        expect.fail(),
      NOW,
      'AAPL',
    )
    expect(await world.ingest.plan(request)).toMatchObject({ requests: 25 })
    const session = {
      date: '2026-03-03',
      start: at('2026-03-03T14:30Z'),
      end: at('2026-03-03T21:00Z'),
      offsetSec: -18_000,
    }
    const schedule = { calendar: 'STK NASDAQ', hours: 'regular', zone: 'US/Eastern', known: request.window } as const
    await world.store.putSessions({ ...schedule, sessions: [session], askedAt: NOW })
    expect(await world.ingest.plan(request)).toMatchObject({ requests: 7, weight: 7 })
    const { chunks } = await world.ingest.start(request)
    expect(chunks).toBe(9)
  })

  it('reckons with longer requests where the setting has them', async () => {
    const request = requestFor('1-MINUTE-LAST', '2025-01-06', '2026-01-05')
    const [documented, practical] = await Promise.all(
      (['documented', 'practical'] as const).map((spans) => world.another({ spans }).plan(request)),
    )
    expect(documented?.requests).toBe(37)
    expect(practical?.requests).toBe(9)
  })
})
