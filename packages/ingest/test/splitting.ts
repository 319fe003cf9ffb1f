import { type BarColumns, parseInstant, type Window } from '@tidegate/core'
import type { BarsRequest } from '@tidegate/relay'
import { beforeEach, expect } from 'vitest'
import { barsIn, type Market, STOCKS, splitBars } from './market.ts'
import { eachWorld, type Worlds } from './world.ts'

export const at = parseInstant
export const DAY_SEC = 86_400
export const NOW = at('2026-04-01T12:00Z')
export const JANUARY: Window = { start: at('2026-01-05'), end: at('2026-01-13') }
export const MARCH: Window = { start: at('2026-03-02'), end: at('2026-03-10') }
/** One bar an hour: few, whatever their size. */
export const HOURLY: Market = { ...STOCKS, quiet: (t) => t % 3600 !== 0 }

export const requestFor = (window: Window, spec: string) => ({
  instruments: ['AAPL'],
  specs: [spec],
  hours: 'regular' as const,
  window,
})
/** A backfill, so that what is asked before others stands out. */
export const backfill = (window: Window, spec: string) => ({
  ...requestFor(window, spec),
  priority: 'backfill' as const,
})
export const isProbe = ({ priority }: BarsRequest) => priority === 'interactive'

/** Worlds whose prices are told as after a split of `split.ratio` shares for one, and what is of which scale there. */
export function eachSplit() {
  const worlds = eachWorld(NOW)
  const { world } = worlds
  const split = { ratio: 1 }
  function begin(): void {
    split.ratio = 1
    world.relay.tamper = (_, answer) => ({ ...answer, bars: splitBars(split.ratio, answer.bars) })
  }
  beforeEach(begin)

  async function open(options: Parameters<Worlds['open']>[0]): Promise<void> {
    await worlds.open(options)
    begin()
  }

  async function fetched(window: Window, spec = '30-MINUTE-LAST'): Promise<void> {
    await world.ingest.start(requestFor(window, spec))
    await world.drain()
  }

  async function stored(): Promise<BarColumns> {
    const [series] = await world.store.series()
    return world.store.bars(series?.id ?? 0, { start: 0, end: 4e9 }, 1e6)
  }

  const adjustments = () => world.store.adjustments({ limit: 10 })

  /** The scale that each stored bar is of: one for all of them, if all is well. */
  async function scales(sizeSec: number, ratios: readonly number[]): Promise<number[]> {
    const { t, c } = await stored()
    const [first = 0] = t
    const market = barsIn(
      world.relay.market,
      sizeSec,
      { start: first, end: (t.at(-1) ?? 0) + 1 },
      world.clock.nowMs / 1000,
    )
    const price = new Map(market.t.map((time, i) => [time, market.c[i] ?? 0]))
    const scaleOf = (time: number, close: number) =>
      ratios.find((one) => Number(((price.get(time) ?? 0) / one).toFixed(6)) === close) ?? Number.NaN
    return [...new Set(t.map((time, i) => scaleOf(time, c[i] ?? 0)))]
  }

  /** Works on everything, so many at once, and looks after each whether there is one scale. */
  async function drainWatching(sizeSec: number, ratios: readonly number[], workers = 1): Promise<void> {
    for (let rest = 0; rest < 3; ) {
      const messages = world.queue.messages.splice(0)
      rest = messages.length === 0 ? rest + 1 : 0
      const work = async () => {
        for (let message = messages.shift(); message; message = messages.shift()) {
          await world.ingest.work(message.chunkId)
          expect((await scales(sizeSec, ratios)).length).toBeLessThan(2)
        }
      }
      await Promise.all(Array.from({ length: workers }, work))
      world.clock.nowMs += 130_000
      await world.ingest.sweep()
    }
  }

  /** Answers of the bridge come after so many turns of the loop. */
  function slowed(turns: () => number): void {
    const { bars } = world.relay
    world.relay.bars = async (request, signal) => {
      const answer = await bars(request, signal)
      await turned(turns())
      return answer
    }
  }

  return { world, split, open, fetched, stored, adjustments, scales, drainWatching, slowed }
}

/** So many turns of the loop. */
export async function turned(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise(setImmediate)
}
