import type { Contract } from '@tidegate/core'
import { afterEach, expect, it } from 'vitest'
import { createFakeClock } from './clock.ts'
import { NOW_SEC } from './market.ts'
import { AAPL, endAll, onEnd, request, sent, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

/** One share, by the names that it may be asked by. */
const NAMES: readonly Contract[] = [
  AAPL,
  { ...AAPL, conId: 1 },
  { ...AAPL, primaryExchange: 'NASDAQ' },
  { symbol: 'AAPL', secType: 'STK', exchange: 'SMART' },
]

async function strict() {
  const clock = createFakeClock(NOW_SEC * 1000)
  const simulator = await startSimulator({ now: clock.now, pacing: 'strict' })
  const { relay } = await startBridge(simulator.port, { clock, settings: { requestTimeoutMs: 600_000 } })
  const ask = (contract: Contract, end: number) =>
    relay.bars({ ...request({ contract, barSize: '5 secs', duration: '60 S', end }), waitMs: 60_000 })
  const arrived = async (count: number) => {
    for (let i = 0; i < 100 && sent(simulator, 20) < count; i++) await clock.advance(250)
    return sent(simulator, 20)
  }
  onEnd(() => clock.advance(600_000))
  return { simulator, clock, ask, arrived }
}

it('a contract counts as one, whatever it is called', async () => {
  const { simulator, clock, ask, arrived } = await strict()
  const answers = Promise.all(Array.from({ length: 8 }, (_, n) => ask(NAMES[n % 4] ?? AAPL, NOW_SEC - n * 60)))
  await until('some arrived', () => sent(simulator, 20) === 5)
  await clock.advance(1900)
  expect(sent(simulator, 20)).toBe(5)
  expect(await arrived(8)).toBe(8)
  expect(simulator.violations).toEqual([])
  await answers
})

it('a request is the same, whatever its contract is called', async () => {
  const { simulator, clock, ask, arrived } = await strict()
  const answers = Promise.all(NAMES.slice(0, 2).map((contract) => ask(contract, NOW_SEC)))
  await until('one arrived', () => sent(simulator, 20) === 1)
  await clock.advance(15_000)
  expect(sent(simulator, 20)).toBe(1)
  expect(await arrived(2)).toBe(2)
  expect(simulator.violations).toEqual([])
  const [one, two] = await answers
  expect(one?.bars).toEqual(two?.bars)
})
