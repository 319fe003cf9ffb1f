import { type BarColumns, parseInstant, type Window } from '@tidegate/core'
import { expect, it } from 'vitest'
import { barsIn, STOCKS, splitBars } from './market.ts'
import { eachWorld } from './world.ts'

const at = parseInstant
const NOW = at('2026-03-12T12:00Z')
const OLD: Window = { start: at('2026-02-23'), end: at('2026-03-10') }
const ALL: Window = { start: OLD.start, end: at('2026-03-12') }
const SIZES: Readonly<Record<string, number>> = { '30-MINUTE-LAST': 1800, '1-HOUR-LAST': 3600, '1-DAY-LAST': 86_400 }
const SPECS = Object.keys(SIZES)

const { world } = eachWorld(NOW)

async function fetched(window: Window, specs: readonly string[], instruments = ['AAPL']): Promise<void> {
  await world.ingest.start({ instruments, specs: [...specs], hours: 'regular', window })
  await world.drain()
  await world.ingest.sweep()
  await world.drain()
}
const adjusted = async () =>
  (await world.store.adjustments({ limit: 20 })).map(
    ({ instrumentId, spec, state }) => `${instrumentId} ${spec} ${state}`,
  )
async function storedOf(spec: string): Promise<BarColumns> {
  const [series] = await world.store.series({ specs: [spec] })
  return world.store.bars(series?.id ?? 0, { start: 0, end: 4e9 }, 1e6)
}

it('a split that shows in one series is looked for in all others of its instrument at once', async () => {
  await fetched(OLD, SPECS)
  await fetched(OLD, ['1-DAY-LAST'], ['MSFT'])
  world.relay.tamper = (_, answer) => ({ ...answer, bars: splitBars(4, answer.bars) })
  await fetched(ALL, ['30-MINUTE-LAST'])
  expect((await adjusted()).sort()).toEqual(SPECS.map((spec) => `AAPL.NASDAQ ${spec} applied`).sort())
  for (const spec of SPECS) {
    const window = spec === '30-MINUTE-LAST' ? ALL : OLD
    expect(await storedOf(spec)).toEqual(splitBars(4, barsIn(STOCKS, SIZES[spec] ?? 0, window, NOW)))
  }
  const asked = world.relay.asked.length
  world.clock.nowMs += 3_600_000
  await world.ingest.sweep()
  await world.drain()
  expect(world.relay.asked.length).toBe(asked)
})

it('asks each of them once, whatever it finds there', async () => {
  await fetched(OLD, SPECS)
  const before = world.relay.asked.length
  world.relay.tamper = ({ barSize }, answer) =>
    barSize === '30 mins' ? { ...answer, bars: splitBars(4, answer.bars) } : answer
  await fetched(ALL, ['30-MINUTE-LAST'])
  expect(await adjusted()).toEqual(['AAPL.NASDAQ 30-MINUTE-LAST applied'])
  const others = world.relay.asked.slice(before).filter(({ barSize }) => barSize !== '30 mins')
  expect(others.map(({ barSize }) => barSize).sort()).toEqual(['1 day', '1 hour'])
  expect(await storedOf('1-DAY-LAST')).toEqual(barsIn(STOCKS, 86_400, OLD, NOW))
})
