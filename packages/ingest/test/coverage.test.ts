import { parseInstant, type Window } from '@tidegate/core'
import { describe, expect, it } from 'vitest'
import { wipe } from '../../../test/support/wipe.ts'
import { eachDatabase } from './database.ts'
import { barsIn, FX, type Market, STOCKS } from './market.ts'
import { coveredOf, createWorld, statesOf, type World } from './world.ts'

const at = parseInstant
const DAY_SEC = 86_400
/** A Thursday, long after what is asked for. */
const NOW = at('2026-03-12T12:00Z')

const database = eachDatabase()

interface Fetch {
  readonly spec?: string
  readonly window: Window
  readonly market?: Market
  readonly instrument?: string
  readonly now?: number
  readonly hours?: 'regular' | 'all'
}

/** One fetch, worked to its end. */
async function fetched({ spec = '1-MINUTE-LAST', window, instrument = 'AAPL', hours = 'regular', ...rest }: Fetch) {
  const world = createWorld(database, rest.now ?? NOW, rest.market)
  const again = async () => {
    const started = await world.ingest.start({ instruments: [instrument], specs: [spec], hours, window })
    return { ...started, results: await world.drain() }
  }
  const { results, series } = await again()
  return { world, again, results, covered: await coveredOf(world.store, spec), seriesId: series[0]?.id ?? 0 }
}

async function stored(world: World, seriesId: number) {
  return world.store.bars(seriesId, { start: 0, end: 4e9 }, 1e6)
}

/** What the market traded in bars that start within the window, closed ones only. */
function truth(market: Market, sizeSec: number, window: Window) {
  return barsIn(market, sizeSec, window, window.end + 40 * DAY_SEC)
}

const week = { start: at('2026-02-24T16:00Z'), end: at('2026-03-03T18:30Z') }

describe('what is stored is what was traded in the window, and the window is covered', () => {
  const cases: [name: string, fetch: Fetch, sizeSec: number][] = [
    ['minutes, cut anywhere', { window: week }, 60],
    [
      'five minutes, cut within one',
      { spec: '5-MINUTE-LAST', window: { start: week.start + 60, end: week.end + 120 } },
      300,
    ],
    ['hours, cut within one', { spec: '1-HOUR-LAST', window: { ...week, end: at('2026-03-03T18:31Z') } }, 3600],
    ['hours that begin off the hour', { spec: '1-HOUR-MID', window: week, market: FX, instrument: 'EUR/USD' }, 3600],
    [
      'four hours that begin off the hour',
      { spec: '4-HOUR-MID', window: week, market: FX, instrument: 'EUR/USD' },
      14_400,
    ],
    [
      'minutes of all hours',
      {
        spec: '1-MINUTE-MID',
        window: { start: week.end - 7200, end: week.end },
        market: FX,
        instrument: 'EUR/USD',
        hours: 'all',
      },
      60,
    ],
    [
      'five seconds',
      { spec: '5-SECOND-LAST', window: { start: at('2026-03-03T14:20Z'), end: at('2026-03-03T16:11:05Z') } },
      5,
    ],
    [
      'days over two years',
      { spec: '1-DAY-LAST', window: { start: at('2024-02-10'), end: at('2026-03-05') } },
      DAY_SEC,
    ],
    ['a window that begins and ends on weekends', { window: { start: at('2026-02-28'), end: at('2026-03-08') } }, 60],
    [
      'days of FX',
      {
        spec: '1-DAY-MID',
        window: { start: at('2026-02-01'), end: at('2026-03-05') },
        market: FX,
        instrument: 'EUR/USD',
      },
      DAY_SEC,
    ],
  ]
  it.each(cases)('%s', async (_, fetch, sizeSec) => {
    const { world, again, results, covered, seriesId } = await fetched(fetch)
    expect(results.every(({ outcome }) => outcome === 'done')).toBe(true)
    expect(covered).toEqual([fetch.window])
    expect(await stored(world, seriesId)).toEqual(truth(fetch.market ?? STOCKS, sizeSec, fetch.window))
    const asked = world.relay.asked.length
    expect((await again()).chunks).toBe(0)
    expect(world.relay.asked).toHaveLength(asked)
  })

  it('a weekly fetch asks once a chunk', async () => {
    const { world, results } = await fetched({ window: { start: at('2026-01-05'), end: at('2026-03-07') } })
    expect(world.relay.asked).toHaveLength(results.length)
  })

  it('holidays at the window’s start, the whole week before it included', async () => {
    const holidays = new Set(Array.from({ length: 9 }, (_, i) => at('2026-02-16') + i * DAY_SEC))
    const market = { ...STOCKS, holidays }
    const window = { start: at('2026-02-21'), end: at('2026-02-28') }
    const { world, covered, seriesId } = await fetched({ window, market })
    expect(covered).toEqual([window])
    expect(await stored(world, seriesId)).toEqual(truth(market, 60, window))
  })

  it('a first trade in the middle of the window: asked twice as far back, and history begins there', async () => {
    const market = { ...STOCKS, headSec: at('2026-02-26T15:00Z') }
    const { world, covered, seriesId } = await fetched({ window: week, market })
    expect(covered).toEqual([week])
    expect(await stored(world, seriesId)).toEqual(truth(market, 60, week))
    expect(world.relay.asked.length).toBeGreaterThan(1)
    expect(new Set(world.relay.asked.map(({ duration }) => duration)).size).toBe(world.relay.asked.length)
  })
})

describe('what is not final', () => {
  const now = at('2026-03-03T16:30:20Z')
  const today = { start: at('2026-03-03T14:30Z'), end: at('2026-03-03T23:00Z') }

  it.each([
    ['1-MINUTE-LAST', 60, '2026-03-03T16:30Z'],
    ['5-MINUTE-LAST', 300, '2026-03-03T16:26Z'],
    ['1-HOUR-LAST', 3600, '2026-03-03T15:31Z'],
  ])('%s: neither a forming bar nor what comes after it is stored or covered', async (spec, sizeSec, until) => {
    const { world, covered, seriesId } = await fetched({ spec, window: today, now })
    const final = { start: today.start, end: at(until) }
    expect(covered).toEqual([final])
    expect(await stored(world, seriesId)).toEqual(truth(STOCKS, sizeSec, final))
    world.clock.nowMs += DAY_SEC * 1000
    const again = await world.ingest.start({ instruments: ['AAPL'], specs: [spec], hours: 'regular', window: today })
    expect(again.chunks).toBe(1)
    await world.drain()
    expect(await coveredOf(world.store, spec)).toEqual([today])
    expect(await stored(world, seriesId)).toEqual(truth(STOCKS, sizeSec, today))
  })

  it('today’s bar of a day waits until its date is over', async () => {
    const window = { start: at('2026-02-23'), end: at('2026-03-10') }
    const { world, covered, seriesId } = await fetched({ spec: '1-DAY-LAST', window, now })
    expect(covered).toEqual([{ start: window.start, end: at('2026-03-03') }])
    expect((await stored(world, seriesId)).t.at(-1)).toBe(at('2026-03-02'))
  })

  it('bars that are late are asked again: silence behind the last one is believed only when it is old', async () => {
    const world = createWorld(database, now)
    world.relay.lagSec = 600
    const fetch = async () => {
      await world.ingest.start({ instruments: ['AAPL'], specs: ['1-MINUTE-LAST'], hours: 'regular', window: today })
      await world.drain()
    }
    await fetch()
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([
      { start: today.start, end: at('2026-03-03T16:20Z') },
    ])
    world.relay.lagSec = 0
    await fetch()
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([
      { start: today.start, end: at('2026-03-03T16:30Z') },
    ])
    const [series] = await world.store.series()
    expect(series?.bars).toBe(120)
  })

  it('a request up to now that goes out late still holds the window’s first bar', async () => {
    const window = { start: at('2026-03-03T16:29:40Z'), end: at('2026-03-03T16:30:20Z') }
    const world = createWorld(database, now)
    const bars = world.relay.bars
    const late = world.another({
      relay: {
        ...world.relay,
        async bars(request) {
          world.clock.nowMs += 19_000
          return bars(request)
        },
      },
    })
    await late.start({ instruments: ['AAPL'], specs: ['5-SECOND-LAST'], hours: 'regular', window })
    await world.drain({ ingest: late })
    const [series] = await world.store.series()
    const final = { start: window.start, end: at('2026-03-03T16:30:05Z') }
    expect(await stored(world, series?.id ?? 0)).toEqual(truth(STOCKS, 5, final))
  })
})

describe('no data', () => {
  const sunday = { start: at('2026-03-01'), end: at('2026-03-02') }

  it('is an answer: by IBKR’s own word, or by bars around an empty window', async () => {
    const before = { ...STOCKS, headSec: at('2026-03-05') }
    const one = await fetched({ window: sunday, market: before })
    // Whether the market was open is not known here: IBKR's word counts once it stood for an hour.
    expect(one.covered).toEqual([])
    await one.world.drain({ forSec: 4500 })
    expect(await coveredOf(one.world.store, '1-MINUTE-LAST')).toEqual([sunday])
    expect(await statesOf(database)).toEqual(['empty'])
    await wipe(database)
    const two = await fetched({ window: sunday })
    expect(two.covered).toEqual([sunday])
    expect(await statesOf(database)).toEqual(['filled'])
    expect((await stored(two.world, two.seriesId)).t).toEqual([])
  })

  it('without IBKR’s word is none: nothing is covered', async () => {
    const world = createWorld(database, NOW)
    world.relay.tamper = (_, { done }) => ({
      bars: { t: [], o: [], h: [], l: [], c: [], v: [], w: [], n: [] },
      done: { ...done, bars: 0, empty: false },
    })
    await world.ingest.start({
      instruments: ['AAPL'],
      specs: ['5-SECOND-LAST'],
      hours: 'regular',
      window: { start: week.start, end: week.start + 600 },
    })
    const [result] = await world.drain()
    expect(result).toMatchObject({ outcome: 'requeued', error: { kind: 'internal' } })
    expect(await coveredOf(world.store, '5-SECOND-LAST')).toEqual([])
  })

  it('after bars were there, further back, is a contradiction: nothing is covered', async () => {
    const world = createWorld(database, NOW, { ...STOCKS, headSec: at('2026-02-26T15:00Z') })
    world.relay.tamper = (_, answer) =>
      world.relay.asked.length < 2
        ? answer
        : { bars: barsIn(STOCKS, 60, { start: 0, end: 0 }, 0), done: { ...answer.done, bars: 0, empty: true } }
    const window = { start: at('2026-02-26'), end: at('2026-02-27') }
    await world.ingest.start({ instruments: ['AAPL'], specs: ['1-MINUTE-LAST'], hours: 'regular', window })
    expect(await world.drain()).toMatchObject([{ outcome: 'requeued', error: { kind: 'internal' } }])
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([])
  })
})

describe('an answer that does not reach', () => {
  it('back to the window’s start is asked again, twice as far', async () => {
    const world = createWorld(database, NOW)
    const short: string[] = []
    world.relay.tamper = (request, answer) => {
      if (short.includes(String(request.end))) return answer
      short.push(String(request.end))
      const from = answer.bars.t.findIndex((t) => t >= week.start + 2 * DAY_SEC)
      const cut = Object.fromEntries(Object.entries(answer.bars).map(([key, column]) => [key, column.slice(from)]))
      return { bars: { ...answer.bars, ...cut }, done: answer.done }
    }
    const window = { start: week.start, end: week.start + 3 * DAY_SEC }
    const { series } = await world.ingest.start({
      instruments: ['AAPL'],
      specs: ['1-MINUTE-LAST'],
      hours: 'regular',
      window,
    })
    await world.drain()
    expect(await stored(world, series[0]?.id ?? 0)).toEqual(truth(STOCKS, 60, window))
    const [first, second] = world.relay.asked.map(({ duration }) => Number.parseInt(duration, 10))
    expect(second).toBe(2 * (first ?? 0))
  })

  it('and goes back a little further each time proves nothing: nothing is covered', async () => {
    const world = createWorld(database, NOW)
    world.relay.tamper = (_, answer) => {
      const from = answer.bars.t.findIndex((t) => t >= week.end - world.relay.asked.length * 3600)
      const cut = Object.fromEntries(Object.entries(answer.bars).map(([key, column]) => [key, column.slice(from)]))
      return { bars: { ...answer.bars, ...cut }, done: answer.done }
    }
    const window = { start: at('2026-03-02T14:30Z'), end: week.end }
    await world.ingest.start({ instruments: ['AAPL'], specs: ['1-MINUTE-LAST'], hours: 'regular', window })
    expect(await world.drain()).toMatchObject([{ outcome: 'requeued', error: { kind: 'internal' } }])
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([])
  })
})
