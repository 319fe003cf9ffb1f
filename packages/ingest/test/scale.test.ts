import { type BarColumns, parseInstant, type Window } from '@tidegate/core'
import type { EmbeddedDatabase, Store } from '@tidegate/db'
import type { BarsRequest } from '@tidegate/relay'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import { barsIn, type Market, STOCKS, splitBars } from './market.ts'
import { coveredOf, createWorld, relayWith, type World } from './world.ts'

const at = parseInstant
const DAY_SEC = 86_400
const NOW = at('2026-04-01T12:00Z')
const JANUARY: Window = { start: at('2026-01-05'), end: at('2026-01-13') }
const MARCH: Window = { start: at('2026-03-02'), end: at('2026-03-10') }
/** One bar an hour: few, whatever their size. */
const HOURLY: Market = { ...STOCKS, quiet: (t) => t % 3600 !== 0 }

let database: EmbeddedDatabase
let world: World
let ratio = 1
beforeAll(async () => {
  database = await freshPglite()
})
beforeEach(async () => {
  await wipe(database)
  open(STOCKS)
})
afterAll(() => database?.close())

function open(market: Market, nowSec = NOW): void {
  ratio = 1
  world = createWorld(database, nowSec, market)
  world.relay.tamper = (_, answer) => ({ ...answer, bars: splitBars(ratio, answer.bars) })
}

const requestFor = (window: Window, spec: string) => ({
  instruments: ['AAPL'],
  specs: [spec],
  hours: 'regular' as const,
  window,
})
async function fetched(window: Window, spec = '30-MINUTE-LAST'): Promise<void> {
  await world.ingest.start(requestFor(window, spec))
  await world.drain()
}
const stored = async (): Promise<BarColumns> => {
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

/** Works on everything, so many at once and each for as long as `pause` has it, and looks after each whether there is one scale. */
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

/** So many turns of the loop. */
async function turned(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise(setImmediate)
}

/**
 * A store whose first answer is stored at once, and each later one when as many as `expected` are there to be stored beside it, or
 * after many turns of the loop. `most` tells how many there ever were.
 */
function slowCommits(store: Store) {
  const full = Promise.withResolvers<void>()
  let isFirst = true
  let waiting = 0
  const commits = {
    expected: 0,
    most: 0,
    store: {
      ...store,
      async commit(...answer: Parameters<Store['commit']>) {
        if (isFirst) {
          isFirst = false
          return await store.commit(...answer)
        }
        commits.most = Math.max(commits.most, ++waiting)
        if (waiting === commits.expected) full.resolve()
        await Promise.race([full.promise, turned(500)])
        waiting--
        return await store.commit(...answer)
      },
    },
  }
  return commits
}

const isProbe = ({ priority }: BarsRequest) => priority === 'interactive'
/** A backfill, so that what is asked before others stands out. */
const backfill = (window: Window, spec: string) => ({ ...requestFor(window, spec), priority: 'backfill' as const })

describe('what touches nothing stored', () => {
  it.each([
    ['1-DAY-LAST', at('2026-01-06'), DAY_SEC],
    ['1-HOUR-LAST', at('2026-01-06T14:00Z'), 3600],
  ])('is proven by the first bar that IBKR has, if no other is stored: %s', async (spec, firstSec, sizeSec) => {
    open({ ...STOCKS, headSec: firstSec })
    await fetched({ start: at('2026-01-05'), end: firstSec + sizeSec }, spec)
    expect((await stored()).t).toHaveLength(1)
    // What came beside it is forgotten by then.
    world.clock.nowMs += 3_600_000
    const rest = { start: firstSec + sizeSec, end: at('2026-01-13') }
    await fetched(rest, spec)
    expect(await coveredOf(world.store, spec)).toMatchObject([{ end: rest.end }])
  })

  it('is stored only once stored bars, asked anew, are as they are stored', async () => {
    await fetched(JANUARY)
    await world.ingest.start(backfill(MARCH, '30-MINUTE-LAST'))
    await world.drain()
    expect(world.relay.asked.map(({ fresh = false }) => fresh)).toEqual([false, false, true])
    const [, , probe] = world.relay.asked
    expect(probe).toMatchObject({ priority: 'interactive', barSize: '30 mins', end: at('2026-01-12T21:00Z') })
    expect(await coveredOf(world.store, '30-MINUTE-LAST')).toEqual([JANUARY, MARCH])
    expect(await adjustments()).toEqual([])
  })

  it.each([
    ['30-MINUTE-LAST', 1800],
    ['1-DAY-LAST', DAY_SEC],
  ])('is not stored beside %s bars of before a split: those come anew first', async (spec, sizeSec) => {
    await fetched(JANUARY, spec)
    const old = await stored()
    ratio = 4
    await world.ingest.start(requestFor(MARCH, spec))
    await drainWatching(sizeSec, [1, 4])
    expect(await scales(sizeSec, [1, 4])).toEqual([4])
    const { t } = await stored()
    expect(t.slice(0, old.t.length)).toEqual(old.t)
    expect(t.length).toBeGreaterThan(old.t.length)
    expect(await coveredOf(world.store, spec)).toEqual([JANUARY, MARCH])
    expect(await adjustments()).toMatchObject([{ state: 'applied', ratio: 0.25, since: undefined }])
  })

  it('and lies between two parts of before a split brings both of them anew', async () => {
    await fetched(JANUARY)
    await fetched(MARCH)
    ratio = 2
    // It touches January alone.
    await world.ingest.start(requestFor({ start: JANUARY.end, end: at('2026-01-20') }, '30-MINUTE-LAST'))
    await drainWatching(1800, [1, 2])
    expect(await scales(1800, [1, 2])).toEqual([2])
    expect(await adjustments()).toHaveLength(1)
  })

  it('is not stored while IBKR has none of the stored bars any more, and is asked again', async () => {
    await fetched(JANUARY)
    const { tamper } = world.relay
    world.relay.tamper = (request, answer) =>
      (request.end ?? NOW) > JANUARY.end
        ? tamper(request, answer)
        : {
            bars: splitBars(1, barsIn(STOCKS, 1800, { start: 0, end: 0 }, NOW)),
            done: { ...answer.done, bars: 0, empty: true },
          }
    await world.ingest.start(requestFor(MARCH, '30-MINUTE-LAST'))
    await world.drain({ forSec: 600 })
    expect(await coveredOf(world.store, '30-MINUTE-LAST')).toEqual([JANUARY])
    const [run] = await world.store.runs({ limit: 1 })
    expect(run).toMatchObject({ error: { kind: 'internal', message: expect.stringContaining('a split') } })
  })

  it('is put beside one bar that changed by itself, which is put right', async () => {
    await fetched(JANUARY)
    const changed = at('2026-01-12T20:00Z')
    const { tamper } = world.relay
    world.relay.tamper = (request, answer) => {
      const { bars, done } = tamper(request, answer)
      return { done, bars: { ...bars, c: bars.c.map((c, i) => (bars.t[i] === changed ? c + 0.5 : c)) } }
    }
    await fetched(MARCH)
    expect(await adjustments()).toEqual([])
    expect(await world.store.restatements({ limit: 9 })).toMatchObject([{ t: changed, adjustmentId: undefined }])
    expect(await coveredOf(world.store, '30-MINUTE-LAST')).toEqual([JANUARY, MARCH])
  })
})

describe('many at once', () => {
  it('fill a series with few requests that only prove it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(12)), async (turns) => {
        await wipe(database)
        open(HOURLY)
        slowed(() => turns.next().value ?? 0)
        const ingest = world.another({ timeout: () => new AbortController().signal })
        const year = { start: at('2025-01-01'), end: at('2026-01-01') }
        const { chunks } = await ingest.start(backfill(year, '1-MINUTE-LAST'))
        const messages = world.queue.messages.splice(0)
        const work = async () => {
          for (let one = messages.shift(); one; one = messages.shift()) await ingest.work(one.chunkId)
        }
        await Promise.all(Array.from({ length: 16 }, work))
        expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([year])
        expect(chunks).toBe(37)
        expect(world.relay.asked.length).toBeLessThanOrEqual(chunks * 1.1)
      }),
      { numRuns: 1 },
    )
  })

  it('are proven by a neighbour that is proven and not yet stored: they are stored beside each other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(12)), async (turns) => {
        await wipe(database)
        open(HOURLY)
        slowed(() => (world.relay.asked.length > 1 ? (turns.next().value ?? 0) : 0))
        const commits = slowCommits(world.store)
        const ingest = world.another({ store: commits.store, timeout: () => new AbortController().signal })
        const window = { start: at('2025-10-01'), end: at('2026-01-01') }
        const { chunks } = await ingest.start(backfill(window, '1-MINUTE-LAST'))
        commits.expected = chunks - 1
        await Promise.all(world.queue.messages.splice(0).map(({ chunkId }) => ingest.work(chunkId)))
        expect(chunks).toBeGreaterThan(5)
        expect(commits.most).toBe(chunks - 1)
        expect(world.relay.asked.filter(isProbe)).toEqual([])
        expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([window])
      }),
      { numRuns: 2 },
    )
  })

  it('that all find nothing stored are compared with the first all the same', async () => {
    const { tamper } = world.relay
    world.relay.tamper = (request, answer) => {
      if (world.relay.asked.length > 1) ratio = 2
      return tamper(request, answer)
    }
    for (const window of [JANUARY, MARCH]) await world.ingest.start(requestFor(window, '30-MINUTE-LAST'))
    await drainWatching(1800, [1, 2], 2)
    expect(await scales(1800, [1, 2])).toEqual([2])
    expect(await adjustments()).toHaveLength(1)
  })

  it('and the first to be asked comes last: what it was told may be of before what is stored', async () => {
    const { tamper } = world.relay
    world.relay.tamper = (request, answer) => {
      if (world.relay.asked.length > 1) ratio = 2
      return tamper(request, answer)
    }
    slowed(() => (ratio === 1 ? 500 : 0))
    for (const window of [JANUARY, MARCH]) await world.ingest.start(requestFor(window, '30-MINUTE-LAST'))
    await drainWatching(1800, [1, 2], 2)
    expect(await scales(1800, [1, 2])).toEqual([2])
    expect(await adjustments()).toEqual([])
    expect(await coveredOf(world.store, '30-MINUTE-LAST')).toEqual([JANUARY, MARCH])
  })

  it('never leave two scales, whenever it splits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(9)), fc.integer({ min: 1, max: 20 }), async (turns, splitsAt) => {
        await wipe(database)
        open(HOURLY)
        slowed(() => turns.next().value ?? 0)
        const { tamper } = world.relay
        world.relay.tamper = (request, answer) => {
          if (world.relay.asked.length >= splitsAt) ratio = 2
          return tamper(request, answer)
        }
        const window = { start: at('2025-10-01'), end: at('2026-01-01') }
        await world.ingest.start(requestFor(window, '1-MINUTE-LAST'))
        await drainWatching(60, [1, 2], 6)
        expect(await scales(60, [1, 2])).toEqual([ratio])
        expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([window])
      }),
      { numRuns: 3 },
    )
  })

  it('share what proves them: one such request is under way at a time', async () => {
    open(HOURLY)
    await fetched(JANUARY, '1-MINUTE-LAST')
    const asked = world.relay.asked.length
    let open_ = 0
    let most = 0
    const { bars } = world.relay
    world.relay.bars = async (request, signal) => {
      if (!isProbe(request)) return bars(request, signal)
      most = Math.max(most, ++open_)
      await turned(50)
      open_--
      return bars(request, signal)
    }
    // Eight days apart, so that none touches another.
    for (let n = 0; n < 6; n++) {
      const start = MARCH.start - n * 10 * DAY_SEC
      await world.ingest.start(backfill({ start, end: start + DAY_SEC }, '1-MINUTE-LAST'))
    }
    await drainWatching(60, [1], 6)
    const probes = world.relay.asked.slice(asked).filter(isProbe)
    expect(most).toBe(1)
    expect(probes.length).toBeLessThanOrEqual(3)
    expect(new Set(probes.map(({ end }) => end)).size).toBe(probes.length)
  })
})

describe('what IBKR has no more', () => {
  const RECENT: Window = { start: at('2026-03-30T17:10Z'), end: at('2026-03-30T17:40Z') }

  it('is not asked to prove anything: what comes is stored beside it', async () => {
    open(STOCKS, at('2025-07-01'))
    await fetched({ start: at('2025-06-30T17:10Z'), end: at('2025-06-30T17:15Z') }, '5-SECOND-LAST')
    world.clock.nowMs = NOW * 1000
    ratio = 4
    await world.ingest.start(backfill(RECENT, '5-SECOND-LAST'))
    await world.drain()
    expect(world.relay.asked.slice(1).filter(isProbe)).toEqual([])
    expect(await adjustments()).toEqual([])
    expect((await stored()).t).toHaveLength(60 + 360)
  })

  it('goes by the clock of the gateway, as plans do', async () => {
    open(STOCKS)
    // A replay of a year ago.
    const replayed = relayWith(world.relay, {
      async status() {
        const status = await world.relay.status()
        return { ...status, gateway: { ...status.gateway, time: '2025-07-01T00:00:00Z' } }
      },
    })
    const ingest = world.another({ relay: replayed })
    const part = (day: string): Window => ({ start: at(`${day}T17:10Z`), end: at(`${day}T17:15Z`) })
    for (const day of ['2025-06-24', '2025-06-26']) {
      await ingest.start(requestFor(part(day), '5-SECOND-LAST'))
      await world.drain({ ingest })
      ratio = 4
    }
    expect(await adjustments()).toMatchObject([{ state: 'applied', ratio: 0.25 }])
  })

  it('is found out while it is collected again, by four answers; the rest is put in place, and since says from where on', async () => {
    await fetched(JANUARY)
    await fetched({ start: MARCH.start, end: at('2026-03-05') })
    const { tamper } = world.relay
    ratio = 4
    world.relay.tamper = (request, answer) => {
      if ((request.end ?? NOW) > JANUARY.end + DAY_SEC) return tamper(request, answer)
      const none = barsIn(STOCKS, 1800, { start: 0, end: 0 }, NOW)
      return { bars: none, done: { ...answer.done, bars: 0, empty: true } }
    }
    await world.ingest.start(requestFor({ start: at('2026-03-05'), end: MARCH.end }, '30-MINUTE-LAST'))
    const asked = () => world.relay.asked.filter(({ end = NOW }) => end <= JANUARY.end + DAY_SEC).length
    const before = asked()
    for (let hours = 0; hours < 6; hours++) {
      await world.drain()
      world.clock.nowMs += 3_700_000
      await world.ingest.sweep()
    }
    await world.drain({ forSec: 60 })
    const [adjustment] = await adjustments()
    expect(adjustment).toMatchObject({ state: 'applied', since: JANUARY.end, error: { kind: 'not-found' } })
    expect(asked() - before).toBe(4)
    const { t } = await stored()
    expect(t.filter((time) => time < JANUARY.end)).toHaveLength(barsIn(STOCKS, 1800, JANUARY, NOW).t.length)
    expect(await coveredOf(world.store, '30-MINUTE-LAST')).toEqual([JANUARY, MARCH])
    // Nothing is compared with what is older, even beside it.
    const tail = { start: JANUARY.end, end: at('2026-01-14') }
    world.relay.tamper = tamper
    await fetched(tail)
    expect(await adjustments()).toHaveLength(1)
  })
})

describe('an adjustment that somebody abandons', () => {
  it('leaves what is stored as it was; what waited is stored as it comes, and finds it no more', async () => {
    await fetched(JANUARY)
    const old = await stored()
    ratio = 3
    await world.ingest.start(requestFor(MARCH, '30-MINUTE-LAST'))
    const [finder] = world.queue.messages.splice(0, 1)
    await world.ingest.work(finder?.chunkId ?? '')
    const [found] = await adjustments()
    expect(found).toMatchObject({ state: 'collecting' })
    expect(await world.ingest.abandonAdjustment(found?.id ?? 0)).toMatchObject({ state: 'abandoned' })
    expect(await world.ingest.abandonAdjustment(found?.id ?? 0)).toMatchObject({ state: 'abandoned' })
    expect(await world.ingest.abandonAdjustment(999)).toBeUndefined()
    await world.drain({ forSec: 600 })
    const { t, c } = await stored()
    expect(c.slice(0, old.t.length)).toEqual(old.c)
    expect(t.length).toBeGreaterThan(old.t.length)
    expect(await coveredOf(world.store, '30-MINUTE-LAST')).toEqual([JANUARY, MARCH])
    expect(await adjustments()).toHaveLength(1)
  })
})

describe('ADJUSTED_LAST', () => {
  it('is told anew by any dividend: all of it is asked again', async () => {
    const spec = '30-MINUTE-ADJUSTED_LAST'
    await fetched({ start: at('2026-03-23'), end: at('2026-03-31') }, spec)
    const old = await stored()
    ratio = 1.01
    world.clock.nowMs += DAY_SEC * 1000
    await world.ingest.start(requestFor({ start: at('2026-03-31'), end: at('2026-04-02') }, spec))
    await drainWatching(1800, [1, 1.01])
    expect(await scales(1800, [1, 1.01])).toEqual([1.01])
    expect((await stored()).t.length).toBeGreaterThan(old.t.length)
  })
})
