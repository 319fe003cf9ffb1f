import { parseInstant, TidegateError } from '@tidegate/core'
import type { BarsAnswer } from '@tidegate/relay'
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { wipe } from '../../../test/support/wipe.ts'
import { eachDatabase } from './database.ts'
import { barsIn, type Market, STOCKS } from './market.ts'
import { createScheduled } from './scheduled.ts'
import { coveredOf, createWorld, statesOf } from './world.ts'

const at = parseInstant
const HOUR_SEC = 3600
/** A Thursday. */
const NOW = at('2026-03-12T12:00Z')

const database = eachDatabase()
const scheduled = (nowSec: number, market?: Market) => createScheduled(database, nowSec, market)

const events = () =>
  database.rows<{ event: unknown }>(sql`select event from outbox where event->>'type' = 'gap.confirmed' order by id`)

/** Answers "no data" to whatever is asked. */
const noData = (_: unknown, { done }: BarsAnswer): BarsAnswer => ({
  bars: barsIn(STOCKS, 60, { start: 0, end: 0 }, 0),
  done: { ...done, bars: 0, empty: true },
})

describe('sessions', () => {
  it('are asked for once, a year at a time, and known from then on', async () => {
    const world = scheduled(NOW)
    await world.fetch('1-MINUTE-LAST', { start: at('2026-02-02'), end: at('2026-02-20') })
    await world.fetch('1-HOUR-LAST', { start: at('2026-01-05'), end: at('2026-02-02') })
    expect(world.asked).toHaveLength(1)
    expect(world.asked[0]).toMatchObject({ duration: '1 Y', hours: 'regular', contract: { conId: 265598 } })
    const { known, sessions } = await world.store.sessions('STK NASDAQ', 'regular', {
      start: at('2026-02-02'),
      end: at('2026-02-07'),
    })
    expect(known).toEqual([{ start: at('2026-02-02'), end: at('2026-02-07') }])
    expect(sessions.map(({ date }) => date)).toEqual([
      '2026-02-02',
      '2026-02-03',
      '2026-02-04',
      '2026-02-05',
      '2026-02-06',
    ])
  })

  it('of long ago are asked for by blocks that touch, so that nothing between them stays unknown', async () => {
    const world = scheduled(NOW)
    await world.fetch('1-DAY-LAST', { start: at('2021-01-01'), end: at('2024-01-01') })
    const ends = world.asked.map(({ end }) => end)
    expect(new Set(ends).size).toBe(ends.length)
    expect(ends.length).toBeLessThanOrEqual(5)
    const window = { start: at('2021-01-01'), end: at('2024-01-01') }
    expect((await world.store.sessions('STK NASDAQ', 'regular', window)).known).toEqual([window])
  })

  it('of today are asked for again an hour later, or once they are over', async () => {
    const world = scheduled(at('2026-03-12T15:00:20Z'))
    const today = { start: at('2026-03-12T14:30Z'), end: at('2026-03-12T23:00Z') }
    const move = async (to: string) => {
      world.clock.nowMs = at(to) * 1000
      await world.fetch('1-MINUTE-LAST', today)
      return world.asked.length
    }
    expect(await move('2026-03-12T15:00:20Z')).toBe(1)
    expect(await move('2026-03-12T15:30:20Z')).toBe(1)
    expect(await move('2026-03-12T16:00:20Z')).toBe(2)
    expect(await move('2026-03-12T20:50:20Z')).toBe(3)
    expect(await move('2026-03-12T21:00:20Z')).toBe(4)
    expect(await move('2026-03-12T21:10:20Z')).toBe(4)
  })

  it('that can not be asked for are unknown, and no bar is lost by it', async () => {
    const world = scheduled(NOW)
    let failures = 0
    world.relay.sessions = async () => {
      failures++
      throw new TidegateError('timeout', 'no answer')
    }
    const week = { start: at('2026-02-28'), end: at('2026-03-07') }
    await world.fetch('1-MINUTE-LAST', week)
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([week])
    expect(await world.stored()).toHaveLength(5 * 390)
    expect(failures).toBe(1)
  })

  it('from before a contract’s history are unknown: a young stock’s schedule closes no market', async () => {
    const world = scheduled(NOW, { ...STOCKS, headSec: at('2026-02-10T15:00Z') })
    const window = { start: at('2026-02-01'), end: at('2026-02-12') }
    await world.fetch('1-MINUTE-LAST', window)
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([window])
    expect((await world.store.sessions('STK NASDAQ', 'regular', window)).known).toEqual([
      { start: at('2026-02-11T14:30Z'), end: window.end },
    ])
  })
})

describe('a closed market', () => {
  const weekend = { start: at('2026-03-07'), end: at('2026-03-09') }

  it('is covered as empty without a request of small bars', async () => {
    const world = scheduled(NOW)
    await world.fetch('5-SECOND-LAST', weekend)
    expect(await coveredOf(world.store, '5-SECOND-LAST')).toEqual([weekend])
    expect(await statesOf(database)).toEqual(['empty'])
    expect(world.relay.asked).toEqual([])
    expect(await events()).toEqual([])
  })

  it('and so is a holiday, of bars of a day as well', async () => {
    const world = scheduled(NOW, { ...STOCKS, holidays: new Set([at('2026-02-16')]) })
    const monday = { start: at('2026-02-14'), end: at('2026-02-17') }
    await world.fetch('1-DAY-LAST', monday)
    expect(await coveredOf(world.store, '1-DAY-LAST')).toEqual([monday])
    expect(world.relay.asked).toEqual([])
  })

  it('is asked while the session after it is not seen yet: the schedule may leave out what has just begun', async () => {
    const world = scheduled(at('2026-03-07T12:00Z'))
    const saturday = { start: at('2026-03-07'), end: at('2026-03-07T06:00Z') }
    await world.fetch('1-MINUTE-LAST', saturday)
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([saturday])
    expect(world.relay.asked).toHaveLength(1)
  })

  it('settles the silence behind the last bar at once', async () => {
    const world = scheduled(at('2026-03-12T21:05:20Z'))
    const today = { start: at('2026-03-12T14:30Z'), end: at('2026-03-12T23:00Z') }
    await world.fetch('1-MINUTE-LAST', today)
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([
      { start: today.start, end: at('2026-03-12T21:05Z') },
    ])
    await world.fetch('1-HOUR-LAST', today)
    expect(await coveredOf(world.store, '1-HOUR-LAST')).toEqual([{ start: today.start, end: at('2026-03-12T20:06Z') }])
  })
})

describe('“no data” in the midst of a session', () => {
  // Within one request.
  const half = { start: at('2026-03-10T17:10Z'), end: at('2026-03-10T17:40Z') }

  it('is believed the second time, an hour later, by another request, and then told', async () => {
    const world = scheduled(NOW)
    world.relay.tamper = noData
    const { series, runId } = await world.ingest.start({
      instruments: ['AAPL'],
      specs: ['5-SECOND-LAST'],
      hours: 'regular',
      window: half,
    })
    expect(await world.drain()).toMatchObject([{ outcome: 'requeued', written: 0, retryAfterSec: 3900 }])
    expect(await coveredOf(world.store, '5-SECOND-LAST')).toEqual([])
    expect(await world.store.run(runId)).toMatchObject({ state: 'open', series: [{ error: { kind: 'busy' } }] })
    expect(await events()).toEqual([])
    expect(await world.drain({ forSec: HOUR_SEC - 1 })).toEqual([])
    expect(await world.drain({ forSec: 3900 })).toMatchObject([{ outcome: 'done' }])
    expect(await coveredOf(world.store, '5-SECOND-LAST')).toEqual([half])
    expect(await statesOf(database)).toEqual(['empty'])
    const [first, second] = world.relay.asked.map(({ duration }) => duration)
    expect([first, second]).toEqual(['1850 S', '3600 S'])
    expect(await events()).toEqual([
      {
        event: {
          type: 'gap.confirmed',
          data: {
            series: series[0]?.id,
            instrument: 'AAPL.NASDAQ',
            spec: '5-SECOND-LAST',
            hours: 'regular',
            window: { start: '2026-03-10T17:10:00Z', end: '2026-03-10T17:40:00Z' },
          },
        },
      },
    ])
  })

  it('is forgotten when the second answer has bars', async () => {
    const world = scheduled(NOW)
    world.relay.tamper = (request, answer) => (world.relay.asked.length === 1 ? noData(request, answer) : answer)
    await world.fetch('5-SECOND-LAST', half)
    await world.drain({ forSec: 2 * HOUR_SEC })
    expect(await world.stored()).toHaveLength(360)
    expect(await statesOf(database)).toEqual(['filled'])
    expect(await events()).toEqual([])
  })

  it('is confirmed, too, by a second answer that reaches further back and has nothing there', async () => {
    const world = scheduled(NOW, { ...STOCKS, quiet: (t) => t >= half.start && t < half.end })
    world.relay.tamper = (request, answer) => (world.relay.asked.length === 1 ? noData(request, answer) : answer)
    await world.fetch('5-SECOND-LAST', half)
    await world.drain({ forSec: 2 * HOUR_SEC })
    expect(await statesOf(database)).toEqual(['empty'])
    expect(await events()).toHaveLength(1)
  })

  it('is believed at once before the first data, whose time is asked once', async () => {
    const world = scheduled(NOW)
    let heads = 0
    world.relay.tamper = noData
    world.relay.head = async ({ whatToShow, hours }) => {
      heads++
      expect([whatToShow, hours]).toEqual(['TRADES', 'regular'])
      return at('2026-03-11')
    }
    await world.fetch('5-SECOND-LAST', half)
    await world.fetch('5-SECOND-LAST', { start: half.end, end: half.end + 1800 })
    expect(await coveredOf(world.store, '5-SECOND-LAST')).toEqual([{ start: half.start, end: half.end + 1800 }])
    expect(heads).toBe(1)
    expect(await events()).toEqual([])
    // Behind them it is doubted as ever.
    await world.fetch('5-SECOND-LAST', { start: at('2026-03-11T15:00Z'), end: at('2026-03-11T15:30Z') })
    expect(await coveredOf(world.store, '5-SECOND-LAST')).toHaveLength(1)
  })

  it('is believed at once outside of sessions and before the first data, and in an hour where no sessions are known', async () => {
    const night = { start: at('2026-03-11T02:00Z'), end: at('2026-03-11T02:30Z') }
    const world = scheduled(NOW)
    world.relay.tamper = noData
    await world.fetch('5-SECOND-LAST', night)
    expect(await coveredOf(world.store, '5-SECOND-LAST')).toEqual([night])
    await database.rows(sql`update series set head = '2026-03-11T00:00Z'`)
    await world.fetch('5-SECOND-LAST', half)
    expect(await coveredOf(world.store, '5-SECOND-LAST')).toEqual([half, night])
    await wipe(database)
    const other = createWorld(database, NOW)
    other.relay.tamper = noData
    await other.ingest.start({ instruments: ['AAPL'], specs: ['5-SECOND-LAST'], hours: 'regular', window: half })
    await other.drain()
    expect(await coveredOf(other.store, '5-SECOND-LAST')).toEqual([])
    await other.drain({ forSec: 4500 })
    expect(await coveredOf(other.store, '5-SECOND-LAST')).toEqual([half])
    expect(await events()).toEqual([])
  })
})
