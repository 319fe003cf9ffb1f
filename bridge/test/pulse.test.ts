import { expect, it } from 'vitest'
import { createPulse } from '../src/pulse.ts'
import { createFakeClock } from './clock.ts'

it('a gateway is not silent while the question has not left, and is when it stays without an answer', async () => {
  const clock = createFakeClock()
  const leaving: (() => void)[] = []
  let silent = 0
  const pulse = createPulse({
    clock,
    patienceMs: 5000,
    ask: () => new Promise((resolve) => leaving.push(resolve)),
    onSilence: () => silent++,
  })
  leaving.shift()?.()
  await clock.advance(4000)
  pulse.beat()
  // Half a minute later the next is asked, and pacing holds it for an hour.
  await clock.advance(3_600_000)
  expect([silent, leaving.length]).toEqual([0, 1])
  leaving.shift()?.()
  await clock.advance(4999)
  expect(silent).toBe(0)
  await clock.advance(1)
  expect(silent).toBe(1)
  pulse.stop()
  expect(clock.pending).toBe(0)
})
