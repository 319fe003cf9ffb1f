import { setImmediate } from 'node:timers/promises'
import { createSimulator } from '@tidegate/simulator'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createPlaces, NOW_MS, type Place, SLOW_MS, tidegate } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

const DAYS = ['--start', '2026-10-01', '--end', '2026-11-18']
const WEEK = ['--start', '2026-11-11', '--end', '2026-11-18']
const BARS = ['bars', '--instrument', 'AAPL', '--timeframe', '1MIN']

let places: Awaited<ReturnType<typeof createPlaces>>
let place: Place
beforeAll(async () => {
  places = await createPlaces()
  place = await places.next()
  const simulator = await createSimulator({ now: () => NOW_MS })
  await run(['fetch', '--instruments', 'AAPL', ...DAYS, '--timeframe', '1MIN'], String(simulator.port))
  await run(['fetch', '--instruments', 'MSFT', ...WEEK, '--timeframe', '1MIN'], String(simulator.port))
  await simulator.close()
})
afterAll(() => places.remove())

const run = (argv: readonly string[], port = '1') =>
  tidegate(place.folder, argv, { env: { ...place.env, IBKR_PORT: port } })

describe('what is stored', () => {
  test('is written as CSV, page after page, each bar once', async () => {
    const { status, out, err } = await run([...BARS, ...DAYS])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    const [header, ...lines] = out.trimEnd().split('\n')
    expect(header).toBe('ts,open,high,low,close,volume,wap,count')
    expect(lines).toHaveLength(13_260)
    expect(lines[0]).toMatch(/^2026-10-01T13:30:00Z(,\d+(\.\d+)?){7}$/)
    const times = lines.map((line) => line.slice(0, 20))
    expect(times).toEqual([...new Set(times)].sort())
  })

  test('is asked for no faster than it is read', async () => {
    const env = { TIDEGATE_URL: 'http://tidegate.test', TIDEGATE_KEY: 'k'.repeat(32) }
    const steps: string[] = []
    const fetch = async (request: Request) => {
      steps.push('asked')
      const next = new URL(request.url).searchParams.get('start') === '2026-10-01' ? '2026-10-02T00:00:00Z' : null
      return Response.json({ bars: { t: [0], o: [1], h: [1], l: [1], c: [1], v: [1], w: [1], n: [1] }, next })
    }
    const taken = async () => {
      await setImmediate()
      steps.push('taken')
    }
    const { out } = await tidegate('/nowhere', [...BARS, ...DAYS], { env, fetch, taken })
    expect(out).toMatch(/^ts,.*\n(1970-01-01T00:00:00Z(,1){7}\n){2}$/)
    expect(steps).toEqual(['asked', 'taken', 'asked', 'taken'])
  })

  test('is written of one scale: the next page is asked for with the adjustment of the one before', async () => {
    const env = { TIDEGATE_URL: 'http://tidegate.test', TIDEGATE_KEY: 'k'.repeat(32) }
    const asked: (string | null)[] = []
    const fetch = async (request: Request) => {
      const { searchParams } = new URL(request.url)
      asked.push(searchParams.get('adjustment'))
      const message = 'The series was adjusted after a split while it was read: read it from its first page again.'
      if (asked.length > 1) return Response.json({ error: { kind: 'conflict', message } }, { status: 409 })
      const bars = { t: [0], o: [1], h: [1], l: [1], c: [1], v: [1], w: [1], n: [1] }
      return Response.json({ bars, next: '2026-10-02T00:00:00Z', adjustment: 7 })
    }
    const { status, err } = await tidegate('/nowhere', [...BARS, ...DAYS], { env, fetch })
    expect(asked).toEqual([null, '7'])
    expect(status).toBe(1)
    expect(err).toContain('adjusted after a split')
  })

  test('is written as JSON', async () => {
    const window = ['--start', '2026-11-17T15:00Z', '--end', '2026-11-17T15:03Z']
    const { out } = await run([...BARS, ...window, '--json'])
    const bars: { ts: string; count: number }[] = JSON.parse(out)
    expect(bars.map(({ ts }) => ts)).toEqual(['2026-11-17T15:00:00Z', '2026-11-17T15:01:00Z', '2026-11-17T15:02:00Z'])
    expect(Object.keys(bars[0] ?? {})).toEqual(['ts', 'open', 'high', 'low', 'close', 'volume', 'wap', 'count'])
    const none = await run([...BARS, '--start', '2025-01-01', '--end', '2025-01-02', '--json'])
    expect(JSON.parse(none.out)).toEqual([])
  })

  test('of nothing is an error that says what to do', async () => {
    const { status, out, err } = await run(['bars', '--instrument', 'SPY', '--timeframe', '1MIN', ...DAYS])
    expect(err).toMatch(/^tidegate: Nothing is stored of SPY 1-MINUTE-LAST.*: fetch it first, with tidegate fetch/)
    expect({ status, out }).toEqual({ status: 1, out: '' })
  })

  test('of other hours than those that are stored is an error that names these', async () => {
    const { status, err } = await run([...BARS, ...DAYS, '--hours', 'all'])
    expect(err).toMatch(
      /Nothing is stored of AAPL\S* 1-MINUTE-LAST in all hours: it is stored in regular hours: say --hours regular, or fetch it/,
    )
    expect(status).toBe(1)
  })

  test('is listed for one instrument, whatever it is called', async () => {
    expect((await run(['series'])).out).toMatch(/MSFT\.NASDAQ/)
    const one = await run(['series', 'AAPL'])
    expect(one.out).toMatch(/AAPL\.NASDAQ/)
    expect(one.out).not.toContain('MSFT')
    expect((await run(['series', 'SPY.ARCA'])).out).toBe('Nothing is stored of SPY.ARCA yet.\n')
  })

  test('needs no gateway to be found complete', async () => {
    const argv = ['fetch', '--instruments', 'AAPL,MSFT', ...WEEK, '--timeframe', '1MIN']
    const { status, out, err } = await run(argv)
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/MSFT\.NASDAQ +│ 1-MINUTE-LAST +│ regular +│ +1,950 /)
    expect(out).toContain('Everything was covered already')
    const more = await run([...argv, '--end', '2026-11-19'])
    expect(more.err).toContain('Nobody answers at 127.0.0.1:1')
    expect(more.status).toBe(1)
  })
})
