import { createBridge, readSettings, systemClock } from '@tidegate/bridge'
import { parseInstant } from '@tidegate/core'
import type { EmbeddedDatabase } from '@tidegate/db'
import { createRelay } from '@tidegate/relay'
import { createSimulator, type Simulator } from '@tidegate/simulator'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import { coveredOf, createWorld, type World } from './world.ts'

const at = parseInstant
const KEY = 'key-of-the-tests-0123456789-0123456789'
const NOW = at('2026-04-08T18:00Z')
const AAPL = { symbol: 'AAPL', secType: 'STK', primaryExchange: 'NASDAQ' } as const

let database: EmbeddedDatabase
let simulator: Simulator
let world: World
let ingest: World['ingest']
let close: () => Promise<void>
beforeAll(async () => {
  database = await freshPglite()
  const offsetMs = NOW * 1000 - Date.now()
  const now = () => Date.now() + offsetMs
  simulator = await createSimulator({ now })
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const bridge = await createBridge({
    settings: readSettings({ IBKR_HOST: simulator.host, IBKR_PORT: String(simulator.port), BRIDGE_KEY: KEY }),
    log: quiet,
    clock: { ...systemClock, now },
    listen: false,
    untilReady: true,
  })
  const relay = createRelay({ url: 'http://bridge.test', key: KEY, fetch: bridge.fetch })
  world = createWorld(database, NOW)
  ingest = world.another({ relay, spans: 'practical' })
  close = async () => {
    await bridge.close()
    await simulator.close()
    await database.close()
  }
})
beforeEach(() => wipe(database))
afterAll(() => close?.())

it.each([
  [
    '2000 seconds of 1-second bars',
    AAPL,
    'AAPL.NASDAQ',
    '1-SECOND-LAST',
    '1 secs',
    '2026-03-31T15:00Z',
    '2026-03-31T15:33Z',
    2,
  ],
  ['days of 5-second bars', AAPL, 'AAPL.NASDAQ', '5-SECOND-LAST', '5 secs', '2026-03-31', '2026-04-02', 2],
  ['weeks of minutes', AAPL, 'AAPL.NASDAQ', '1-MINUTE-LAST', '1 min', '2026-02-02', '2026-03-07', 2],
  ['years of days', AAPL, 'AAPL.NASDAQ', '1-DAY-LAST', '1 day', '2021-01-04', '2026-03-07', 2],
] as const)('long requests over a real socket: %s', async (_, contract, id, spec, barSize, start, end, most) => {
  const window = { start: at(start), end: at(end) }
  const request = { instruments: [id], specs: [spec], hours: 'regular', window } as const
  const { series, chunks } = await ingest.start(request)
  expect(chunks).toBeLessThanOrEqual(most)
  for (const result of await world.drain({ ingest })) expect(result.error).toBeUndefined()
  expect(await coveredOf(world.store, spec)).toEqual([window])
  const bars = await world.store.bars(series[0]?.id ?? 0, window, 1e6)
  const truth = simulator.truth({
    contract,
    barSize,
    whatToShow: 'TRADES',
    useRTH: true,
    startSec: window.start,
    endSec: window.end,
  })
  expect(bars.t).toEqual(truth.map((bar) => bar.timeSec))
  expect(bars.c).toEqual(truth.map((bar) => bar.close))
})

it.each([
  ['AAPL.NASDAQ', '1-HOUR-ADJUSTED_LAST', '2024-06-03'],
  ['AAPL.NASDAQ', '1-DAY-ADJUSTED_LAST', '2021-01-04'],
  ['ES.CME', '1-HOUR-LAST', '2026-01-05'],
] as const)('up to now, over a real socket: %s %s since %s is one request', async (id, spec, since) => {
  const request = {
    instruments: [id],
    specs: [spec],
    hours: 'regular',
    window: { start: at(since), end: NOW },
  } as const
  const { chunks } = await ingest.start(request)
  expect(chunks).toBe(1)
  const results = await world.drain({ ingest })
  expect(results).toMatchObject([{ outcome: 'done' }])
  expect(await coveredOf(world.store, spec)).toHaveLength(1)
})
