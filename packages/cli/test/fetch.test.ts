import { join } from 'node:path'
import { emptyBars, parseInstant } from '@tidegate/core'
import { createSimulator, type Simulator } from '@tidegate/simulator'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { begin, createFolders, createPlaces, NOW_MS, SLOW_MS, tidegate } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

/** `reqHistoricalData`, as the wire numbers it. */
const HISTORY = 20
const DAY = ['--start', '2026-11-17', '--end', '2026-11-18']

let places: Awaited<ReturnType<typeof createPlaces>>
let simulator: Simulator
let folder: string
let env: Record<string, string>

beforeEach(async () => {
  simulator = await createSimulator({ now: () => NOW_MS })
})
afterEach(() => simulator.close())

const requests = () =>
  simulator.received.filter(({ messageId, fields }) => messageId === HISTORY && !fields.includes('SCHEDULE')).length

async function storedBars(instrumentId: string, spec: string, start: string, end: string) {
  return places.inStore({ env }, async (store) => {
    const [series] = await store.series({ instrumentIds: [instrumentId], specs: [spec] })
    if (!series) return undefined
    return store.bars(series.id, { start: parseInstant(start), end: parseInstant(end) }, 100_000)
  })
}

describe('fetch', () => {
  beforeAll(async () => {
    places = await createPlaces()
  })
  afterAll(() => places.remove())
  beforeEach(async () => {
    const place = await places.next()
    folder = place.folder
    env = { ...place.env, IBKR_PORT: String(simulator.port) }
  })

  test('stores what the gateway has; run again it asks nothing', async () => {
    const argv = ['fetch', '--instruments', 'AAPL,EUR/USD', ...DAY, '--timeframe', '1MIN']
    const first = await tidegate(folder, argv, { env })
    expect(first).toMatchObject({ status: 0 })
    expect(first.out).toMatch(
      /AAPL\.NASDAQ +│ 1-MINUTE-LAST +│ regular +│ +390 +│ 2026-11-17 14:30 +│ 2026-11-17 20:59 +│ +0/,
    )
    expect(first.err).toMatch(/AAPL\.NASDAQ 1-MINUTE-LAST: 1\/1 chunks, 390 bars/)
    expect(requests()).toBeGreaterThan(0)

    const truth = simulator.truth({
      contract: { symbol: 'AAPL', secType: 'STK', primaryExchange: 'NASDAQ' },
      barSize: '1 min',
      whatToShow: 'TRADES',
      useRTH: true,
      startSec: parseInstant('2026-11-17'),
      endSec: parseInstant('2026-11-18'),
    })
    const stored = await storedBars('AAPL.NASDAQ', '1-MINUTE-LAST', '2026-11-17', '2026-11-18')
    expect(stored?.t).toEqual(truth.map((bar) => bar.timeSec))
    expect(stored?.c).toEqual(truth.map((bar) => bar.close))

    const asked = simulator.received.length
    const again = await tidegate(folder, argv, { env })
    expect(again.status).toBe(0)
    expect(again.out).toContain('Everything was covered already')
    expect(again.out).toMatch(/EUR\/USD\.IDEALPRO +│ 1-MINUTE-MID/)
    expect(simulator.received.slice(asked).filter(({ messageId }) => messageId === HISTORY)).toEqual([])
  })

  test('a part of what is stored is counted by its window', async () => {
    await tidegate(folder, ['fetch', '--instruments', 'AAPL.NASDAQ', ...DAY, '--timeframe', '1MIN'], { env })
    const window = ['--start', '2026-11-17T15:00Z', '--end', '2026-11-17T16:00Z']
    const hour = await tidegate(folder, ['fetch', '--instruments', 'AAPL.NASDAQ', ...window, '--timeframe', '1MIN'], {
      env,
    })
    expect(hour.out).toMatch(/│ +60 │ 2026-11-17 15:00 │ 2026-11-17 15:59 │ +0 │/)
  })

  test('a dry run prints the plan and asks nothing, with no gateway needed', async () => {
    const argv = [
      'fetch',
      '--instruments',
      'AAPL.NASDAQ',
      '--start',
      '2026-09-01',
      '--timeframe',
      '1MIN,DAILY',
      '--dry-run',
    ]
    await simulator.close()
    const { status, out, err } = await tidegate(folder, argv, { env })
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/AAPL\.NASDAQ +│ 1-DAY-LAST .* 1 │ +1 │/)
    expect(out).toMatch(/10 requests; under IBKR's pacing that takes about 1 second\.\n"until" is earlier/)
    expect(simulator.received).toEqual([])
    const stored = await places.inStore({ env }, (store) => store.series())
    expect(stored).toEqual([])
  })

  test('says what of it can never be had, and is no failure for it', async () => {
    const argv = ['fetch', '--instruments', 'AAPL.NASDAQ', '--timeframe', '5-SECOND-LAST', '--start', '2026-05-01']
    const { status, out } = await tidegate(folder, [...argv, '--end', '2026-05-02'], { env })
    expect(out).toContain('Not to be had: AAPL.NASDAQ 5-SECOND-LAST, 2026-05-01 00:00 to 2026-05-02 00:00')
    expect(out).toContain('All that can be had was covered already: nothing was asked of the gateway.')
    expect(status).toBe(0)
  })

  test('what can be fetched is, beside what can not', async () => {
    const argv = ['fetch', '--instruments', 'AAPL.NASDAQ,NOSUCH.NASDAQ', ...DAY, '--timeframe', '1MIN']
    const { status, out, err } = await tidegate(folder, argv, { env })
    expect(out).toMatch(/AAPL\.NASDAQ .* 390 /)
    expect(err).toMatch(/not fetched: NOSUCH\.NASDAQ: /)
    expect(status).toBe(1)
  })

  test('what IBKR refuses for good is named, with the gap it leaves', async () => {
    simulator.faults.refuseHistory = {
      times: 100,
      text: 'Historical Market Data Service error message:No market data permissions for NASDAQ STK',
    }
    const argv = ['fetch', '--instruments', 'AAPL.NASDAQ', ...DAY, '--timeframe', '1MIN']
    const { status, err } = await tidegate(folder, argv, { env })
    expect(err).toMatch(/gap left: AAPL\.NASDAQ 1-MINUTE-LAST, 2026-11-17 00:00 to 2026-11-18 00:00: .*permission/)
    expect(status).toBe(1)
  })

  test('what is not final by the gateway’s clock, which may be behind ours, is no gap left', async () => {
    const slow = await createSimulator({ now: () => NOW_MS - 30 * 60_000 })
    try {
      const argv = ['fetch', '--instruments', 'AAPL.NASDAQ', '--start', '2026-11-20', '--timeframe', '1MIN']
      const { status, out, err } = await tidegate(folder, argv, { env: { ...env, IBKR_PORT: String(slow.port) } })
      expect(err).not.toContain('gap left')
      expect(out).toMatch(
        /Not final yet by the gateway's clock[^\n]*\n( .*\n)* +AAPL\.NASDAQ 1-MINUTE-LAST from 2026-11-20 14:59/,
      )
      expect(status).toBe(0)
    } finally {
      await slow.close()
    }
  })

  test('what is behind the clock of a gateway that replays the past is not asked for, and no gap left', async () => {
    const early = await createSimulator({ now: () => Date.UTC(2026, 10, 17, 16) })
    try {
      const argv = ['fetch', '--instruments', 'AAPL.NASDAQ,ESZ6.CME', '--start', '2026-11-16', '--end', '2026-11-19']
      const { status, out, err } = await tidegate(folder, [...argv, '--timeframe', '1MIN,DAILY'], {
        env: { ...env, IBKR_PORT: String(early.port) },
      })
      expect(err).not.toContain('gap left')
      expect(out).toMatch(/AAPL\.NASDAQ +│ 1-MINUTE-LAST +│ regular +│ +479 .* 0 │/)
      expect(out).toContain("The gateway's clock is at 2026-11-17 16:00 UTC, as a replay's may be: what comes after it")
      expect(status).toBe(0)
      const asked = early.received.length
      const again = await tidegate(folder, [...argv, '--timeframe', '1MIN,DAILY'], {
        env: { ...env, IBKR_PORT: String(early.port) },
      })
      expect(again.status).toBe(0)
      expect(early.received.length - asked).toBeLessThan(8)
    } finally {
      await early.close()
    }
  })

  test('what another run asks for is waited for, however much becomes final meanwhile', async () => {
    let nowMs = Date.UTC(2026, 10, 17, 16)
    const moving = await createSimulator({ now: () => nowMs })
    try {
      let settle = async () => {}
      const options = {
        env: { ...env, IBKR_PORT: String(moving.port) },
        now: () => nowMs,
        // A minute passes each time it looks at its own run; the other one ends once it is waited for.
        sleep: async (ms: number) => {
          nowMs += 61_000
          if (ms >= 500) await settle()
          await new Promise((resolve) => setTimeout(resolve, 20))
        },
      }
      const argv = ['fetch', '--instruments', 'AAPL.NASDAQ', '--timeframe', '1MIN', '--start']
      await tidegate(folder, [...argv, '2026-11-17'], options)
      await places.inStore({ env }, async (store) => {
        const [series] = await store.series()
        const window = { start: parseInstant('2026-11-16'), end: parseInstant('2026-11-17') }
        const now = nowMs / 1000
        const chunks = [{ seriesId: series?.id ?? 0, window }]
        const { chunkIds } = await store.createRun({ id: 'other', source: 'tick', chunks, now })
        const claim = await store.claim(chunkIds[0] ?? '', { now, leaseSec: 3600 })
        settle = () =>
          places.inStore({ env }, async (store) => {
            if (claim) await store.commit(claim, { bars: emptyBars(), state: 'empty', covered: window }, nowMs / 1000)
          })
      })
      const { status, err } = await tidegate(folder, [...argv, '2026-11-16'], options)
      expect(err).toContain('asked for by an earlier run')
      expect(err).not.toContain('gap left')
      expect(status).toBe(0)
    } finally {
      await moving.close()
    }
  })

  test('of a window in which nothing is final yet it says just that', async () => {
    const argv = ['fetch', '--instruments', 'AAPL.NASDAQ', '--start', '2026-11-20', '--timeframe', 'DAILY']
    const { status, out, err } = await tidegate(folder, argv, { env })
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/Nothing of it is final yet\..*Nothing was asked of the gateway/s)
    expect(out).not.toContain('covered already')
    const plan = await tidegate(folder, [...argv, '--dry-run'], { env })
    expect(plan.out).toMatch(/not final yet .*Nothing of it is final yet\./s)
    expect(plan.out).not.toContain('is covered')
    const part = await tidegate(folder, [...argv, '--start', '2026-11-18', '--dry-run'], { env })
    expect(part.out).toContain('"until" is earlier than asked')
    expect(requests()).toBe(0)
  })

  test('up to now, the silence of a closed market is an answer', async () => {
    const noon = () => Date.UTC(2026, 10, 21, 12)
    const argv = ['fetch', '--instruments', 'AAPL.NASDAQ', '--start', '2026-11-20', '--timeframe', '1MIN,DAILY']
    const saturday = await createSimulator({ now: noon })
    try {
      const { status, out } = await tidegate(folder, argv, {
        env: { ...env, IBKR_PORT: String(saturday.port) },
        now: noon,
      })
      expect(out).toMatch(/AAPL\.NASDAQ +│ 1-MINUTE-LAST +│ regular +│ +390 .* 0 │/)
      expect(out).not.toContain('Not final yet')
      expect(status).toBe(0)
    } finally {
      await saturday.close()
    }
  })
})

describe('fetch into an embedded database', () => {
  let folders: Awaited<ReturnType<typeof createFolders>>
  beforeAll(async () => {
    folders = await createFolders()
  })
  afterAll(() => folders.remove())
  beforeEach(async () => {
    folder = await folders.next()
    env = { IBKR_PORT: String(simulator.port) }
  })

  test('interrupted it says so, and the same command goes on where it stopped', async () => {
    simulator.faults.silentHistory = true
    const argv = ['fetch', '--instruments', 'AAPL.NASDAQ', ...DAY, '--timeframe', '1MIN']
    const command = begin(folder, argv, { env: { ...env, IBKR_REQUEST_TIMEOUT: '1' } })
    await expect.poll(requests, { timeout: SLOW_MS, interval: 20 }).toBeGreaterThan(0)
    command.stop()
    const { status, err } = await command.outcome
    expect(err).toContain('the same command goes on where this one stopped')
    expect(status).toBe(130)

    simulator.faults.silentHistory = false
    // As if a while had passed: within 15 seconds of the first, the bridge would wait before it asks the same again.
    const later = { ...env, BRIDGE_STATE: join(folder, 'later.jsonl') }
    const again = await tidegate(folder, argv, { env: later })
    expect(again.out).toMatch(/AAPL\.NASDAQ .* 390 /)
    expect(again.status).toBe(0)
  })

  test('what a killed process had in hand is taken up at once and asked for once', async () => {
    const argv = ['fetch', '--instruments', 'AAPL.NASDAQ', '--timeframe', '1MIN']
    await tidegate(folder, [...argv, '--start', '2026-11-16', '--end', '2026-11-17'], { env })
    await folders.inStore(folder, async (store) => {
      const [series] = await store.series()
      const window = { start: parseInstant('2026-11-17'), end: parseInstant('2026-11-18') }
      const chunks = [{ seriesId: series?.id ?? 0, window }]
      const { chunkIds } = await store.createRun({ id: 'killed', source: 'fetch', chunks, now: NOW_MS / 1000 - 10 })
      await store.delivered(
        (await store.outbox(10)).map((entry) => entry.id),
        NOW_MS / 1000 - 10,
      )
      expect(await store.claim(chunkIds[0] ?? '', { now: NOW_MS / 1000 - 10, leaseSec: 300 })).toBeDefined()
    })
    const asked = requests()
    const { status, out, err } = await tidegate(folder, [...argv, ...DAY], { env })
    expect(out).toMatch(/AAPL\.NASDAQ .* 390 /)
    expect({ status, err: err.includes('gap left') }).toEqual({ status: 0, err: false })
    expect(requests()).toBe(asked + 1)
  })
})
