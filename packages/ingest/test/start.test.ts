import { parseInstant, TidegateError } from '@tidegate/core'
import { describe, expect, it } from 'vitest'
import { eachDatabase } from './database.ts'
import { createWorld, DATASET, relayWith } from './world.ts'

const at = parseInstant
const DAY_SEC = 86_400
const NOW = at('2026-03-12T12:00Z')
const week = { start: at('2026-02-24T16:00Z'), end: at('2026-03-03T18:30Z') }

const database = eachDatabase()

describe('start', () => {
  const request = { instruments: ['AAPL'], specs: ['1-MINUTE-LAST'], hours: 'regular', window: week } as const

  it('of some that are known and one that is not tells of both', async () => {
    const world = createWorld(database, NOW)
    const { problems, chunks, series } = await world.ingest.start({ ...request, instruments: ['AAPL', 'NONE', 'MSFT'] })
    expect(problems).toMatchObject([{ instrument: 'NONE', error: { kind: 'not-found' } }])
    expect(series.map(({ instrumentId }) => instrumentId)).toEqual(['AAPL.NASDAQ', 'MSFT.NASDAQ'])
    expect(chunks).toBeGreaterThan(1)
  })

  it('of none that is known throws what was wrong with the first', async () => {
    const world = createWorld(database, NOW)
    await expect(world.ingest.start({ ...request, instruments: ['NONE'] })).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringContaining('NONE'),
    })
  })

  it('plans what it would ask, and asks nothing for it', async () => {
    const world = createWorld(database, NOW)
    const plan = await world.ingest.plan(request)
    expect(plan.series).toMatchObject([{ instrumentId: 'AAPL', gaps: [week], wanted: week }])
    expect(world.relay.asked).toEqual([])
    const { chunks } = await world.ingest.start(request)
    expect(chunks).toBe(plan.requests)
    await world.drain()
    expect(await world.ingest.plan(request)).toMatchObject({ requests: 0, expectedSec: 0, series: [{ gaps: [] }] })
  })

  it('plans its time by what the bridges allow, and no faster than its workers are', async () => {
    const world = createWorld(database, NOW)
    const long = { ...request, window: { start: at('2025-03-02'), end: at('2026-03-02') } }
    const status = await world.relay.status()
    const planned = async (parts: Parameters<typeof world.another>[0]) => {
      const { requests, expectedSec, boundBy } = await world.another({ answerSec: 300, ...parts }).plan(long)
      return [expectedSec / requests, boundBy]
    }
    const allowing = (maxOpen: number, maxMessagesPerSecond: number) => {
      const pacing = { ...status.pacing, maxOpen, maxMessagesPerSecond }
      return { pacing, relay: relayWith(world.relay, { status: async () => ({ ...status, pacing }) }) }
    }
    expect(await planned(allowing(4, 45))).toEqual([75, 'open requests'])
    expect(await planned({ ...allowing(32, 45), openRequests: 10 })).toEqual([30, 'open requests'])
    expect(await planned({ ...allowing(32, 0.01), answerSec: 1 })).toEqual([100, 'messages'])
    const away = relayWith(world.relay, { status: () => Promise.reject(new TidegateError('disconnected', 'Away.')) })
    expect(await planned({ relay: away, openRequests: 3 })).toEqual([100, 'open requests'])
    const bridges = [
      { name: 'a', ok: true as const, ...status, pacing: allowing(2, 45).pacing },
      { name: 'b', ok: true as const, ...status, pacing: allowing(8, 45).pacing },
      { name: 'c', ok: false as const, error: { kind: 'disconnected' as const, message: 'Away.' } },
    ]
    const several = relayWith(world.relay, { status: async () => ({ ...status, bridges }) })
    expect(await planned({ relay: several, logins: 3, openRequests: 48 })).toEqual([30, 'open requests'])
  })

  it('of more requests than one run holds takes the newest, and says how many remain', async () => {
    const world = createWorld(database, NOW)
    const huge = {
      instruments: ['AAPL', 'MSFT'],
      specs: ['1-SECOND-LAST'],
      hours: 'regular',
      window: { start: at('2025-01-01'), end: at('2026-03-01') },
    } as const
    const { requests, series } = await world.ingest.plan(huge)
    // Half hours since 2025-09-11: six months back, and a day, for nobody knows by whose calendar.
    expect(series.map((one) => one.requests)).toEqual([8208, 8208])
    const ingest = world.another({ mostChunks: 30 })
    const { runId, ...started } = await ingest.start(huge)
    expect(started).toMatchObject({ chunks: 30, remaining: requests - 30 })
    // The newest of each.
    expect((await world.store.run(runId))?.series.map(({ total }) => total)).toEqual([15, 15])
    const [newest = ''] = await world.store.due(NOW, 1)
    expect((await world.store.claim(newest, { now: NOW, leaseSec: 1 }))?.window.end).toBe(huge.window.end)
    expect(await ingest.start(huge)).toMatchObject({ chunks: 30, remaining: requests - 60 })
  })

  it('refuses to mix made-up with real, and leaves the stored definitions alone', async () => {
    const world = createWorld(database, NOW)
    await world.ingest.start(request)
    await world.drain()
    const before = await world.store.instrument('AAPL.NASDAQ')
    world.clock.nowMs += 2 * DAY_SEC * 1000
    world.relay.simulated = true
    const failure = await world.ingest.start({ ...request, instruments: ['AAPL', 'MSFT'] }).catch((e: unknown) => e)
    expect(failure).toBeInstanceOf(TidegateError)
    expect(failure).toMatchObject({ kind: 'invalid', message: expect.stringContaining('must not mix') })
    expect(await world.store.instrument('AAPL.NASDAQ')).toEqual(before)
    await world.ingest.declare({ ...DATASET, since: '2026-02-24T16:00Z' })
    await world.ingest.tick()
    const asked = world.relay.asked.length
    expect((await world.drain()).map(({ error }) => error?.kind)).toContain('invalid')
    expect(world.relay.asked).toHaveLength(asked)
    expect(await world.store.instrument('AAPL.NASDAQ')).toEqual(before)
  })
})
