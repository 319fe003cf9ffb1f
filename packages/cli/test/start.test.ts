import { readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FirstPart, sleep } from '@tidegate/cli'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { begin, createFolders, createPlaces, NOW_MS, type RunningCommand, SLOW_MS, tidegate } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

const FIRST: readonly FirstPart[] = [
  { name: 'first-stocks', instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'], spec: '1-MINUTE-LAST', days: 3 },
  { name: 'first-currencies', instruments: ['EUR/USD.IDEALPRO'], spec: '5-MINUTE-MID', days: 5 },
  { name: 'first-futures', instruments: ['ESZ6.CME'], spec: '1-HOUR-LAST', days: 10 },
  { name: 'first-funds', instruments: ['SPY.ARCA'], spec: '1-DAY-LAST', days: 60 },
]
const ONCE = ['start', '--once']

const FUNDS = FIRST.slice(3)

/** Databases of their own in the folders, and on a server, where there is nothing to be seen of the folder's. */
let folders: Awaited<ReturnType<typeof createFolders>>
let places: Awaited<ReturnType<typeof createPlaces>>
beforeAll(async () => {
  ;[folders, places] = await Promise.all([createFolders(), createPlaces()])
})
afterAll(async () => {
  await places.remove()
  await folders.remove()
})

const beacon = (folder: string) => join(folder, '.tidegate', 'server.json')
const serving = (command: RunningCommand) =>
  expect.poll(command.said, { timeout: SLOW_MS, interval: 20 }).toContain('Serving at')

describe('start --once', () => {
  test('in a folder without data fills the first dataset and ends; once more it fetches nothing', async () => {
    const folder = await folders.next()
    const first = await tidegate(folder, ONCE, { first: FIRST })
    expect(first.err).not.toContain('gap left')
    expect(first.status).toBe(0)
    expect(first.out).toContain('SIMULATED DATA')
    for (const { instruments, spec } of FIRST) {
      for (const id of instruments) expect(first.out).toMatch(new RegExp(`${id} +│ ${spec} .* 0 │`))
    }
    expect(first.err).toMatch(/SPY\.ARCA 1-DAY-LAST: 1\/1 chunks/)
    await expect(stat(beacon(folder))).rejects.toThrow('ENOENT')

    const again = await tidegate(folder, ONCE, { first: FIRST })
    expect(again.status).toBe(0)
    expect(again.out).toBe(first.out)
    expect(again.err).toBe('')
  })

  test('later fetches only what came since, from where the dataset began', async () => {
    const { folder, env } = await places.next()
    await tidegate(folder, ONCE, { env, first: FIRST, now: () => NOW_MS })
    const later = await tidegate(folder, ONCE, { env, first: FIRST, now: () => NOW_MS + 3_600_000 })
    expect(later.status).toBe(0)
    expect(later.err).toMatch(/AAPL\.NASDAQ 1-MINUTE-LAST: 1\/1 chunks, 60 bars/)
    expect(later.err).not.toContain('SPY.ARCA')
  })

  test('names an instrument that can not be had, and the rest is there', async () => {
    const { folder, env } = await places.next()
    const wrong = { name: 'first-others', instruments: ['ES'], spec: '1-HOUR-LAST', days: 10 }
    const { status, out, err } = await tidegate(folder, ONCE, { env, first: [wrong, ...FUNDS] })
    expect(err).toMatch(/not fetched: ES: .*\. Did you mean ESZ6\.CME\?\n/)
    expect(out).toMatch(/SPY\.ARCA +│ 1-DAY-LAST .* 0 │/)
    expect(status).toBe(1)
    const nothing = await tidegate(folder, ONCE, { env, first: [wrong] })
    expect(nothing.err).toMatch(/^tidegate: ES: /)
    expect(nothing.status).toBe(1)
  })

  test('interrupted while it fills says so', async () => {
    const { folder, env } = await places.next()
    const command = begin(folder, ONCE, { env, first: FIRST, sleep: async () => command.stop() })
    const { status, err } = await command.outcome
    expect(err).toContain('the next start goes on where this one stopped')
    expect(status).toBe(130)
  })

  test('of two at once one goes on and the other names it', async () => {
    const folder = await folders.next()
    const outcomes = await Promise.all([
      tidegate(folder, ONCE, { first: FUNDS }),
      tidegate(folder, ONCE, { first: FUNDS }),
    ])
    const [won, lost] = outcomes.sort((a, b) => a.status - b.status)
    expect(won?.status).toBe(0)
    expect(lost?.status).toBe(1)
    expect(lost?.err).toMatch(new RegExp(`process ${process.pid}`))
  })

  test('is not kept from it by the files of a process that is gone', async () => {
    const folder = await folders.next()
    const dead = { url: 'http://127.0.0.1:9', key: 'k'.repeat(64), pid: 2 ** 22 + 1 }
    await writeFile(beacon(folder), JSON.stringify(dead))
    await writeFile(join(folder, '.tidegate', 'db.lock'), String(dead.pid))
    const { status } = await tidegate(folder, ONCE, { first: FUNDS })
    expect(status).toBe(0)
  })
})

describe('start', () => {
  test('keeps datasets current while a first fill takes hours', async () => {
    const { folder, env } = await places.next()
    // Whoever looks how far it has come sleeps until the end.
    const sleepOn = (_: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    const command = begin(folder, ['start', '--port', '0'], { env, first: FIRST, sleep: sleepOn })
    try {
      // Declared, they were due at once: a pass of the schedule has seen them all.
      const dues = async () => {
        const { out } = await tidegate(folder, ['datasets', '--json'])
        const { datasets } = JSON.parse(out || '{"datasets":[]}') as { datasets: { dueAt: string }[] }
        return datasets.map(({ dueAt }) => dueAt)
      }
      const later = '2026-11-20T15:31:00Z'
      await expect.poll(dues, { timeout: SLOW_MS, interval: 100 }).toEqual(FIRST.map(() => later))
      expect(command.said()).toContain('Listening at http://127.0.0.1:')
      expect(command.said()).not.toContain('Serving at')
    } finally {
      command.stop()
    }
    expect((await command.outcome).status).toBe(0)
  })

  test('serves the other commands in its folder, tells what came, and leaves nothing behind', async () => {
    const { folder, env } = await places.next()
    const command = begin(folder, ['start', '--port', '0'], {
      env,
      first: FUNDS,
      sleep: (ms, signal) => sleep(Math.min(ms, 100), signal),
    })
    try {
      await serving(command)
      expect((await stat(beacon(folder))).mode & 0o777).toBe(0o600)
      const { key, url } = JSON.parse(await readFile(beacon(folder), 'utf8'))
      expect(command.said()).not.toContain(key)

      const window = ['--start', '2026-11-17', '--end', '2026-11-18']
      const fetched = await tidegate(folder, ['fetch', '--instruments', 'MSFT', ...window, '--timeframe', '5MIN'])
      expect(fetched.out).toMatch(/MSFT\.NASDAQ +│ 5-MINUTE-LAST +│ regular +│ +78 /)
      expect(fetched.status).toBe(0)
      const news = expect.poll(command.said, { timeout: SLOW_MS, interval: 20 })
      await news.toMatch(/15:30 UTC {2}78 new bars in 1 series\n/)
      expect(await readFile(join(folder, '.tidegate', 'tidegate.log'), 'utf8')).toContain('"msg":"chunk committed"')

      const status = await tidegate(folder, ['status'])
      expect(status.out).toContain(`Tidegate at ${url}`)
      expect(status.out).toMatch(/database +│ answers/)
      expect(status.out).toMatch(/SIMULATED/)
      expect(status.status).toBe(0)

      const series = await tidegate(folder, ['series'])
      expect(series.out).toMatch(/MSFT\.NASDAQ +│ 5-MINUTE-LAST .* 2026-11-17 00:00 to 2026-11-18 00:00/)
      expect((await tidegate(folder, ['connect'])).out).toMatch(/account +│ SIM/)

      const elsewhere = { env: { TIDEGATE_URL: url, TIDEGATE_KEY: key } }
      expect((await tidegate(tmpdir(), ['series'], elsewhere)).out).toBe(series.out)
      const wrong = await tidegate(tmpdir(), ['series'], { env: { ...elsewhere.env, TIDEGATE_KEY: 'k'.repeat(32) } })
      expect(wrong.err).toContain('This key is not the one')
      expect(wrong.status).toBe(1)

      const second = await tidegate(folder, ONCE, { first: FIRST })
      expect(second.err).toMatch(new RegExp(`already runs in this folder: process ${process.pid} at ${url}`))
      expect(second.status).toBe(1)

      const other = await places.next()
      const { port } = new URL(url)
      const taken = await tidegate(other.folder, ['start', '--port', port], { env: other.env, first: [] })
      expect(taken.err).toContain(`127.0.0.1:${port}: another program listens there`)
      expect(taken.status).toBe(1)
    } finally {
      command.stop()
    }
    expect((await command.outcome).status).toBe(0)
    await expect(stat(beacon(folder))).rejects.toThrow('ENOENT')
  })
})
