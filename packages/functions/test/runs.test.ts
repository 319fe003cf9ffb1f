import type { EmbeddedDatabase } from '@tidegate/db'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import type { ErrorAnswer, PlanAnswer, ProgressAnswer, RunsAnswer, StartedAnswer } from '../src/index.ts'
import { openWorld, type World } from './world.ts'

const MONTH = { instruments: ['AAPL.NASDAQ'], specs: ['1MIN'], start: '2026-02-02', end: '2026-03-14' }
const DAILY = { instruments: ['MSFT.NASDAQ'], specs: ['DAILY'], start: '2026-03-02', end: '2026-03-14' }
/** As TWS numbers its messages. */
const REQ_HISTORICAL_DATA = 20
const CANCEL_HISTORICAL_DATA = 25

let database: EmbeddedDatabase
let world: World
beforeAll(async () => {
  database = await freshPglite()
  world = await openWorld(database)
})
afterAll(async () => {
  await world?.close()
  await database?.close()
})
beforeEach(() => wipe(database))

const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 10_000, interval: 10 })

describe('POST /v1/runs/:id/cancel', () => {
  it('hangs up at the gateway, leaves what was not answered as gaps, and does nothing the second time', async () => {
    world.simulator.faults.silentHistory = true
    try {
      const received = (id: number) => world.simulator.received.filter(({ messageId }) => messageId === id).length
      const asked = () => received(REQ_HISTORICAL_DATA)
      const { body: started } = await world.call<StartedAnswer>('POST', '/v1/runs', MONTH)
      await eventually(() => expect(asked()).toBeGreaterThan(0))
      const path = `/v1/runs/${started.id}/cancel`
      const { status, body } = await world.call<ProgressAnswer>('POST', path)
      expect(status).toBe(200)
      expect(body).toMatchObject({ state: 'cancelled', bars: 0, chunks: { cancelled: started.chunks, leased: 0 } })
      expect(body.finishedAt).not.toBeNull()
      await eventually(() => expect(received(CANCEL_HISTORICAL_DATA)).toBe(asked()))
      expect((await world.call('POST', path)).body).toEqual(body)
    } finally {
      world.simulator.faults.silentHistory = false
    }
    const { body: plan } = await world.call<PlanAnswer>('POST', '/v1/plan', MONTH)
    expect(plan.series[0]?.gaps).toEqual([{ start: '2026-02-02T00:00:00Z', end: '2026-03-14T00:00:00Z' }])
  })

  it('leaves a run that has ended as it is, and knows no other', async () => {
    const { body: started } = await world.call<StartedAnswer>('POST', '/v1/runs', DAILY)
    await world.ended(started.id)
    const cancelled = await world.call<ProgressAnswer>('POST', `/v1/runs/${started.id}/cancel`)
    expect(cancelled).toMatchObject({ status: 200, body: { state: 'done' } })
    const unknown = await world.call<ErrorAnswer>('POST', '/v1/runs/nowhere/cancel')
    expect(unknown).toMatchObject({ status: 404, body: { error: { kind: 'not-found' } } })
  })
})

describe('GET /v1/runs', () => {
  it('lists the newest first, of a state or a dataset', async () => {
    for (const _ of [1, 2]) {
      const { body: started } = await world.call<StartedAnswer>('POST', '/v1/runs', DAILY)
      await world.ended(started.id)
      world.clock.advance(60)
    }
    const list = async (query: string) => (await world.call<RunsAnswer>('GET', `/v1/runs${query}`)).body.runs
    const [second, first, ...others] = await list('')
    expect(others).toEqual([])
    expect(first).toMatchObject({ source: 'fetch', dataset: null, state: 'done', bars: 10, error: null })
    expect(second).toMatchObject({ chunks: { done: 0, cancelled: 0 }, bars: 0 })
    expect(Date.parse(second?.createdAt ?? '')).toBeGreaterThan(Date.parse(first?.createdAt ?? ''))
    expect(await list('?limit=1')).toEqual([second])
    expect(await list('?state=open')).toEqual([])
    expect(await list('?state=done')).toHaveLength(2)
    expect(await list('?dataset=none')).toEqual([])
  })

  it.each(['limit=0', 'limit=201', 'state=ended', 'before=1'])('refuses %s', async (query) => {
    const { status, body } = await world.call<ErrorAnswer>('GET', `/v1/runs?${query}`)
    expect(status).toBe(400)
    expect(body.error.message).toContain(query.split('=')[0])
  })
})
