import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSimulator, type Simulator } from '@tidegate/simulator'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createPlaces, NOW_MS, SLOW_MS, tidegate } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

let places: Awaited<ReturnType<typeof createPlaces>>
let folder: string
let simulator: Simulator
let env: Record<string, string>
beforeAll(async () => {
  places = await createPlaces()
  const place = await places.next()
  simulator = await createSimulator({ now: () => NOW_MS })
  folder = place.folder
  env = { ...place.env, IBKR_PORT: String(simulator.port) }
  const window = ['--start', '2026-11-09', '--end', '2026-11-14']
  const fetched = await tidegate(
    folder,
    ['fetch', '--instruments', 'AAPL,EUR/USD', ...window, '--timeframe', '1MIN,DAILY'],
    { env },
  )
  expect(fetched.status).toBe(0)
})
afterAll(async () => {
  await simulator.close()
  await places.remove()
})

describe('coverage', () => {
  test('of what is all there is proven, and ends with 0', async () => {
    const { status, out, err } = await tidegate(folder, ['coverage', '--end', '2026-11-14'], { env })
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(
      /AAPL\.NASDAQ +│ 1-MINUTE-LAST +│ regular +│ 2026-11-09 00:00 +│ +5 of 5 +│ +100 % +│ – +│ +0 │/,
    )
    expect(out).toMatch(/EUR\/USD\.IDEALPRO +│ 1-DAY-MID +│ .* 5 of 5 +│ +100 %/)
    expect(out).toContain('Complete: IBKR has answered everything that is due.')
  })

  test('of what has gaps names them, and ends with 1', async () => {
    const argv = ['coverage', '--instruments', 'AAPL', '--timeframe', 'DAILY', '--start', '2026-11-05']
    const { status, out } = await tidegate(folder, argv, { env })
    expect(status).toBe(1)
    expect(out).toMatch(/5 of 11 +│ +45\.4 % +│ 2026-11-05 00:00 to 2026-11-09 00:00/)
    expect(out).toMatch(/│ 2026-11-14 00:00 to 2026-11-20 00:00/)
    expect(out).toContain('1 of 1 series has gaps.')
  })

  test('lists the sessions', async () => {
    const window = ['--start', '2026-11-12', '--end', '2026-11-18']
    const argv = ['coverage', '--instruments', 'AAPL', '--timeframe', '1MIN', ...window, '--sessions']
    const { status, out } = await tidegate(folder, argv, { env })
    expect(status).toBe(1)
    expect(out).toContain('AAPL.NASDAQ 1-MINUTE-LAST, regular hours')
    expect(out).toMatch(/2026-11-13 +│ 2026-11-13 14:30 +│ 2026-11-13 21:00 +│ +390 +│ +390 +│ complete +│ +0 │/)
    expect(out).toMatch(/2026-11-16 +│ 2026-11-16 14:30 +│ 2026-11-16 21:00 +│ +0 +│ +390 +│ missing/)
  })

  test('of what is not stored is not proven', async () => {
    const { status, err } = await tidegate(folder, ['coverage', '--instruments', 'AAPL,SPY', '--end', '2026-11-14'], {
      env,
    })
    expect({ status, err }).toEqual({ status: 1, err: 'Nothing is stored of SPY.\n' })
  })

  test('of time that has not come proves nothing', async () => {
    const { status, out } = await tidegate(folder, ['coverage', '--instruments', 'AAPL', '--start', '2026-12-01'], {
      env,
    })
    expect(status).toBe(1)
    expect(out).toMatch(/AAPL\.NASDAQ +│ 1-DAY-LAST +│ regular +│ – +│ +not due yet +│ +– +│ – /)
    expect(out).toContain('\nNothing of it is due yet.\n')
  })

  test('says which time it knows no sessions of, and does not leave it out of the share', async () => {
    const argv = ['coverage', '--instruments', 'AAPL', '--timeframe', 'DAILY', '--start', '2020-01-01']
    const { out } = await tidegate(folder, argv, { env })
    const [, had, due, percent] = /(\d+) of (\d+) +│ +([\d.]+) %/.exec(out) ?? []
    expect(Number(percent)).toBeLessThan((100 * Number(had)) / Number(due) / 2)
    expect(out).toMatch(
      /Sessions not known: AAPL\.NASDAQ 1-DAY-LAST, 2020-01-01 00:00 to 20\d\d-\d\d-\d\d \d\d:\d\d; this time counts by its days\./,
    )
  })

  test('says what can not be had and why, as plans do also once it is known', async () => {
    const what = [
      '--instruments',
      'MSFT',
      '--timeframe',
      '5-SECOND-LAST',
      '--start',
      '2026-03-02',
      '--end',
      '2026-03-03',
    ]
    const never =
      'Not to be had: MSFT.NASDAQ 5-SECOND-LAST, 2026-03-02 00:00 to 2026-03-03 00:00: IBKR keeps bars of 30 seconds'
    expect((await tidegate(folder, ['fetch', ...what], { env })).status).toBe(0)
    const plan = await tidegate(folder, ['plan', ...what], { env })
    expect(plan.out).toContain(never)
    expect(plan.out).not.toContain('Everything is covered')
    const { status, out } = await tidegate(folder, ['coverage', ...what], { env })
    expect(out).toMatch(/MSFT\.NASDAQ +│ 5-SECOND-LAST +│ .* none to be had +│ +– +│/)
    expect(out).toContain(never)
    expect(status).toBe(0)
  })

  test.each([
    ['--timeframe', '7MIN', 'no timeframe'],
    ['--instruments', 'AAPL,A?B', 'no instrument id'],
    ['--start', 'soon', 'no instant'],
    ['--hours', 'some', 'Allowed choices'],
  ])('%s %s is misuse', async (option, value, said) => {
    const { status, err } = await tidegate(folder, ['coverage', option, value])
    expect(status).toBe(2)
    expect(err).toContain(said)
  })

  test('of datasets is what they declare: the rest stands apart, and does not count', async () => {
    const dataset = { instruments: ['AAPL.NASDAQ'], specs: ['DAILY'], schedule: { every: '1d' } }
    const datasets = [
      { ...dataset, name: 'whole', since: '2026-11-09' },
      { ...dataset, name: 'more', since: '2026-11-05' },
    ]
    const config = join(folder, 'tidegate.config.ts')
    await writeFile(config, `export default { datasets: ${JSON.stringify(datasets)} }\n`)
    expect(await tidegate(folder, ['apply', '--yes'], { env })).toMatchObject({ status: 0 })
    const end = ['--end', '2026-11-14']
    const all = await tidegate(folder, ['coverage', ...end], { env })
    expect(all.status).toBe(1)
    const [judged = '', apart = ''] = all.out.split('Stored, and no dataset wants it; it does not count:')
    expect(judged).toMatch(/1-DAY-LAST .* 2026-11-05 00:00 .* 5 of 7 .* 2026-11-05 00:00 to 2026-11-09 00:00/)
    expect(judged).toContain('1 of 1 series has gaps.')
    expect(apart).toMatch(/AAPL\.NASDAQ +│ 1-MINUTE-LAST/)
    // What it says of shares is said of these too.
    expect(apart).toContain('Not to be had: MSFT.NASDAQ 5-SECOND-LAST, ')
    const whole = await tidegate(folder, ['coverage', '--dataset', 'whole', ...end], { env })
    expect(whole.out).toMatch(/1-DAY-LAST .* 2026-11-09 00:00 .* 5 of 5 +│ +100 %/)
    expect(whole.out).not.toContain('Stored, and')
    expect(whole.status).toBe(0)
    // What is named and what no dataset wants is judged all the same.
    const named = await tidegate(folder, ['coverage', '--timeframe', '1MIN', '--instruments', 'AAPL', ...end], { env })
    expect(named).toMatchObject({ status: 0, out: expect.stringContaining('Complete: IBKR') })
    const none = await tidegate(folder, ['coverage', '--dataset', 'none'], { env })
    expect(none.err).toContain('There is no dataset "none".')
    expect(none.status).toBe(1)
  })
})
