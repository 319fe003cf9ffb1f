import { type BarColumns, parseInstant, type Window } from '@tidegate/core'
import type { BarsAnswer } from '@tidegate/relay'
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { type Fault, faulty } from './faults.ts'
import { barsIn, STOCKS, splitBars } from './market.ts'
import { coveredOf, eachWorld } from './world.ts'

const at = parseInstant
const NOW = at('2026-03-12T12:00Z')
const ALL: Window = { start: at('2026-02-23T00:00Z'), end: at('2026-03-12T00:00Z') }
const OLD: Window = { start: ALL.start, end: at('2026-03-10T00:00Z') }
const LATER_MS = 400_000

const { database, world } = eachWorld(NOW)

/** Of a minute where many requests are wanted, for they are ten days long; else longer bars, which are fewer. */
const MINUTES = '1-MINUTE-LAST'
const HALF_HOURS = '30-MINUTE-LAST'

const request = (window: Window, spec = HALF_HOURS) => ({
  instruments: ['AAPL'],
  specs: [spec],
  hours: 'regular' as const,
  window,
})
async function fetched(window: Window, spec?: string): Promise<void> {
  await world.ingest.start(request(window, spec))
  await world.drain()
}
const stored = async (): Promise<BarColumns> => {
  const [series] = await world.store.series()
  return world.store.bars(series?.id ?? 0, { start: 0, end: 4e9 }, 1e6)
}
function split(ratio: number): void {
  world.relay.tamper = (_, answer: BarsAnswer) => ({ ...answer, bars: splitBars(ratio, answer.bars) })
}
const truth = (window: Window, sizeSec = 1800) => barsIn(STOCKS, sizeSec, window, NOW)
const adjustments = () =>
  database.rows<{ state: string; ratio: number }>(sql`select state, ratio from adjustments order by id`)
const count = async (table: 'restatements' | 'staged_bars') =>
  (await database.rows<{ n: number }>(sql`select count(*)::int as n from ${sql.identifier(table)}`))[0]?.n
const told = async () =>
  (
    await database.rows<{ data: object }>(
      sql`select event->'data' as data from outbox where kind = 'event' and event->>'type' = 'restatement' order by id`,
    )
  ).map(({ data }) => data)

/** Works on everything, and looks after each step that readers see one scale: the whole of the old one, or the new. */
async function drainWatching(old: BarColumns, ratio: number, sizeSec = 1800): Promise<void> {
  const times = new Set(old.t)
  const { t: starts, c: closes } = truth(ALL, sizeSec)
  const price = new Map(starts.map((t, i) => [t, closes[i] ?? 0]))
  for (let round = 0; round < 30; round++) {
    const message = world.queue.messages.shift()
    if (!message) {
      world.clock.nowMs += LATER_MS
      await world.ingest.sweep()
      if (world.queue.messages.length === 0) return
      continue
    }
    await world.ingest.work(message.chunkId)
    const seen = await stored()
    expect(seen.t.filter((t) => times.has(t)).length).toBe(times.size)
    const scales = new Set(
      seen.t.map((t, i) => {
        const whole = price.get(t) ?? 0
        return seen.c[i] === whole ? 1 : seen.c[i] === Number((whole / ratio).toFixed(6)) ? ratio : 'neither'
      }),
    )
    expect(scales.size).toBe(1)
  }
  throw new Error('It does not come to rest.')
}

describe('a split', () => {
  it('found by an update: what is older is asked again once, and put in place at once', async () => {
    await fetched(OLD, MINUTES)
    const old = await stored()
    const before = world.relay.asked.length
    split(4)
    await world.ingest.start(request(ALL, MINUTES))
    await drainWatching(old, 4, 60)
    expect(await stored()).toEqual(splitBars(4, truth(ALL, 60)))
    expect(await coveredOf(world.store, MINUTES)).toEqual([ALL])
    expect(await adjustments()).toEqual([{ state: 'applied', ratio: 0.25 }])
    expect(await count('restatements')).toBe(old.t.length)
    expect(await count('staged_bars')).toBe(0)
    expect(await told()).toMatchObject([{ bars: old.t.length, ratio: 0.25, instrument: 'AAPL.NASDAQ' }])
    // The finder twice, and what is older as often as it was asked at first.
    expect(world.relay.asked.length - before).toBe(before + 2)
  })

  it('found by an older part that is asked after it: everything stored is asked again', async () => {
    const newer: Window = { start: at('2026-03-02T00:00Z'), end: ALL.end }
    await fetched(newer)
    const old = await stored()
    const before = world.relay.asked.length
    split(10)
    await world.ingest.start(request(ALL))
    await drainWatching(old, 10)
    expect(await stored()).toEqual(splitBars(10, truth(ALL)))
    expect(await adjustments()).toEqual([{ state: 'applied', ratio: 0.1 }])
    expect(world.relay.asked.length - before).toBeGreaterThanOrEqual(before + 2)
  })

  it('of daily bars is found too', async () => {
    await fetched(OLD, '1-DAY-LAST')
    split(2)
    await fetched(ALL, '1-DAY-LAST')
    await world.ingest.sweep()
    await world.drain()
    expect(await stored()).toEqual(splitBars(2, truth(ALL, 86_400)))
    expect(await adjustments()).toEqual([{ state: 'applied', ratio: 0.5 }])
  })

  it('followed by another one while it is collected is begun anew', async () => {
    await fetched(OLD)
    split(2)
    await world.ingest.start(request(ALL))
    const [finder] = world.queue.messages.splice(0, 1)
    await world.ingest.work(finder?.chunkId ?? '')
    expect(await adjustments()).toEqual([{ state: 'collecting', ratio: 0.5 }])
    split(6)
    await drainWatching(truth(OLD), 6)
    expect(await stored()).toEqual(splitBars(6, truth(ALL)))
    expect((await adjustments()).map(({ state }) => state)).toEqual(['abandoned', 'applied'])
    expect(await count('staged_bars')).toBe(0)
  })

  it('told by one of IBKR’s servers and not yet by another is collected once both tell it', async () => {
    await fetched(OLD, MINUTES)
    const old = await stored()
    split(4)
    const { tamper } = world.relay
    let late = 2
    world.relay.tamper = (request, answer) => {
      const isLate = request.fresh === true && (request.end ?? NOW) < at('2026-03-05') && late-- > 0
      return isLate ? answer : tamper(request, answer)
    }
    await world.ingest.start(request(ALL, MINUTES))
    await drainWatching(old, 4, 60)
    expect(late).toBeLessThan(0)
    expect(await stored()).toEqual(splitBars(4, truth(ALL, 60)))
    expect(await adjustments()).toEqual([{ state: 'applied', ratio: 0.25 }])
  })

  it('taken back while it is collected leaves the series as it was', async () => {
    await fetched(OLD, MINUTES)
    const old = await stored()
    split(4)
    await world.ingest.start(request(ALL, MINUTES))
    const collected = () => world.relay.asked.filter(({ fresh }) => fresh).length
    while (collected() < 1) await world.ingest.work(world.queue.messages.shift()?.chunkId ?? '')
    world.relay.tamper = (_, answer) => answer
    await drainWatching(old, 4, 60)
    expect(await stored()).toEqual(truth(ALL, 60))
    expect(await adjustments()).toEqual([{ state: 'abandoned', ratio: 0.25 }])
    expect(await count('staged_bars')).toBe(0)
    expect(await coveredOf(world.store, MINUTES)).toEqual([ALL])
  })

  it('found by a clock that is days behind is of all that is stored', async () => {
    await fetched(OLD, MINUTES)
    const old = await stored()
    split(4)
    await world.ingest.start(request(ALL, MINUTES))
    const late = world.another({ now: () => world.clock.nowMs - 3 * 86_400_000 })
    await late.work(world.queue.messages.shift()?.chunkId ?? '')
    expect(await adjustments()).toMatchObject([{ ratio: 0.25 }])
    await drainWatching(old, 4, 60)
    expect(await stored()).toEqual(splitBars(4, truth(ALL, 60)))
  })

  it('whose collection fails leaves the series as it was, and is asked again later', async () => {
    await fetched(OLD)
    const old = await stored()
    split(3)
    await world.ingest.start(request(ALL))
    const [finder] = world.queue.messages.splice(0, 1)
    await world.ingest.work(finder?.chunkId ?? '')
    const [collector] = world.queue.messages.splice(0, 1)
    const claim = await world.store.claim(collector?.chunkId ?? '', { now: world.clock.nowMs / 1000, leaseSec: 60 })
    if (!claim) throw new Error('There was nothing to claim.')
    await world.store.giveUp(claim, 'failed', { kind: 'invalid', message: 'no' }, world.clock.nowMs / 1000)
    await world.ingest.sweep()
    await world.drain()
    expect(await stored()).toEqual(old)
    expect(await adjustments()).toEqual([{ state: 'collecting', ratio: 1 / 3 }])
    // What waits is not sent round and round.
    expect(await world.store.due(world.clock.nowMs / 1000 + 1e6, 10)).toEqual([])
    world.clock.nowMs += 3_700_000
    await world.ingest.sweep()
    await world.drain()
    expect(await stored()).toEqual(splitBars(3, truth(ALL)))
  })
})

describe('whoever dies while a split is collected', () => {
  const reads = ['store.furthestFrom', 'store.bars', 'store.collecting', 'store.holding']
  const writes = [
    ...['openAdjustment', 'createRun', 'stage', 'applyAdjustments', 'commit'].map((call) => `store.${call}`),
    ...['queue.send', 'relay.bars'],
  ]
  it.each([
    ...[...reads, ...writes].map((call): [Fault, string] => ['before', call]),
    ...writes.map((call): [Fault, string] => ['after', call]),
  ])('%s %s, it ends right', async (fault, call) => {
    await fetched({ start: ALL.start, end: at('2026-03-03T00:00Z') })
    await fetched({ start: at('2026-03-05T00:00Z'), end: OLD.end })
    const old = await stored()
    split(4)
    await world.ingest.start(request(ALL))
    let dead = false
    const parts = faulty(world, (name) => {
      if (dead) return 'before'
      if (name !== call) return undefined
      dead = true
      return fault
    })
    const mortal = world.another(parts)
    for (let step = 0; step < 10 && !dead; step++) {
      const message = world.queue.messages.shift()
      if (!message) break
      await mortal.work(message.chunkId).catch(() => {})
    }
    expect(dead).toBe(true)
    await drainWatching(old, 4)
    expect(await stored()).toEqual(splitBars(4, truth(ALL)))
    expect((await adjustments()).map(({ state }) => state)).toEqual(['applied'])
    expect(await world.store.due(world.clock.nowMs / 1000 + 1e6, 10)).toEqual([])
  })
})

describe('bars that changed without a split', () => {
  it('are put right and told, beside the answer they came with', async () => {
    await fetched(OLD)
    const changed = at('2026-03-09T18:00Z')
    world.relay.tamper = (_, answer) => ({
      ...answer,
      bars: { ...answer.bars, c: answer.bars.c.map((c, i) => (answer.bars.t[i] === changed ? c + 0.5 : c)) },
    })
    await fetched(ALL)
    const expected = truth(ALL)
    const i = expected.t.indexOf(changed)
    expected.c[i] = (expected.c[i] ?? 0) + 0.5
    expect(await stored()).toEqual(expected)
    expect(await count('restatements')).toBe(1)
    expect(await adjustments()).toEqual([])
    expect(await told()).toMatchObject([
      { bars: 1, ratio: null, window: { start: '2026-03-09T18:00:00Z', end: '2026-03-09T18:00:01Z' } },
    ])
  })

  it('in their volume alone are put right without a word', async () => {
    await fetched(OLD)
    world.relay.tamper = (_, answer) => ({
      ...answer,
      bars: { ...answer.bars, v: answer.bars.v.map((v) => (v ?? 0) + 1) },
    })
    await fetched(ALL)
    const { t, v } = await stored()
    expect(v[t.indexOf(at('2026-03-09T18:00Z'))]).toBe(5401)
    expect(await count('restatements')).toBe(0)
    expect(await told()).toEqual([])
  })
})
