import { stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatasetConfig } from '@tidegate/core'
import { createSimulator } from '@tidegate/simulator'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { begin, createPlaces, NOW_MS, type Place, SLOW_MS, tidegate } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

const STOCKS: DatasetConfig = {
  name: 'stocks',
  instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'],
  specs: ['DAILY'],
  since: '2026-11-02',
  schedule: { afterClose: '20m' },
}
const PAIRS: DatasetConfig = { ...STOCKS, name: 'pairs', instruments: ['EUR/USD'], schedule: { every: '1h' } }

const NOBODY =
  'tidegate: Nothing was changed: there is no terminal to ask at. Say --yes to do it without being asked.\n'

let places: Awaited<ReturnType<typeof createPlaces>>
let folder: string
let env: Place['env']
beforeAll(async () => {
  places = await createPlaces()
})
afterAll(() => places.remove())
beforeEach(async () => {
  ;({ folder, env } = await places.next())
})

const run = (...argv: string[]) => tidegate(folder, argv, { env })

/** Writes a config into a folder; TypeScript, which Node takes as it is, and keeps for as long as it runs: each is another file. */
async function declare(folder: string, text: string | readonly DatasetConfig[], file = 'tidegate.config.ts') {
  const datasets = typeof text === 'string' ? text : `const datasets: object[] = ${JSON.stringify(text)}`
  await writeFile(join(folder, file), `${datasets}\nexport default { datasets }\n`)
}

describe('apply', () => {
  test('shows what is new, declares it, and then has nothing to change', async () => {
    await declare(folder, [STOCKS, PAIRS])
    const dry = await run('apply', '--dry-run')
    expect(dry.out).toBe(
      '+ stocks\n    instruments: AAPL.NASDAQ, MSFT.NASDAQ\n    specs: DAILY\n    since: 2026-11-02\n    hours: regular\n' +
        '    schedule: 20m after each close\n' +
        '+ pairs\n    instruments: EUR/USD\n    specs: DAILY\n    since: 2026-11-02\n    hours: regular\n' +
        '    schedule: every 1h\nNothing was changed.\n',
    )
    expect(dry.status).toBe(0)
    const unasked = await run('apply')
    expect(unasked.out).toBe(dry.out.replace('Nothing was changed.\n', ''))
    expect(unasked.err).toBe(NOBODY)
    expect(unasked.status).toBe(2)
    const applied = await run('apply', '--yes')
    expect(applied.out).toContain('2 datasets declared. What is declared is brought up to date while a Tidegate runs')
    expect(applied.status).toBe(0)
    const again = await run('apply')
    expect(again.out).toBe('2 datasets as tidegate.config.ts says: nothing to change.\n')
    expect(again.status).toBe(0)
  })

  test('shows what differs field by field, leaves alone what the config does not have, and removes it with --prune', async () => {
    await declare(folder, [STOCKS, PAIRS])
    await run('apply', '--yes')
    const schedule = { cron: '30 17 * * 1-5', zone: 'America/New_York' }
    const later: DatasetConfig = { ...STOCKS, instruments: ['AAPL.NASDAQ', 'SPY.ARCA'], since: '1y', schedule }
    await declare(folder, [{ ...later, priority: 'backfill' }], 'later.ts')
    const diff =
      '~ stocks\n    instruments: + SPY.ARCA − MSFT.NASDAQ\n    since: 2026-11-02 → 1y\n' +
      '    schedule: 20m after each close → 30 17 * * 1-5 (America/New_York)\n    priority: scheduled → backfill\n'
    const left = await run('apply', '--yes', '--config', 'later.ts')
    expect(left.out).toContain(`${diff}− pairs: not in the config, left alone\n1 dataset declared.`)
    const pruned = await run('apply', '--yes', '--config', 'later.ts', '--prune')
    expect(pruned.out).toContain(
      '− pairs: not in the config; its data are kept\n0 datasets declared, 1 dataset removed.',
    )
  })

  test('asks a person at a terminal, and changes nothing without a yes', async () => {
    await declare(folder, [STOCKS])
    const asked: string[] = []
    const answering = (answer: boolean) => async (question: string) => {
      asked.push(question)
      return answer
    }
    const refused = await tidegate(folder, ['apply'], { env, ask: answering(false) })
    expect([refused.status, refused.out]).toEqual([
      1,
      expect.stringMatching(/^\+ stocks\n(.*\n)+Nothing was changed\.\n$/),
    ])
    expect((await tidegate(folder, ['apply', '--yes'], { env, ask: answering(false) })).status).toBe(0)
    expect(asked).toEqual(['Apply this? [y/N] '])
    const drop = ['datasets', 'remove', 'stocks', '--drop-data']
    expect((await tidegate(folder, drop, { env, ask: answering(false) })).status).toBe(1)
    expect(await tidegate(folder, drop, { env })).toEqual({ status: 2, out: '', err: NOBODY })
    expect((await tidegate(folder, drop, { env, ask: answering(true) })).out).toContain('stocks is removed.')
  })

  test.each([
    ['const datasets: = []', /tidegate\.config\.ts can not be loaded: .*expected a module whose default export/s],
    ['const datasets = missing', /tidegate\.config\.ts can not be loaded: missing is not defined/],
    [
      "const datasets = [{ name: 'x', since: 'never' }]",
      /tidegate\.config\.ts is not as expected:\n- x, instruments: /,
    ],
    ['const datasets = undefined', /datasets: expected a list of datasets/],
    [
      "const datasets = [{ get name() { throw new Error('no name today') } }]",
      /\/tidegate\.config\.ts can not be loaded: no name today \(expected a module/,
    ],
  ])('of a broken config (%s) says what was expected, and makes no database', async (text, message) => {
    await declare(folder, text)
    const { status, out, err } = await tidegate(folder, ['apply'])
    expect([status, out]).toEqual([1, ''])
    expect(err).toMatch(message)
    expect((await tidegate(folder, ['apply', '--config', 'other.ts'])).err).toContain(
      `There is no ${join(folder, 'other.ts')}`,
    )
    await expect(stat(join(folder, '.tidegate'))).rejects.toThrow('ENOENT')
  })
})

test('a config that never settles is given up after a while, or when it is interrupted', async () => {
  await declare(folder, 'const datasets = await new Promise(() => {})')
  const waits: number[] = []
  const sleep = async (ms: number) => void waits.push(ms)
  const late = await tidegate(folder, ['apply'], { env, sleep })
  expect(late.err).toMatch(
    /\/tidegate\.config\.ts was not loaded within 30 s: what does it wait for\? \(expected a module/,
  )
  expect([late.status, waits]).toEqual([1, [30_000]])
  const command = begin(folder, ['start', '--once'], { env, sleep: async () => command.stop() })
  const { status, err } = await command.outcome
  expect(err).toMatch(/^tidegate: Interrupted while .*\/tidegate\.config\.ts was loaded\. Nothing was changed\.\n$/)
  expect(status).toBe(130)
})

describe('datasets', () => {
  test('are filled by start as the config declares, listed, paused, resumed, and removed without their data', async () => {
    const young: DatasetConfig = {
      ...PAIRS,
      name: 'young',
      instruments: ['GOOG.NASDAQ'],
      specs: ['1-WEEK-LAST'],
      since: 'head',
    }
    await declare(folder, [{ ...young, name: 'others' }], 'others.ts')
    await run('apply', '--yes', '--config', 'others.ts')
    await declare(folder, [STOCKS, young])
    const started = await run('start', '--once')
    expect(started.err).not.toContain('gap left')
    expect(started.status).toBe(0)
    expect(started.out).toMatch(/AAPL\.NASDAQ +│ 1-DAY-LAST +│ regular +│ +14 /)
    const listed = await run('datasets')
    expect(listed.out).toMatch(/stocks +│ +2 │ 2026-11-02 +│ 20m after each close +│ .* 100\.0 % /)
    expect(listed.out).toMatch(/young +│ +1 │ head +│ every 1h .* 100\.0 % /)

    expect(started.out).toContain('not in tidegate.config.ts: others.')
    expect((await run('datasets', 'pause', 'stocks')).out).toBe('stocks is paused.\n')
    expect((await run('datasets')).out).toMatch(/stocks .* paused /)
    expect((await run('datasets', 'resume', 'stocks')).out).toMatch(/^stocks goes on; it is due at /)
    expect((await run('datasets', 'remove', 'stocks')).out).toContain('Its data are kept')
    expect((await run('series', 'AAPL')).out).toMatch(/1-DAY-LAST +│ regular +│ +14 /)
    const gone = await run('datasets', 'remove', 'stocks')
    expect([gone.status, gone.err]).toEqual([1, 'tidegate: There is no dataset "stocks".\n'])
  })

  test('are brought up to date by run, also while they are paused; an unknown one needs no gateway to be told', async () => {
    await declare(folder, [STOCKS])
    await run('apply', '--yes')
    await run('datasets', 'pause', 'stocks')
    const simulator = await createSimulator({ now: () => NOW_MS })
    try {
      const own = { ...env, IBKR_PORT: String(simulator.port) }
      const first = await tidegate(folder, ['datasets', 'run', 'stocks'], { env: own })
      expect(first.out).toMatch(/AAPL\.NASDAQ +│ 1-DAY-LAST +│ regular +│ +14 .* 0 │/)
      expect(first).toMatchObject({ status: 0, err: expect.stringMatching(/MSFT\.NASDAQ 1-DAY-LAST: 1\/1 chunks/) })
      const again = await tidegate(folder, ['datasets', 'run', 'stocks'], { env: own })
      expect(again.out).toContain('Everything was covered already: nothing was asked of the gateway.\n')
      expect(again).toMatchObject({ status: 0, err: '' })
    } finally {
      await simulator.close()
    }
    const kept = await run('datasets', 'remove', 'stocks')
    expect(kept.out).toBe(
      'stocks is removed. Its data are kept: to delete them, declare it again and remove it with --drop-data.\n',
    )
    await run('apply', '--yes')
    await run('datasets', 'remove', 'stocks', '--drop-data', '--yes')
    expect((await run('series')).out).toBe('Nothing is stored yet.\n')
    for (const [place, settings] of [
      [folder, env],
      [tmpdir(), {}],
    ] as const) {
      const unknown = await tidegate(place, ['datasets', 'run', 'bonds'], { env: { ...settings, IBKR_PORT: '1' } })
      expect(unknown).toEqual({ status: 1, out: '', err: 'tidegate: There is no dataset "bonds".\n' })
    }
  })
})
