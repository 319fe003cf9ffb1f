import { alignWindow, parseInstant, parseSpec, type Window } from '@tidegate/core'
import type { EmbeddedDatabase } from '@tidegate/db'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import { type Fault, faulty } from './faults.ts'
import { barsIn, FX, type Market, STOCKS } from './market.ts'
import { scheduleOf } from './schedule.ts'
import { coveredOf, createWorld } from './world.ts'

const DAY_SEC = 86_400
const EPOCH = parseInstant('2026-01-05')
const SIZES = {
  '5-SECOND-MID': 5,
  '1-MINUTE-MID': 60,
  '5-MINUTE-MID': 300,
  '30-MINUTE-MID': 1800,
  '1-HOUR-MID': 3600,
  '4-HOUR-MID': 14_400,
  '1-DAY-MID': DAY_SEC,
} as const

let database: EmbeddedDatabase
beforeAll(async () => {
  database = await freshPglite()
})
afterAll(() => database?.close())

const markets: fc.Arbitrary<Market> = fc
  .record({
    base: fc.constantFrom(STOCKS, FX),
    holidays: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 }),
    headDay: fc.constantFrom(-1000, -1000, 3, 9.6),
    quiet: fc.constantFrom(0, 0, 3, 40),
  })
  .map(({ base, holidays, headDay, quiet }) => ({
    ...base,
    holidays: new Set(holidays.map((day) => EPOCH + day * DAY_SEC)),
    headSec: EPOCH + Math.floor(headDay * 288) * 300,
    // Some bars are never traded; a day always is.
    quiet: (start) => start % DAY_SEC !== 0 && quiet > 0 && (start / 5) % 97 < quiet,
  }))

interface Plan {
  readonly spec: keyof typeof SIZES
  readonly window: Window
  readonly nowSec: number
}

/** A window of a few chunks, and the time of the first fetch: long after, or within it. */
const plans: fc.Arbitrary<Plan> = fc
  .tuple(fc.constantFrom(...(Object.keys(SIZES) as (keyof typeof SIZES)[])), fc.nat(), fc.nat(), fc.nat())
  .map(([spec, a, b, c]) => {
    const reach = SIZES[spec] === 5 ? 6 * 3600 : 30 * DAY_SEC
    const start = EPOCH + (a % (12 * DAY_SEC))
    const end = start + 60 + (b % reach)
    return { spec, window: { start, end }, nowSec: start + (c % (2 * reach)) }
  })

/** What befalls each call, one after the other; nothing once they are used up. */
const fates = fc.array(
  fc.constantFrom<Fault | undefined>('before', 'after', undefined, undefined, undefined, undefined),
  {
    maxLength: 60,
  },
)

it('whatever fails and however often: when the dust settles, all is stored that was traded, and all is covered', async () => {
  await fc.assert(
    fc.asyncProperty(
      plans,
      markets,
      fates,
      fc.constantFrom(0, 900),
      fc.boolean(),
      async ({ spec, window, nowSec }, market, fate, lag, hasSchedule) => {
        await wipe(database)
        const world = createWorld(database, nowSec, market)
        world.relay.lagSec = lag
        if (hasSchedule) world.relay.sessions = scheduleOf({ current: () => market }, () => world.clock.nowMs, [])
        let calls = 0
        const shaken = world.another(faulty(world, () => fate[calls++]))
        const request = { instruments: ['EUR/USD'], specs: [spec], hours: 'regular' as const, window }
        const size = SIZES[spec]
        const wanted = alignWindow(window, parseSpec(spec))
        const traded = wanted ? barsIn(market, size, wanted, window.end + 3 * DAY_SEC) : undefined
        const seriesId = async () => (await world.store.series())[0]?.id ?? 0
        /** Nothing false at any moment: what is covered is stored as it was traded. */
        const expectTrue = async () => {
          for (const { start, end } of await coveredOf(world.store, spec)) {
            const bars = await world.store.bars(await seriesId(), { start, end }, 1e6)
            expect(bars).toEqual(barsIn(market, size, { start, end }, end + 3 * DAY_SEC))
          }
        }
        for (let round = 0; round < 4; round++) {
          await shaken.start(request).catch(() => {})
          await shaken.sweep().catch(() => {})
          for (const { chunkId } of world.queue.messages.splice(0)) await shaken.work(chunkId).catch(() => {})
          await expectTrue()
          world.clock.nowMs += 400_000
        }
        // The storm is over, and so is the window.
        world.clock.nowMs = Math.max(world.clock.nowMs, (window.end + 3 * DAY_SEC) * 1000)
        for (let round = 0; round < 3; round++) {
          await world.ingest.start(request)
          await world.ingest.sweep()
          // What was not believed at first is asked again in an hour.
          await world.drain({ forSec: 4500 })
          world.clock.nowMs += 4_500_000
        }
        expect(await coveredOf(world.store, spec)).toEqual(wanted ? [wanted] : [])
        if (wanted) expect(await world.store.bars(await seriesId(), { start: 0, end: 4e9 }, 1e6)).toEqual(traded)
      },
    ),
    { numRuns: 12, interruptAfterTimeLimit: 6000, markInterruptAsFailure: false },
  )
}, 30_000)
