import type { Window } from '@tidegate/core'
import { describe, expect, it } from 'vitest'
import { barsIn, STOCKS, splitBars } from './market.ts'
import { at, backfill, DAY_SEC, eachSplit, isProbe, JANUARY, MARCH, NOW, requestFor } from './splitting.ts'
import { coveredOf, relayWith } from './world.ts'

const { world, split, open, fetched, stored, adjustments, scales, drainWatching } = eachSplit()

describe('what touches nothing stored', () => {
  it.each([
    ['1-DAY-LAST', at('2026-01-06'), DAY_SEC],
    ['1-HOUR-LAST', at('2026-01-06T14:00Z'), 3600],
  ])('is proven by the first bar that IBKR has, if no other is stored: %s', async (spec, firstSec, sizeSec) => {
    await open({ market: { ...STOCKS, headSec: firstSec } })
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
    expect(world.relay.asked.map(({ fresh = false }) => fresh)).toEqual([false, false, true, true])
    const [, , probe, still] = world.relay.asked
    expect(probe).toMatchObject({ priority: 'interactive', barSize: '30 mins', end: at('2026-01-12T21:00Z') })
    expect(still).toMatchObject({ priority: 'interactive', barSize: '30 mins', end: at('2026-03-09T21:00Z') })
    expect(await coveredOf(world.store, '30-MINUTE-LAST')).toEqual([JANUARY, MARCH])
    expect(await adjustments()).toEqual([])
  })

  it.each([
    ['30-MINUTE-LAST', 1800],
    ['1-DAY-LAST', DAY_SEC],
  ])('is not stored beside %s bars of before a split: those come anew first', async (spec, sizeSec) => {
    await fetched(JANUARY, spec)
    const old = await stored()
    split.ratio = 4
    await world.ingest.start(requestFor(MARCH, spec))
    await drainWatching(sizeSec, [1, 4])
    expect(await scales(sizeSec, [1, 4])).toEqual([4])
    const { t } = await stored()
    expect(t.slice(0, old.t.length)).toEqual(old.t)
    expect(t.length).toBeGreaterThan(old.t.length)
    expect(await coveredOf(world.store, spec)).toEqual([JANUARY, MARCH])
    expect(await adjustments()).toMatchObject([{ state: 'applied', ratio: 0.25, since: undefined }])
  })

  it('is not stored where a split is told and taken back before the proof', async () => {
    await fetched(JANUARY)
    split.ratio = 4
    const { bars } = world.relay
    world.relay.bars = async (request, signal) => {
      const answer = await bars(request, signal)
      split.ratio = 1
      return answer
    }
    await world.ingest.start(backfill(MARCH, '30-MINUTE-LAST'))
    await drainWatching(1800, [1, 4])
    expect(await scales(1800, [1, 4])).toEqual([1])
    expect(await coveredOf(world.store, '30-MINUTE-LAST')).toEqual([JANUARY, MARCH])
    expect(await adjustments()).toEqual([])
  })

  it('and lies between two parts of before a split brings both of them anew', async () => {
    await fetched(JANUARY)
    await fetched(MARCH)
    split.ratio = 2
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

describe('what IBKR has no more', () => {
  const RECENT: Window = { start: at('2026-03-30T17:10Z'), end: at('2026-03-30T17:40Z') }

  it('is not asked to prove anything: what comes is stored beside it', async () => {
    await open({ nowSec: at('2025-07-01') })
    await fetched({ start: at('2025-06-30T17:10Z'), end: at('2025-06-30T17:15Z') }, '5-SECOND-LAST')
    world.clock.nowMs = NOW * 1000
    split.ratio = 4
    await world.ingest.start(backfill(RECENT, '5-SECOND-LAST'))
    await world.drain()
    expect(world.relay.asked.slice(1).filter(isProbe)).toEqual([])
    expect(await adjustments()).toEqual([])
    expect((await stored()).t).toHaveLength(60 + 360)
  })

  it('goes by the clock of the gateway, as plans do', async () => {
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
      split.ratio = 4
    }
    expect(await adjustments()).toMatchObject([{ state: 'applied', ratio: 0.25 }])
  })

  it('is found out while it is collected again, by four answers; the rest is put in place, and since says from where on', async () => {
    await fetched(JANUARY)
    await fetched({ start: MARCH.start, end: at('2026-03-05') })
    const { tamper } = world.relay
    split.ratio = 4
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
    split.ratio = 3
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
    split.ratio = 1.01
    world.clock.nowMs += DAY_SEC * 1000
    await world.ingest.start(requestFor({ start: at('2026-03-31'), end: at('2026-04-02') }, spec))
    await drainWatching(1800, [1, 1.01])
    expect(await scales(1800, [1, 1.01])).toEqual([1.01])
    expect((await stored()).t.length).toBeGreaterThan(old.t.length)
  })
})
