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
})
