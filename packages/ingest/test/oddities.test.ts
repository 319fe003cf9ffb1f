import { parseInstant, TidegateError } from '@tidegate/core'
import type { BarsAnswer } from '@tidegate/relay'
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { eachDatabase } from './database.ts'
import { barsIn, FX, type Market, STOCKS } from './market.ts'
import { createScheduled } from './scheduled.ts'
import { coveredOf, type World } from './world.ts'

const at = parseInstant
const HOUR_SEC = 3600
const DAY_SEC = 86_400
/** A Thursday. */
const NOW = at('2026-03-12T12:00Z')

const database = eachDatabase()
const scheduled = (nowSec: number, market?: Market) => createScheduled(database, nowSec, market)

describe('bars that do not belong or do not look right', () => {
  const day = { start: at('2026-03-10'), end: at('2026-03-11') }

  function mangled(world: World, mangle: (bars: BarsAnswer['bars']) => void): void {
    world.relay.tamper = (_, { bars, done }) => {
      mangle(bars)
      return { bars, done: { ...done, bars: bars.t.length } }
    }
  }
  const add = (bars: BarsAnswer['bars'], t: number, prices: readonly number[] = [1, 1, 1, 1]) => {
    const [o = 1, h = 1, l = 1, c = 1] = prices
    for (const [key, value] of Object.entries({ t, o, h, l, c, v: null, w: null, n: null })) {
      const column = bars[key as keyof typeof bars] as (number | null)[]
      column.push(value)
    }
  }
  const flagged = () =>
    database.rows<{ t: number; why: string }>(
      sql`select extract(epoch from ts)::float8 as t, why from flagged_bars order by ts`,
    )

  it('of other hours are left out of regular ones', async () => {
    const world = scheduled(NOW)
    mangled(world, (bars) => {
      for (const hour of [9, 12, 22]) add(bars, day.start + hour * HOUR_SEC)
    })
    await world.fetch('1-MINUTE-LAST', day)
    expect(await world.stored()).toEqual(barsIn(STOCKS, 60, day, NOW).t)
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([day])
    expect(await flagged()).toEqual([])
  })

  it('are not told apart by seconds while the schedule can not be asked for: those wait for it', async () => {
    const world = scheduled(NOW)
    const window = { start: at('2026-03-10T14:00Z'), end: at('2026-03-10T15:00Z') }
    mangled(world, (bars) => add(bars, at('2026-03-10T14:10Z')))
    const { sessions } = world.relay
    world.relay.sessions = async () => {
      throw new TidegateError('internal', 'IBKR answered 162: An unknown failure')
    }
    await world.fetch('5-SECOND-LAST', window)
    await world.drain({ forSec: 1000 })
    expect(await world.stored()).toEqual([])
    world.relay.sessions = sessions
    await world.drain({ forSec: 1000 })
    expect(await world.stored()).toEqual(barsIn(STOCKS, 5, window, NOW).t)
    expect(await coveredOf(world.store, '5-SECOND-LAST')).toEqual([window])
  })

  it('are taken as they come where the schedule never can be', async () => {
    const world = scheduled(NOW)
    const window = { start: at('2026-03-10T15:00Z'), end: at('2026-03-10T16:00Z') }
    world.relay.sessions = async () => {
      throw new TidegateError('internal', 'IBKR answered 162: An unknown failure')
    }
    await world.fetch('5-SECOND-LAST', window)
    await world.drain({ forSec: 6 * HOUR_SEC })
    expect(await world.stored()).toEqual(barsIn(STOCKS, 5, window, NOW).t)
  })

  it('and not decided about while the schedule can only be presumed', async () => {
    const world = scheduled(at('2026-03-10T22:00:20Z'))
    mangled(world, (bars) => add(bars, at('2026-03-10T21:30Z')))
    await world.fetch('1-MINUTE-LAST', day)
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([{ start: day.start, end: at('2026-03-10T21:30Z') }])
    world.clock.nowMs += DAY_SEC * 1000
    await world.fetch('1-MINUTE-LAST', day)
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([day])
    expect(await world.stored()).toEqual(barsIn(STOCKS, 60, day, NOW).t)
  })

  it('nor while it was asked for before them; it is asked for again soon', async () => {
    const world = scheduled(at('2026-03-10T09:00:20Z'))
    await world.fetch('1-MINUTE-LAST', day)
    world.clock.nowMs = at('2026-03-10T09:40:20Z') * 1000
    mangled(world, (bars) => add(bars, at('2026-03-10T09:30Z')))
    await world.fetch('1-MINUTE-LAST', day)
    expect(await world.stored()).toEqual([])
    world.relay.tamper = (_, answer) => answer
    world.clock.nowMs = at('2026-03-10T14:10:20Z') * 1000
    await world.fetch('1-MINUTE-LAST', day)
    const before = world.asked.length
    // A session has begun since the schedule was asked for.
    world.clock.nowMs = at('2026-03-10T14:50:20Z') * 1000
    await world.fetch('1-MINUTE-LAST', day)
    expect(await world.stored()).toEqual([])
    await world.fetch('1-MINUTE-LAST', day)
    expect(world.asked.length).toBe(before + 1)
    expect(await world.stored()).toEqual(barsIn(STOCKS, 60, day, at('2026-03-10T14:50Z')).t)
  })

  it('are stored and flagged, until they come back otherwise', async () => {
    const world = scheduled(NOW)
    mangled(world, (bars) => {
      const first = bars.t.findIndex((t) => t >= day.start)
      bars.h[first] = 0
      bars.t[first + 1] = (bars.t[first + 1] ?? 0) + 7
    })
    await world.fetch('5-MINUTE-LAST', day)
    const [first, second] = barsIn(STOCKS, 300, day, NOW).t
    expect(await flagged()).toEqual([
      { t: first, why: expect.stringMatching(/^low .* above high 0$/) },
      { t: (second ?? 0) + 7, why: 'starts at 2026-03-10T14:35:07Z, off the grid' },
    ])
    expect(await world.stored()).toHaveLength(78)
    await database.rows(sql`delete from coverage`)
    world.relay.tamper = (_, answer) => answer
    await world.fetch('5-MINUTE-LAST', day)
    expect(await flagged()).toMatchObject([{ t: (second ?? 0) + 7 }])
  })

  it.each([
    ['an hour of stocks that begins at half past', '1-HOUR-LAST', STOCKS, 'AAPL'],
    ['FX that reopens at a quarter past', '1-HOUR-MID', { ...FX, grid: 'clock' } as const, 'EUR/USD'],
    ['FX that counts from there', '4-HOUR-MID', FX, 'EUR/USD'],
  ])('are not: %s', async (_, spec, market, instrument) => {
    const world = scheduled(NOW, market)
    await world.fetch(spec, { start: at('2026-03-02'), end: at('2026-03-10') }, instrument)
    expect((await world.stored()).length).toBeGreaterThan(20)
    expect(await flagged()).toEqual([])
  })
})
