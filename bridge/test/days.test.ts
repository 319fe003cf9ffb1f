import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { live, type Stream, streams } from './days.ts'

/** A day that binds every rule, so that none is judged by quiet ones alone. */
const CALM = {
  caller: 'a',
  contracts: 100,
  variety: 1_000_000,
  lastsMs: 50,
  waitMs: 600_000,
  hangsUp: 0,
  fails: 0,
} as const
const BUSY: Stream[] = [
  { ...CALM, kind: 'small', whatToShow: 'TRADES', priority: 'interactive', burst: 70, everyMs: 600_000 },
  { ...CALM, kind: 'minutes', whatToShow: 'MIDPOINT', priority: 'backfill', burst: 70, everyMs: 600_000 },
]

describe('simulated days under the simulator’s own judge', () => {
  it('bring no violation whatever is asked, and everything asked is let go, refused in time, or left', async () => {
    let requests = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(streams, { minLength: 1, maxLength: 6 }),
        fc.integer(),
        fc.constantFrom(45, 45, 30, 10, 50),
        async (mix, seed, rate) => {
          const { violations, told, stats } = await live(mix, { seed, hours: 24, rate })
          // Who is set to use all of IBKR's message rate has nothing left for a way that takes its time.
          expect(violations).toEqual(rate === 50 ? violations.filter((one) => one.rule === 'messages') : [])
          requests += told.went
          // Failures have gone, and so has what hung up after it went.
          expect(told.late).toBe(0)
          expect(told.went + told.busy + told.left).toBe(told.asked)
          expect(stats).toMatchObject({ open: 0, queued: 0 })
        },
      ),
      { numRuns: 2, examples: [[BUSY, 1, 45]] },
    )
    expect(requests).toBeGreaterThan(1000)
  }, 180_000)
})
