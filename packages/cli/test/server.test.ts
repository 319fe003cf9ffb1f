import { sleep } from '@tidegate/cli'
import { createSimulator, type Simulator } from '@tidegate/simulator'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { begin, createFolders, NOW_MS, type RunningCommand, SLOW_MS, tidegate } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

/** `reqHistoricalData`, as the wire numbers it. */
const HISTORY = 20
const START = 71
const DAY = ['--start', '2026-11-17', '--end', '2026-11-18']

let folders: Awaited<ReturnType<typeof createFolders>>
let simulator: Simulator
let folder: string
let server: RunningCommand

beforeAll(async () => {
  folders = await createFolders()
  folder = await folders.next()
  simulator = await createSimulator({ now: () => NOW_MS })
  const env = { IBKR_HOST: simulator.host, IBKR_PORT: String(simulator.port) }
  const quick: typeof sleep = (ms, signal) => sleep(Math.min(ms, 100), signal)
  server = begin(folder, ['start', '--port', '0'], { env, first: [], sleep: quick })
  await vi.waitUntil(() => server.said().includes('Serving at'), { timeout: SLOW_MS, interval: 20 })
})
afterAll(async () => {
  server.stop()
  await server.outcome
  await simulator.close()
  await folders.remove()
})

describe('a Tidegate that runs', () => {
  test('says that its gateway makes its data up, also where the gateway was named', () => {
    expect(server.said()).toContain('SIMULATED DATA')
  })

  test.each([
    [['--instruments', 'NOSUCH.NASDAQ'], 1, /NOSUCH\.NASDAQ: .*security definition/i],
    [['--instruments', 'EUR.USD'], 1, /EUR\.USD: .*\. Did you mean EUR\/USD\?/],
    [['--instruments', '//'], 2, /--instruments: "\/\/".*instrument/],
    [['--start', '2026-11-18'], 2, /--start: .* 2026-11-18T00:00:00Z must be before the end 2026-11-18T00:00:00Z/],
    [['--start', '2024-02-30'], 2, /--start: "2024-02-30" is no instant/],
    [['--end', 'tomorrow'], 2, /--end: "tomorrow" is no instant/],
    [['--timeframe', '7MIN'], 2, /--timeframe: "7MIN" is no timeframe: expected 1MIN/],
    [['--timeframe', '7-MINUTE-LAST'], 2, /--timeframe: .*steps for MINUTE are 1, 2, 3, 5/],
  ] as const)('refuses %j in one line that says why', async (faulty, expected, message) => {
    const argv = ['fetch', '--instruments', 'AAPL.NASDAQ', ...DAY, '--timeframe', '1MIN', ...faulty]
    const { status, out, err } = await tidegate(folder, argv)
    expect(err).toMatch(message)
    expect(err).toMatch(/^tidegate: [^\n]+\n$/)
    expect({ status, out }).toEqual({ status: expected, out: '' })
    expect(simulator.received.filter(({ messageId }) => messageId === HISTORY)).toEqual([])
  })

  test('goes on with a run whose command was interrupted', async () => {
    const argv = ['fetch', '--instruments', 'MSFT.NASDAQ', ...DAY, '--timeframe', '1MIN']
    const command: RunningCommand = begin(folder, argv, {
      async fetch(request) {
        const response = await fetch(request)
        if (new URL(request.url).pathname === '/v1/runs') command.stop()
        return response
      },
    })
    const { status, err } = await command.outcome
    expect(err).toMatch(/The run goes on in the Tidegate at (http:\S+) as (\S+)\. .* GET \1\/v1\/runs\/\2\n/)
    expect(status).toBe(130)
    const again = await tidegate(folder, argv)
    expect(again.out).toMatch(/MSFT\.NASDAQ .* 390 /)
    expect(again.status).toBe(0)
    const bars = simulator.received.filter(
      ({ messageId, fields }) => messageId === HISTORY && !fields.includes('SCHEDULE'),
    )
    expect(bars).toHaveLength(1)
  })

  test('is asked how its gateway is connected, and not of another that was meant by its port', async () => {
    const connections = () => simulator.received.filter(({ messageId }) => messageId === START).length
    const before = connections()
    for (const env of [{}, { IBKR_PORT: String(simulator.port) }]) {
      const own = await tidegate(folder, ['connect'], { env })
      expect(own.out).toMatch(new RegExp(`port +│ ${simulator.port}`))
      expect(own.status).toBe(0)
    }
    // It has a bridge already: a second one would not know what the first sends.
    expect(connections()).toBe(before)
    const meant = await tidegate(folder, ['connect'], { env: { IBKR_PORT: '1' } })
    expect(meant.err).toContain('Nobody answers at 127.0.0.1:1')
    expect(meant.status).toBe(1)
  })

  test('tells when its gateway is gone, and when it is back', async () => {
    const said = expect.poll(server.said, { timeout: SLOW_MS, interval: 20 })
    await simulator.event({ type: 'logout' })
    await said.toMatch(/15:30 UTC {2}The gateway can't be asked: \S+ since \S+ \S+ UTC: /)
    await simulator.event({ type: 'login' })
    await said.toContain('15:30 UTC  The gateway can be asked again.\n')
  })
})
