import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { BarColumns } from '@tidegate/core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { begin, createPlaces, type Place, type RunningCommand, SLOW_MS, tidegate } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

/** Real market data beside the checkout, where it is there; otherwise files of the same shape, with holes, made here. */
const REAL = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))
const BID = 'gbpusd-1min-bid-2012.csv.gz'
const ASK = 'gbpusd-1min-ask-2012.csv.gz'
const TRADES = '6EH4-1min-2024-01.csv.gz'
/** Days of the files: two weekends, a holiday of one of the countries, and holes. */
const GBP = { instrument: 'GBP/USD.IDEALPRO', start: '2012-02-17', end: '2012-02-28' }
const EUR = { instrument: '6EH4.CME', start: '2024-01-12', end: '2024-01-23' }

let places: Awaited<ReturnType<typeof createPlaces>>
let place: Place
let data: string
let simulator: RunningCommand
let env: Record<string, string>

beforeAll(async () => {
  places = await createPlaces()
  place = await places.next()
  data = existsSync(join(REAL, BID)) ? REAL : await makeFiles()
  const replays = [
    `${GBP.instrument}=${data}/${BID}`,
    `${GBP.instrument}=${data}/${ASK}`,
    `${EUR.instrument}=${data}/${TRADES}`,
  ]
  simulator = begin(place.folder, ['simulate', '--port', '0', ...replays.flatMap((replay) => ['--replay', replay])])
  await vi.waitUntil(() => simulator.said().includes('Stop it with Ctrl-C'), { timeout: SLOW_MS, interval: 20 })
  env = { ...place.env, IBKR_PORT: /listens on 127\.0\.0\.1:(\d+)/.exec(simulator.said())?.[1] ?? '' }
})
afterAll(async () => {
  simulator.stop()
  expect((await simulator.outcome).status).toBe(0)
  await places.remove()
  if (data !== REAL) await rm(data, { recursive: true })
})

describe('replayed files, fetched', () => {
  test(
    'bid and ask are the files’ rows to the digit, and mid is the mean of both',
    async () => {
      const argv = ['--timeframe', '1-MINUTE-BID,1-MINUTE-ASK,1-MINUTE-MID']
      const fetched = await fetch(GBP, argv)
      expect(fetched.err).not.toContain('gap left')
      expect(fetched.status).toBe(0)

      const [bid, ask] = [await rowsOf(BID, GBP), await rowsOf(ASK, GBP)]
      expect(bid.length).toBeGreaterThan(500)
      expect(await storedRows(GBP.instrument, '1-MINUTE-BID')).toEqual(bid)
      expect(await storedRows(GBP.instrument, '1-MINUTE-ASK')).toEqual(ask)
      const mids = await storedRows(GBP.instrument, '1-MINUTE-MID')
      expect(mids.map(([time]) => time)).toEqual(bid.map(([time]) => time))
      const worst = Math.max(
        ...mids.flatMap((mid, i) =>
          mid.slice(1, 5).map((price, j) => Math.abs((price ?? 0) - meanAt(bid, ask, i, j + 1))),
        ),
      )
      expect(worst).toBeLessThan(1e-9)

      expect((await fetch(GBP, argv)).out).toContain('Everything was covered already')
    },
    SLOW_MS,
  )

  test(
    'trades are the file’s rows to the digit, volumes too',
    async () => {
      const fetched = await fetch(EUR, ['--timeframe', '1-MINUTE-LAST', '--hours', 'all'])
      expect(fetched.err).not.toContain('gap left')
      expect(fetched.status).toBe(0)
      const trades = await rowsOf(TRADES, EUR)
      expect(trades.length).toBeGreaterThan(500)
      expect(await storedRows(EUR.instrument, '1-MINUTE-LAST')).toEqual(trades)
    },
    SLOW_MS,
  )

  test('what is replayed is said, with a command that fetches it', () => {
    expect(simulator.said()).toMatch(/GBP\/USD\.IDEALPRO +│ BID +│/)
    expect(simulator.said()).toContain(
      'npx tidegate fetch --instruments GBP/USD.IDEALPRO --timeframe 1-MINUTE-BID,1-MINUTE-ASK --hours all',
    )
    expect(simulator.said()).toMatch(/Its clock stands at 2024-/)
  })
})

test.each([
  ['GBP/USD.IDEALPRO=nowhere.csv', /nowhere\.csv/],
  ['NOSUCH.NASDAQ=empty.csv', /empty\.csv|NOSUCH/],
])('a file that can not be replayed is named: %s', async (replay, message) => {
  const { status, err } = await tidegate(place.folder, ['simulate', '--port', '0', '--replay', replay])
  expect(err).toMatch(message)
  expect(err).toMatch(/^tidegate: /)
  expect(status).toBe(1)
})

type Row = readonly (number | null)[]
type Part = typeof GBP

function fetch({ instrument, start, end }: Part, argv: readonly string[]) {
  return tidegate(place.folder, ['fetch', '--instruments', instrument, '--start', start, '--end', end, ...argv], {
    env,
  })
}

/** Time, open, high, low, close, and the volume where there is one, of a part of a file, by a reader of the test's own. */
async function rowsOf(name: string, { start, end }: Part): Promise<Row[]> {
  const [, ...lines] = gunzipSync(await readFile(join(data, name)))
    .toString('utf8')
    .trim()
    .split('\n')
  return lines.flatMap((line) => {
    const [time = '', ...values] = line.trim().split(',')
    if (time < start || time >= end) return []
    const seconds = Date.parse(`${time.slice(0, 19).replace(' ', 'T')}Z`) / 1000
    return [[seconds, ...values.map(Number), ...(values.length === 4 ? [null] : [])]]
  })
}

function storedRows(instrumentId: string, spec: string): Promise<Row[]> {
  return places.inStore(place, async (store) => {
    const [series] = await store.series({ instrumentIds: [instrumentId], specs: [spec] })
    if (!series) return []
    return rows(await store.bars(series.id, { start: 0, end: 4_000_000_000 }, 1_000_000))
  })
}

function rows({ t, o, h, l, c, v }: BarColumns): Row[] {
  return t.map((time, i) => [time, o[i] ?? null, h[i] ?? null, l[i] ?? null, c[i] ?? null, v[i] ?? null])
}

function meanAt(bid: readonly Row[], ask: readonly Row[], row: number, column: number): number {
  return ((bid[row]?.[column] ?? 0) + (ask[row]?.[column] ?? 0)) / 2
}

async function makeFiles(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'tidegate-replay-'))
  const gbp = minutes('2012-02-20T00:00Z', 900)
  const eur = minutes('2024-01-22T06:01Z', 900)
  const write = (name: string, lines: string[]) => writeFile(join(made, name), gzipSync(`${lines.join('\n')}\n`))
  await write(BID, ['timestamp,open,high,low,close', ...gbp.map(({ at, n }) => `${at}+00:00,${prices(1.57, n, 5)}`)])
  await write(ASK, ['timestamp,open,high,low,close', ...gbp.map(({ at, n }) => `${at}+00:00,${prices(1.5702, n, 5)}`)])
  await write(TRADES, [
    'timestamp_utc,open,high,low,close,volume',
    ...eur.map(({ at, n }) => `${at},${prices(1.1, n, 4)},${n + 1}`),
  ])
  return made
}

/** Minutes with a hole of an hour and single ones that are missing. */
function minutes(first: string, count: number): { at: string; n: number }[] {
  return Array.from({ length: count }, (_, n) => n)
    .filter((n) => n % 97 !== 5 && (n < 300 || n >= 360))
    .map((n) => ({ at: new Date(Date.parse(first) + n * SLOW_MS).toISOString().slice(0, 19).replace('T', ' '), n }))
}

function prices(base: number, n: number, digits: number): string {
  const unit = 10 ** -digits
  const open = base + (n % 83) * unit
  return [open, open + 7 * unit, open - 4 * unit, open + 2 * unit].map((price) => price.toFixed(digits)).join(',')
}
