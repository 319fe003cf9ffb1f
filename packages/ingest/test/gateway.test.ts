import { createBridge, readSettings, systemClock } from '@tidegate/bridge'
import { alignWindow, barSize, finalUntil, parseInstant, parseSpec, whatToShow } from '@tidegate/core'
import type { EmbeddedDatabase } from '@tidegate/db'
import { createRelay } from '@tidegate/relay'
import { createSimulator, type PriceKind } from '@tidegate/simulator'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import { coveredOf, createWorld } from './world.ts'

const at = parseInstant
const DAY_SEC = 86_400
const KEY = 'key-of-the-tests-0123456789-0123456789'
/** Long after every window below, as IBKR keeps bars of a minute and longer. */
const NOW = at('2026-04-08T18:00Z')

const INSTRUMENTS = {
  'AAPL.NASDAQ': { symbol: 'AAPL', secType: 'STK', primaryExchange: 'NASDAQ' },
  'EUR/USD.IDEALPRO': { symbol: 'EUR', secType: 'CASH', currency: 'USD' },
  'ESM6.CME': { localSymbol: 'ESM6', secType: 'FUT' },
} as const
const SIZES = '1-MINUTE 2-MINUTE 15-MINUTE 1-HOUR 2-HOUR 4-HOUR 8-HOUR 1-DAY 1-WEEK 1-MONTH'.split(' ')

let database: EmbeddedDatabase
beforeAll(async () => {
  database = await freshPglite()
})
afterAll(() => database?.close())

it('over a real socket: every window of every size holds what the gateway’s market had, and is covered', async () => {
  // A clock that runs: the bridge's pacing waits by it.
  const offsetMs = NOW * 1000 - Date.now()
  const now = () => Date.now() + offsetMs
  const simulator = await createSimulator({ now })
  const settings = readSettings({
    IBKR_HOST: simulator.host,
    IBKR_PORT: String(simulator.port),
    BRIDGE_KEY: KEY,
    BRIDGE_PORT: '0',
  })
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const bridge = await createBridge({
    settings,
    log: quiet,
    clock: { ...systemClock, now },
    listen: false,
    untilReady: true,
  })
  const relay = createRelay({ url: 'http://bridge.test', key: KEY, fetch: bridge.fetch })
  const plans = fc.record({
    instrument: fc.constantFrom(...(Object.keys(INSTRUMENTS) as (keyof typeof INSTRUMENTS)[])),
    size: fc.constantFrom(...SIZES),
    hours: fc.constantFrom('regular', 'all'),
    back: fc.integer({ min: 1, max: 1e9 }),
    length: fc.integer({ min: 1, max: 1e9 }),
  })
  try {
    await fc.assert(
      fc.asyncProperty(plans, async ({ instrument, size, hours, back, length }) => {
        await wipe(database)
        const price = instrument.startsWith('EUR') ? 'MID' : 'LAST'
        const spec = parseSpec(`${size}-${price}`)
        const contract = INSTRUMENTS[instrument]
        const { sec, text } = barSize(spec)
        const start = NOW - (40 * DAY_SEC + (back % (sec * 300)))
        const aligned = alignWindow({ start, end: start + 60 + (length % Math.min(sec * 900, 38 * DAY_SEC)) }, spec)
        const final = finalUntil(spec, NOW, { secType: contract.secType, timeZoneId: 'US/Central' })
        const wanted = aligned && { start: aligned.start, end: Math.min(aligned.end, final) }
        if (!wanted || wanted.start >= wanted.end) return
        const world = createWorld(database, NOW)
        const ingest = world.another({ relay })
        const request = { instruments: [instrument], specs: [`${size}-${price}`], hours, window: aligned } as const
        const { series } = await ingest.start(request)
        const results = await world.drain({ ingest })
        expect(results.map(({ error }) => error)).toEqual(results.map(() => undefined))
        expect(await coveredOf(world.store, request.specs[0])).toEqual([wanted])
        const bars = await world.store.bars(series[0]?.id ?? 0, { start: 0, end: 4e9 }, 1e6)
        const truth = simulator.truth({
          contract,
          barSize: text,
          whatToShow: whatToShow(price, contract.secType) as PriceKind,
          useRTH: hours === 'regular',
          startSec: wanted.start,
          endSec: wanted.end,
        })
        expect(bars.t).toEqual(truth.map(({ timeSec }) => timeSec))
        expect(bars.o).toEqual(truth.map(({ open }) => open))
        expect(bars.h).toEqual(truth.map(({ high }) => high))
        expect(bars.l).toEqual(truth.map(({ low }) => low))
        expect(bars.c).toEqual(truth.map(({ close }) => close))
      }),
      { numRuns: 12 },
    )
  } finally {
    await bridge.close()
    await simulator.close()
  }
}, 40_000)
