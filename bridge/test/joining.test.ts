import { createPacing } from '@tidegate/bridge'
import { type Priority, TidegateError } from '@tidegate/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAsking } from '../src/asking.ts'
import { createSharing } from '../src/sharing.ts'
import { createFakeClock, settled } from './clock.ts'

const PACING = new TidegateError('pacing', 'IBKR answered 162: pacing violation', { code: 162 })
const OUT = new TidegateError('farm-down', 'IBKR’s history servers are out of reach.', { retryAfterMs: 30_000 })

function rig() {
  const clock = createFakeClock(0)
  const pacing = createPacing({ clock })
  const asking = createAsking({ clock, pacing })
  const sharing = createSharing<string>(clock, { maxSize: 1000, sizeOf: () => 1 })
  const sent: string[] = []
  const failures: TidegateError[] = []
  let obstacle: TidegateError | undefined
  let answers = Promise.resolve()
  /** Asks for small bars of a name; those of one name are identical. */
  const ask = (name: string, priority: Priority, waitMs: number, signal?: AbortSignal, isFresh = false) => {
    const rule = { kind: 'bars', contract: name, exchange: 'SMART', whatToShow: 'TRADES', identity: name } as const
    return sharing.share(name, { priority, waitMs, isFresh, signal }, (all, turn) =>
      asking.ask({ priority, waitMs, rule, signal: all, turn, obstacle: () => obstacle }, async () => {
        sent.push(name)
        await answers
        const failure = failures.shift()
        if (failure) throw failure
        return `answer of ${name}`
      }),
    )
  }
  return {
    ...{ clock, pacing, sharing, sent, failures, ask },
    stand(error: TidegateError | undefined) {
      obstacle = error
    },
    hold(until: Promise<void>) {
      answers = until
    },
    /** Uses up the budget of small requests for ten minutes, second by second. */
    async exhaust() {
      for (let n = 0; n < 60; n++) {
        await ask(`fill ${n}`, 'interactive', 10_000)
        await clock.advanceQuickly(100)
      }
      sent.length = 0
    },
  }
}

let r: ReturnType<typeof rig>
beforeEach(() => {
  r = rig()
})
afterEach(async () => {
  // Nothing waits for anybody who has gone.
  r.sharing.clear()
  await r.clock.advanceQuickly(700_000)
  expect([r.clock.pending, r.pacing.stats().queued]).toEqual([0, 0])
})

describe('whoever joins a request that waits', () => {
  it('lifts it to his priority', async () => {
    await r.exhaust()
    const low = r.ask('low', 'backfill', 600_000)
    const middle = r.ask('middle', 'scheduled', 600_000)
    await settled()
    const joined = r.ask('low', 'interactive', 600_000)
    await settled()
    expect(r.pacing.stats().queuedBy).toEqual({ interactive: 1, scheduled: 1, backfill: 0 })
    await r.clock.advanceQuickly(600_000)
    expect(r.sent).toEqual(['low', 'middle'])
    expect(await Promise.all([low, joined, middle])).toEqual(['answer of low', 'answer of low', 'answer of middle'])
  })

  it('never lowers it', async () => {
    await r.exhaust()
    const high = r.ask('high', 'interactive', 600_000)
    const middle = r.ask('middle', 'scheduled', 600_000)
    await settled()
    const joined = r.ask('high', 'backfill', 600_000)
    await r.clock.advanceQuickly(600_000)
    expect(r.sent).toEqual(['high', 'middle'])
    await Promise.all([high, middle, joined])
  })

  it('makes it wait as long as he does; who is less patient leaves alone, in his time', async () => {
    const { promise: answers, resolve: answer } = Promise.withResolvers<void>()
    r.hold(answers)
    const open = Array.from({ length: 32 }, (_, n) => r.ask(`open ${n}`, 'backfill', 0))
    const hurried = r.ask('one', 'backfill', 5000)
    await settled()
    const patient = r.ask('one', 'backfill', 60_000)
    let left: unknown
    hurried.catch((error) => {
      left = error
    })
    await r.clock.advance(4999)
    expect(left).toBeUndefined()
    await r.clock.advance(1)
    expect(left).toMatchObject({ kind: 'busy', retryAfterMs: expect.any(Number) })
    await r.clock.advance(40_000)
    answer()
    await Promise.all(open)
    expect(await patient).toBe('answer of one')
    expect(r.sent.filter((name) => name === 'one')).toHaveLength(1)
  })

  it('is told at once that it does not go within his patience, while it waits on for the others', async () => {
    await r.exhaust()
    const patient = r.ask('one', 'backfill', 600_000)
    await settled()
    const error = await r.ask('one', 'backfill', 1000).catch((cause: TidegateError) => cause)
    expect(error).toMatchObject({ kind: 'busy' })
    const { retryAfterMs = 0 } = error as TidegateError
    expect(retryAfterMs).toBeGreaterThan(500_000)
    await expect(r.ask('one', 'backfill', 0)).rejects.toMatchObject({ kind: 'busy' })
    // Who comes again when he was told to is in time.
    await r.clock.advance(retryAfterMs)
    const again = r.ask('one', 'backfill', 1000)
    await r.clock.advance(1000)
    expect(await Promise.all([patient, again])).toEqual(['answer of one', 'answer of one'])
    expect(r.sent).toEqual(['one'])
  })

  it('waits an outage out, and who does not is told of it', async () => {
    r.stand(OUT)
    const hurried = r.ask('one', 'backfill', 5000)
    const patient = r.ask('one', 'scheduled', 60_000)
    const left = expect(hurried).rejects.toMatchObject({ kind: 'farm-down' })
    await r.clock.advance(20_000)
    await left
    r.stand(undefined)
    await r.clock.advance(1000)
    expect(await patient).toBe('answer of one')
  })

  it('stays when it has to be asked again, and whose time is over by then leaves with the reason', async () => {
    r.failures.push(PACING)
    const { promise: answers, resolve: answer } = Promise.withResolvers<void>()
    r.hold(answers)
    const hurried = r.ask('one', 'backfill', 5000)
    const patient = r.ask('one', 'backfill', 60_000)
    const left = expect(hurried).rejects.toMatchObject({ kind: 'pacing', code: 162 })
    // It is with the gateway when his time ends: that is no reason to leave.
    await r.clock.advance(10_000)
    answer()
    await settled()
    await left
    await r.clock.advance(30_000)
    expect(await patient).toBe('answer of one')
    expect(r.sent).toEqual(['one', 'one'])
  })

  it('and leaves it as the last ends it', async () => {
    await r.exhaust()
    const caller = new AbortController()
    const both = [r.ask('one', 'backfill', 600_000, caller.signal), r.ask('one', 'interactive', 599_000)]
    const failed = Promise.allSettled(both)
    await settled()
    r.pacing.backOff('small')
    caller.abort()
    r.stand(OUT)
    await r.clock.advance(599_000)
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(r.sent).toEqual([])
  })
})

describe('whoever wants an answer of after now', () => {
  const fresh = (waitMs = 60_000, signal?: AbortSignal) => r.ask('one', 'backfill', waitMs, signal, true)

  it('is not given one that came before, and waits until IBKR lets the same be asked again', async () => {
    await r.ask('one', 'backfill', 1000)
    const again = fresh()
    await r.clock.advance(15_000)
    expect(r.sent).toEqual(['one'])
    // Who is less particular shares with him.
    const other = r.ask('one', 'backfill', 60_000)
    await r.clock.advance(1000)
    expect(await Promise.all([again, other])).toEqual(['answer of one', 'answer of one'])
    expect(r.sent).toEqual(['one', 'one'])
  })

  it('does not join one that has gone, which goes on for those who wait for it', async () => {
    const { promise: answers, resolve: answer } = Promise.withResolvers<void>()
    r.hold(answers)
    const first = r.ask('one', 'backfill', 60_000)
    await settled()
    const second = fresh()
    await settled()
    answer()
    expect(await first).toBe('answer of one')
    expect(r.sent).toEqual(['one'])
    await r.clock.advance(16_000)
    expect(await second).toBe('answer of one')
    expect(r.sent).toEqual(['one', 'one'])
  })

  it('joins one that has not gone yet', async () => {
    await r.exhaust()
    const first = r.ask('one', 'backfill', 600_000)
    await settled()
    const second = fresh(600_000)
    await r.clock.advanceQuickly(600_000)
    expect(await Promise.all([first, second])).toEqual(['answer of one', 'answer of one'])
    expect(r.sent).toEqual(['one'])
  })

  it('is told when he may come again, where he does not wait so long', async () => {
    await r.ask('one', 'backfill', 1000)
    await expect(fresh(1000)).rejects.toMatchObject({ kind: 'busy', retryAfterMs: expect.any(Number) })
  })
})
