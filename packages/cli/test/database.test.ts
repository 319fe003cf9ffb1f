import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSimulator, type Simulator } from '@tidegate/simulator'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Postgres, startPostgres } from '../../../test/support/postgres.ts'
import { NOW_MS, SLOW_MS, tidegate } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

/** `reqHistoricalData`, as the wire numbers it. */
const HISTORY = 20

let postgres: Postgres
let simulator: Simulator
let folder: string
let env: Record<string, string>

beforeAll(async () => {
  postgres = await startPostgres()
  simulator = await createSimulator({ now: () => NOW_MS, faults: { delayMs: 50 } })
  folder = await mkdtemp(join(tmpdir(), 'tidegate-database-'))
  env = { DATABASE_URL: await postgres.freshDatabase(), IBKR_PORT: String(simulator.port) }
})
afterAll(async () => {
  await simulator.close()
  await postgres.close()
  await rm(folder, { recursive: true, force: true })
})

describe('a Postgres server as the database', () => {
  test('is migrated, and named without its password', async () => {
    const first = await tidegate(folder, ['migrate'], { env })
    expect(first.out).toMatch(/^The schema at 127\.0\.0\.1:\d+\/fresh_1 is up to date: \d+ migrations? applied\.\n$/)
    expect((await tidegate(folder, ['migrate'], { env })).out).toContain('was up to date')
  })

  test('two fetches of one window at once both end with all of it, and no chunk is asked for twice', async () => {
    const window = ['--start', '2026-10-01', '--end', '2026-11-18']
    const argv = ['fetch', '--instruments', 'AAPL.NASDAQ,EUR/USD', ...window, '--timeframe', '1MIN']
    // From two folders, as from two machines: in one, the second would be refused for the bridge of the first.
    const elsewhere = await mkdtemp(join(tmpdir(), 'tidegate-elsewhere-'))
    const outcomes = await Promise.all([tidegate(folder, argv, { env }), tidegate(elsewhere, argv, { env })])
    await rm(elsewhere, { recursive: true, force: true })
    for (const { status, out, err } of outcomes) {
      expect(err).not.toContain('gap left')
      expect(out).toMatch(/AAPL\.NASDAQ +│ 1-MINUTE-LAST +│ regular +│ +13,260 .* 0 │/)
      expect(status).toBe(0)
    }
    const asked = simulator.received
      .filter(({ messageId, fields }) => messageId === HISTORY && !fields.includes('SCHEDULE'))
      .map(({ fields }) => fields.slice(2).join(' '))
      // Chunks end at midnight and reach five bars beyond; the few bars that prove a scale are asked for by either.
      .filter((request) => request.includes('-00:05:00 '))
    expect(asked.length).toBeGreaterThan(10)
    expect(new Set(asked).size).toBe(asked.length)
  })

  test('that is gone is named, with what to check', async () => {
    await postgres.stop()
    const { status, err } = await tidegate(folder, ['series'], { env })
    expect(err).toMatch(/^tidegate: The database at 127\.0\.0\.1:\d+\/fresh_1 failed: .*DATABASE_URL/)
    expect(status).toBe(1)
  })
})
