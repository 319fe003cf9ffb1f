import { createPacing, type RuledRequest } from '@tidegate/bridge'
import type { TidegateError } from '@tidegate/core'
import { describe, expect, it } from 'vitest'
import { createFakeClock, settled } from './clock.ts'
import { createSwiftClock } from './swift.ts'

/** Five seconds' bars, or a minute's: one of those that are asked for by the thousand. */
function rule(n: number, barSec: number): RuledRequest {
  const [contract, identity] = [`c${n % 50}`, String(n)]
  return { kind: 'bars', contract, exchange: 'SMART', whatToShow: 'TRADES', barSec, identity }
}

describe('a crowd that waits', () => {
  it.each([
    ['for a gateway', false, 60],
    ['for the message rate', true, 60],
    ['for the small class', true, 5],
  ])('%s is answered, each in time, and holds up nothing else', async (_, isReady, barSec) => {
    const clock = createFakeClock()
    const pacing = createPacing({ clock })
    const told: TidegateError[] = []
    let went = 0
    const beganMs = performance.now()
    for (let n = 0; n < 5000; n++) {
      const job = { priority: 'backfill', waitMs: 60_000, rule: rule(n, barSec), isReady: () => isReady } as const
      pacing.run(job, async () => void went++).catch((error) => told.push(error))
    }
    await settled()
    expect(pacing.stats().queued).toBeLessThanOrEqual(2000)
    expect(told.length + went + pacing.stats().queued).toBe(5000)
    await clock.advanceQuickly(60_001)
    // It took half a minute where each reckoned with all; a busy machine takes several times as long as an idle one.
    expect(performance.now() - beganMs).toBeLessThan(8000)
    expect(told.length + went).toBe(5000)
    expect(told.every(({ kind, retryAfterMs = 0 }) => kind === 'busy' && retryAfterMs >= 1)).toBe(true)
  })

  it.each([5, 60])('lets one of %i s go that comes again when it was told to', async (barSec) => {
    const clock = createSwiftClock()
    const pacing = createPacing({ clock })
    let went = 0
    const ask = (n: number, waitMs: number) =>
      pacing.run({ priority: 'backfill', waitMs, rule: rule(n, barSec) }, async () => void went++)
    const all = Array.from({ length: 200 }, (_, n) => ask(n, 3_600_000))
    const startMs = clock.now()
    await clock.runUntil(startMs + 1)
    const error: TidegateError = await ask(200, 10).then(
      () => expect.unreachable(),
      (cause) => cause,
    )
    expect(error.kind).toBe('busy')
    const { retryAfterMs = 0 } = error
    // Two windows of the small class hold 120: the other 80 have to wait for the third and the fourth.
    expect(retryAfterMs).toBeLessThan(barSec === 5 ? 4.1 * 601_000 : 30_000)
    await clock.runUntil(startMs + 1 + retryAfterMs)
    await Promise.all(all)
    await ask(200, 10)
    expect(went).toBe(201)
  })
})
