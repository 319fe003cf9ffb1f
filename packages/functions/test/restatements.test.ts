import { createStore, type EmbeddedDatabase } from '@tidegate/db'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import type {
  AdjustmentAnswer,
  AdjustmentsAnswer,
  BarsAnswer,
  ErrorAnswer,
  RestatementsAnswer,
  StartedAnswer,
} from '../src/index.ts'
import { historyRequests, openWorld, truth, type World } from './world.ts'

const AAPL = 265598
const WHOLE = { start: '2026-03-09', end: '2026-04-07' }

let database: EmbeddedDatabase
let world: World
beforeAll(async () => {
  database = await freshPglite()
})
beforeEach(async () => {
  await wipe(database)
  world = await openWorld(database)
})
afterAll(() => database?.close())

const SPECS = { '1MIN': ['1-MINUTE-LAST', '1 min'], DAILY: ['1-DAY-LAST', '1 day'] } as const
type Timeframe = keyof typeof SPECS

async function start(window: { start: string; end: string }, spec: Timeframe): Promise<string> {
  const body = { instruments: ['AAPL.NASDAQ'], specs: [spec], ...window }
  return (await world.call<StartedAnswer>('POST', '/v1/runs', body)).body.id
}

const closes = async (spec: Timeframe) => {
  const query = new URLSearchParams({ instrument: 'AAPL.NASDAQ', spec, ...WHOLE, limit: '50000' })
  const { bars } = (await world.call<BarsAnswer>('GET', `/v1/bars?${query}`)).body
  return new Map(bars.t.map((t, i) => [t, bars.c[i] ?? 0]))
}

const market = (spec: Timeframe) => {
  const contract = { conId: AAPL }
  const [startSec, endSec] = [WHOLE.start, WHOLE.end].map((date) => Date.parse(date) / 1000) as [number, number]
  const query = { contract, barSize: SPECS[spec][1], whatToShow: 'TRADES', useRTH: true, startSec, endSec } as const
  const { t, c } = truth(world.simulator, query)
  return new Map(t.map((time, i) => [time, c[i] ?? 0]))
}

describe('a split at the gateway', () => {
  it.each([
    ['1MIN', 'an update', { start: WHOLE.start, end: '2026-04-04' }],
    ['1MIN', 'an older part', { start: '2026-03-13', end: WHOLE.end }],
    ['DAILY', 'an update', { start: WHOLE.start, end: '2026-04-04' }],
    ['DAILY', 'an older part', { start: '2026-03-13', end: WHOLE.end }],
  ] as const)(
    'is found in %s bars by %s; readers see the old prices, then the new ones, and each part is asked for once more',
    async (spec, _, stored) => {
      try {
        await world.ended(await start(stored, spec))
        const before = await closes(spec)
        await world.close()
        world = await openWorld(database)
        const asked = historyRequests(world.simulator)
        await world.simulator.event({ type: 'split', conId: AAPL, ratio: 4 })
        const after = market(spec)
        const run = world.ended(await start(WHOLE, spec))
        let ended = false
        run.then(() => {
          ended = true
        })
        let seen = before
        const late = Date.now() + 20_000
        while (!ended) {
          if (Date.now() > late) throw new Error('The run does not end.')
          await new Promise((resolve) => setTimeout(resolve, 5))
          seen = await closes(spec)
          const isOld = [...before].every(([t, close]) => seen.get(t) === close)
          // Nothing of the new scale stands beside the old one.
          if (isOld) expect([...seen.keys()].filter((t) => !before.has(t))).toEqual([])
          else for (const [t, close] of seen) expect(close).toBe(after.get(t))
        }
        expect((await run).state).toBe('done')
        expect(await closes(spec)).toEqual(after)
        const { adjustments } = (await world.call<AdjustmentsAnswer>('GET', '/v1/adjustments')).body
        expect(adjustments).toMatchObject([
          {
            ...{ instrumentId: 'AAPL.NASDAQ', spec: SPECS[spec][0], ratio: 0.25, state: 'applied', error: null },
            chunks: { open: 0, failed: 0 },
          },
        ])
        // What was stored once more, and what was wanted: the bridge has the answer that showed the split for some seconds.
        const [found] = adjustments
        const wanted = (await run).chunks.done
        expect(historyRequests(world.simulator) - asked).toBe((found?.chunks.done ?? 0) + wanted)
        const { restatements } = (await world.call<RestatementsAnswer>('GET', '/v1/restatements?limit=1000')).body
        expect(restatements).toHaveLength(Math.min(1000, before.size))
        expect(restatements[0]?.adjustment).toBe(found?.id)
        for (const { t, old, new: now } of restatements) {
          expect(old.close).toBe(before.get(Date.parse(t) / 1000))
          expect(now.close).toBe(after.get(Date.parse(t) / 1000))
        }
      } finally {
        await world.close()
      }
    },
  )
})

describe('GET /v1/restatements and /v1/adjustments', () => {
  it('are empty while nothing was told anew, and refuse what they do not know', async () => {
    try {
      const call = async (path: string) => (await world.call<unknown>('GET', path)).body
      expect(await call('/v1/restatements?instrument=AAPL&spec=1MIN&since=2026-01-01')).toEqual({ restatements: [] })
      expect(await call('/v1/adjustments?instrument=AAPL')).toEqual({ adjustments: [] })
      for (const path of ['restatements?limit=0', 'restatements?until=2026-01-01', 'adjustments?since=2026-01-01']) {
        expect((await world.call<ErrorAnswer>('GET', `/v1/${path}`)).status).toBe(400)
      }
    } finally {
      await world.close()
    }
  })
})

describe('POST /v1/adjustments/:id/abandon', () => {
  it('gives up what is being collected, once; what is in place, or was never there, it refuses', async () => {
    try {
      const store = createStore(database)
      const { body } = await world.call<StartedAnswer>('POST', '/v1/runs', {
        instruments: ['AAPL.NASDAQ'],
        specs: ['1HOUR'],
        ...{ start: '2026-03-09', end: '2026-03-12' },
      })
      await world.ended(body.id)
      const [series] = await store.series()
      if (!series) throw new Error('Nothing is stored.')
      const nowSec = Math.floor(world.clock.now() / 1000)
      const [start, end] = [Date.parse('2026-03-09') / 1000, Date.parse('2026-03-12') / 1000]
      const found = { ratio: 0.5, since: undefined, before: end }
      const claimed = async (id: string, start: number, end: number, adjustmentId?: number) => {
        const run = { id, source: 'test', chunks: [{ seriesId: series.id, window: { start, end } }], now: nowSec }
        const { chunkIds } = await store.createRun(adjustmentId === undefined ? run : { ...run, adjustmentId })
        return (await store.claim(chunkIds[0] ?? '', { now: nowSec, leaseSec: 60 })) ?? expect.fail()
      }
      const finder = await claimed('finder', nowSec - 7200, nowSec - 3600)
      const { adjustmentId: id } = await store.openAdjustment(finder, found, nowSec)
      const path = `/v1/adjustments/${id}/abandon`
      const before = '2026-03-12T00:00:00Z'
      for (const _ of ['once', 'twice']) {
        const answer = await world.call<AdjustmentAnswer>('POST', path)
        expect([answer.status, answer.body]).toMatchObject([200, { id, state: 'abandoned', since: before, before }])
      }
      for (const other of ['999', 'x', '1e3']) {
        const { status, body } = await world.call<ErrorAnswer>('POST', `/v1/adjustments/${other}/abandon`)
        expect([status, body.error.message]).toEqual([404, `There is no adjustment "${other}".`])
      }
      const page = async (of: number | undefined) => {
        const pages = new URLSearchParams({ instrument: 'AAPL', spec: '1HOUR', start: '2026-03-10', end: '2026-03-12' })
        if (of !== undefined) pages.set('adjustment', String(of))
        return world.call<BarsAnswer & ErrorAnswer>('GET', `/v1/bars?${pages}`)
      }
      expect((await page(0)).body.adjustment).toBe(0)
      const again = await claimed('again', nowSec - 3600, nowSec)
      const { adjustmentId: next } = await store.openAdjustment(again, found, nowSec)
      const collector = await claimed('collector', start, end, next)
      await store.stage(collector, await store.bars(series.id, { start, end }, 1000), nowSec)
      // Unless the functions have done so themselves.
      await store.applyAdjustments(nowSec)
      const late = await world.call<ErrorAnswer>('POST', `/v1/adjustments/${next}/abandon`)
      expect([late.status, late.body.error.message]).toEqual([409, expect.stringContaining('is in place since')])
      // Who reads on from a page of before it is told so.
      const stale = await page(0)
      expect([stale.status, stale.body.error.message]).toEqual([
        409,
        expect.stringContaining('from its first page again'),
      ])
      for (const of of [undefined, next]) expect((await page(of)).body.adjustment).toBe(next)
    } finally {
      await world.close()
    }
  })
})
