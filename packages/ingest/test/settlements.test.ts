import { formatInstant, parseInstant } from '@tidegate/core'
import type { Ingest } from '@tidegate/ingest'
import type { SessionsRequest } from '@tidegate/relay'
import { beforeEach, expect, it } from 'vitest'
import { type Market, STOCKS } from './market.ts'
import { scheduleOf } from './schedule.ts'
import { DATASET, detailsOf, eachWorld, relayWith, type World } from './world.ts'

const at = parseInstant
/** A Wednesday. */
const NOW = at('2026-03-18T12:00Z')
/** Eurex in winter: from 01:15 to 22:00 in Berlin. A day is settled by 04:00 there on the next. */
const EUREX: Market = { ...STOCKS, opensAt: 0.25 * 3600, lastsSec: 20.75 * 3600 }
const BUND = { ...detailsOf('FGBLM6', 'FUT', 7), timeZoneId: 'Europe/Berlin' }

const { world } = eachWorld(NOW, EUREX)
let ingest: Ingest
let asked: SessionsRequest[]
beforeEach(async () => {
  asked = []
  ingest = world.another({
    relay: relayWith(world.relay, {
      contracts: async () => [BUND],
      sessions: scheduleOf({ current: () => EUREX }, () => world.clock.nowMs, asked),
    }),
  })
  const days = { instruments: ['FGBLM6.CME'], specs: ['DAILY'], since: '2026-03-12' }
  await ingest.declare({ ...DATASET, ...days, schedule: { every: '1h' } })
})

/** How many chunks are asked for at this instant, and the newest day that is stored once they were. */
async function tickAt(time: string): Promise<[chunks: number, newest: string | undefined]> {
  world.clock.nowMs = at(time) * 1000
  const { chunks } = await ingest.tick()
  await world.drain({ ingest })
  const [series] = await world.store.series()
  return [chunks, series?.to === undefined ? undefined : formatInstant(series.to).slice(0, 10)]
}

const complete = async () => (await ingest.datasets('d'))[0]?.complete

it('a future’s day is asked for as soon as it may be settled, and once more when it is', async () => {
  // Nothing is known of its sessions: a day is taken to settle within the next.
  expect(await tickAt('2026-03-18T12:00Z')).toEqual([1, '2026-03-16'])
  expect(await tickAt('2026-03-18T13:00Z')).toEqual([1, '2026-03-17'])
  expect(await tickAt('2026-03-18T14:00Z')).toEqual([0, '2026-03-17'])
  expect(await complete()).toBe(1)
  // Thursday is over in Berlin. Its session was not heard of yet: asking tells it, and that it is not settled.
  expect(await tickAt('2026-03-19T23:00Z')).toEqual([1, '2026-03-18'])
  expect(await tickAt('2026-03-20T01:00Z')).toEqual([0, '2026-03-18'])
  expect(await complete()).toBe(1)
  expect(await tickAt('2026-03-20T03:00Z')).toEqual([1, '2026-03-19'])
  expect(await tickAt('2026-03-20T12:00Z')).toEqual([0, '2026-03-19'])
})

it('Friday’s is asked for when Saturday is over', async () => {
  await tickAt('2026-03-20T12:00Z')
  await tickAt('2026-03-20T13:00Z')
  expect(await tickAt('2026-03-21T12:00Z')).toEqual([0, '2026-03-19'])
  expect(await tickAt('2026-03-21T23:00Z')).toEqual([1, '2026-03-20'])
})

it('a day that is not settled yet is planned, fetched by hand and told alike', async () => {
  await tickAt('2026-03-19T12:00Z')
  await tickAt('2026-03-19T13:00Z')
  const window = { start: at('2026-03-12'), end: at('2026-03-21') }
  const request = { instruments: ['FGBLM6.CME'], specs: ['DAILY'], hours: 'regular', window } as const
  expect(await ingest.plan(request)).toMatchObject({ requests: 0, series: [{ wanted: { end: at('2026-03-19') } }] })
  world.clock.nowMs = at('2026-03-20T03:00Z') * 1000
  expect(await ingest.plan(request)).toMatchObject({ requests: 1, series: [{ gaps: [{ start: at('2026-03-19') }] }] })
  expect(await ingest.plan({ dataset: 'd' })).toMatchObject({ requests: 1 })
  expect((await ingest.start(request)).chunks).toBe(1)
  await world.drain({ ingest })
  expect(await ingest.plan(request)).toMatchObject({ requests: 0, series: [{ wanted: { end: at('2026-03-20') } }] })
})

it('on a day without a session, or where sessions can’t be had any more, nothing is asked for early', async () => {
  const holiday = { ...EUREX, holidays: new Set([at('2026-03-19')]) }
  world.relay.market = holiday
  const parts = (sessions: World['relay']['sessions']) =>
    world.another({ relay: relayWith(world.relay, { contracts: async () => [BUND], sessions }) })
  ingest = parts(scheduleOf({ current: () => holiday }, () => world.clock.nowMs, asked))
  await tickAt('2026-03-18T12:00Z')
  await tickAt('2026-03-18T13:00Z')
  await tickAt('2026-03-19T12:00Z')
  await tickAt('2026-03-19T23:00Z')
  expect(await tickAt('2026-03-20T01:00Z')).toEqual([0, '2026-03-18'])
  ingest = parts(() => Promise.reject(new Error('no schedule')))
  await tickAt('2026-03-25T23:00Z')
  expect(await tickAt('2026-03-26T12:00Z')).toEqual([0, '2026-03-24'])
})
