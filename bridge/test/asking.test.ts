import { createPacing } from '@tidegate/bridge'
import { TidegateError } from '@tidegate/core'
import { describe, expect, it } from 'vitest'
import { createAsking } from '../src/asking.ts'
import { createFakeClock } from './clock.ts'

const PACING = new TidegateError('pacing', 'IBKR answered 162: pacing violation', { code: 162 })
const BROKEN = new TidegateError('disconnected', 'The gateway closed the connection.', { retryAfterMs: 30_000 })

function rig() {
  const clock = createFakeClock(0)
  const pacing = createPacing({ clock })
  const asking = createAsking({ clock, pacing })
  const sent: number[] = []
  /** Sends a request that fails with each of these in turn, and then is answered. */
  const ask = (
    failures: TidegateError[],
    { waitMs, barSec = 5, identity = 'one', obstacle, signal }: Partial<Ask> & { waitMs: number },
  ) => {
    const rule = { kind: 'bars', contract: '1', exchange: 'SMART', whatToShow: 'TRADES', barSec, identity } as const
    return asking.ask({ priority: 'backfill', waitMs, rule, obstacle, signal }, async () => {
      sent.push(clock.now())
      const failure = failures.shift()
      if (failure) throw failure
      return 'answered'
    })
  }
  return { clock, pacing, sent, ask }
}

interface Ask {
  barSec: number
  identity: string
  obstacle: () => TidegateError | undefined
  signal: AbortSignal
}

async function errorOf(promise: Promise<unknown>): Promise<TidegateError> {
  const error = await promise.catch((cause: unknown) => cause)
  if (!(error instanceof TidegateError)) throw new Error(`Expected a TidegateError, got ${error}.`)
  return error
}

describe('a pacing answer', () => {
  it('is asked again after fifteen seconds, then later each time, for as long as the patience lasts', async () => {
    const { clock, sent, ask } = rig()
    const answer = ask([PACING, PACING, PACING], { waitMs: 600_000 })
    await clock.advance(300_000)
    expect(await answer).toBe('answered')
    const gaps = sent.slice(1).map((at, i) => at - (sent[i] ?? 0))
    expect(gaps).toEqual([15_500, 30_000, 60_000])
  })

  it('makes the whole small class hold, and leaves longer bars alone', async () => {
    const { clock, sent, ask, pacing } = rig()
    const first = ask([PACING], { waitMs: 60_000 })
    await clock.advance(0)
    expect(pacing.stats().heldMs.small).toBe(15_000)
    expect(await ask([], { waitMs: 0, barSec: 60, identity: 'minutes' })).toBe('answered')
    const other = await errorOf(ask([], { waitMs: 1000, identity: 'other' }))
    expect(other).toMatchObject({ kind: 'busy', retryAfterMs: 14_000 })
    await clock.advance(20_000)
    expect(await first).toBe('answered')
    expect(sent).toEqual([0, 0, 15_500])
  })

  it('of the message rate holds everything', async () => {
    const { clock, ask, pacing } = rig()
    const rate = new TidegateError('pacing', 'IBKR answered 100: Max rate of messages per second', { code: 100 })
    const answer = ask([rate], { waitMs: 60_000 })
    await clock.advance(0)
    expect(pacing.stats().heldMs).toEqual({ messages: 2000, small: 0 })
    let left = false
    void pacing.message().then(() => {
      left = true
    })
    await clock.advance(1999)
    expect(left).toBe(false)
    await clock.advance(1)
    expect(left).toBe(true)
    await clock.advance(20_000)
    expect(await answer).toBe('answered')
  })

  it('comes out as it is where the patience is shorter, and says truly when to come again', async () => {
    const { clock, sent, ask } = rig()
    const error = await errorOf(ask([PACING], { waitMs: 10_000 }))
    expect(error).toMatchObject({ kind: 'pacing', code: 162 })
    await clock.advance(error.retryAfterMs ?? 0)
    expect(await ask([], { waitMs: 10_000 })).toBe('answered')
    expect(sent).toEqual([0, 15_500])
  })
})

describe('a break', () => {
  it('is waited out, and what it ended is asked again once it is over, never within fifteen seconds', async () => {
    const { clock, sent, ask } = rig()
    let standing: TidegateError | undefined
    const answer = ask([BROKEN], { waitMs: 120_000, obstacle: () => standing })
    standing = BROKEN
    await clock.advance(40_000)
    expect(sent).toEqual([0])
    standing = undefined
    await clock.advance(1000)
    expect(await answer).toBe('answered')
    expect(sent).toHaveLength(2)
    expect(sent[1]).toBeGreaterThanOrEqual(40_000)
    expect(sent[1]).toBeLessThanOrEqual(40_250)
  })

  it('of an instant still leaves fifteen seconds between the two', async () => {
    const { clock, sent, ask } = rig()
    const answer = ask([BROKEN], { waitMs: 120_000, barSec: 60 })
    await clock.advance(16_000)
    expect(await answer).toBe('answered')
    expect(sent[1]).toBeGreaterThanOrEqual(15_500)
  })

  it('takes nothing of any budget while it stands', async () => {
    const { clock, ask, pacing } = rig()
    const farm = new TidegateError('farm-down', 'IBKR’s history servers are out of reach.', { retryAfterMs: 30_000 })
    const answer = errorOf(ask([], { waitMs: 5000, obstacle: () => farm }))
    await clock.advance(4999)
    expect(pacing.stats()).toMatchObject({ queued: 1, left: { small: 60 } })
    await clock.advance(1)
    expect(await answer).toMatchObject({ kind: 'farm-down', retryAfterMs: 30_000 })
    expect(pacing.stats()).toMatchObject({ queued: 0, left: { small: 60 } })
  })

  it('that needs a person is told at once', async () => {
    const { ask, sent } = rig()
    const error = new TidegateError('login-required', 'Log in.')
    expect(await errorOf(ask([], { waitMs: 60_000, obstacle: () => error }))).toBe(error)
    expect(sent).toEqual([])
  })

  it('under the same request again and again is its fault: three connections are enough', async () => {
    const { clock, sent, ask } = rig()
    const error = errorOf(ask([BROKEN, BROKEN, BROKEN, BROKEN], { waitMs: 600_000 }))
    await clock.advance(60_000)
    expect(await error).toMatchObject({ kind: 'disconnected' })
    expect(sent).toHaveLength(3)
  })

  it('is not waited out for a caller who has hung up', async () => {
    const { clock, sent, ask } = rig()
    const caller = new AbortController()
    const error = errorOf(ask([BROKEN], { waitMs: 600_000, signal: caller.signal }))
    await clock.advance(1000)
    caller.abort()
    expect(await error).toMatchObject({ kind: 'disconnected' })
    await clock.advance(60_000)
    expect(sent).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })
})

it('what will never be different is not asked again', async () => {
  const { sent, ask } = rig()
  const error = new TidegateError('invalid', 'IBKR answered 321.')
  expect(await errorOf(ask([error], { waitMs: 60_000 }))).toBe(error)
  expect(sent).toHaveLength(1)
})
