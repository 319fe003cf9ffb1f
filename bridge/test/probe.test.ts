import { describe, expect, it } from 'vitest'
import { createProbe, type Finding } from '../src/probe.ts'
import { createFakeClock } from './clock.ts'

const MINUTE = 60_000
const AFTER = 5 * MINUTE

function rig(afterMs = AFTER) {
  const clock = createFakeClock()
  const asked: number[] = []
  const found: Finding[] = []
  let finding: Finding = 'silent'
  let hear = (_: Finding) => {}
  const startMs = clock.now()
  const probe = createProbe({
    clock,
    afterMs,
    ask: async () => {
      asked.push((clock.now() - startMs) / MINUTE)
      return finding
    },
    onFinding: (one) => {
      found.push(one)
      hear(one)
    },
  })
  const answer = (one: Finding) => {
    finding = one
  }
  const onFinding = (listen: (one: Finding) => void) => {
    hear = listen
  }
  return { clock, probe, asked, found, answer, onFinding }
}

describe('a probe of the history servers', () => {
  it('goes when requests go unanswered and nothing has been heard for long, and again every minute until answered', async () => {
    const { clock, probe, asked, found, answer } = rig()
    await clock.advanceQuickly(AFTER - 1)
    probe.missed()
    expect(asked).toEqual([])
    await clock.advanceQuickly(1)
    probe.missed()
    await clock.advanceQuickly(2 * MINUTE)
    expect([asked, found]).toEqual([
      [5, 6, 7],
      ['silent', 'silent', 'silent'],
    ])
    answer('answered')
    await clock.advanceQuickly(10 * MINUTE)
    expect([asked, found.at(-1), clock.pending]).toEqual([[5, 6, 7, 8], 'answered', 0])
  })

  it('does not go while somebody is answered, and stops when somebody is', async () => {
    const { clock, probe, asked } = rig()
    await clock.advanceQuickly(AFTER)
    probe.heard()
    probe.missed()
    expect(asked).toEqual([])
    await clock.advanceQuickly(AFTER)
    probe.missed()
    await clock.advanceQuickly(1)
    probe.heard()
    await clock.advanceQuickly(10 * MINUTE)
    expect(asked).toEqual([10])
  })

  it('goes while history is held, for the notice that ends that can get lost', async () => {
    const { clock, probe, asked, answer } = rig()
    answer('unknown')
    probe.held(true)
    await clock.advanceQuickly(AFTER + MINUTE)
    expect(asked).toEqual([5, 6])
    probe.held(false)
    await clock.advanceQuickly(10 * MINUTE)
    expect([asked, clock.pending]).toEqual([[5, 6], 0])
  })

  it('goes every minute too where history is held because of what it found', async () => {
    const { clock, probe, asked, answer, onFinding } = rig()
    onFinding((one) => probe.held(one === 'silent'))
    await clock.advanceQuickly(AFTER)
    probe.missed()
    await clock.advanceQuickly(2 * MINUTE)
    answer('answered')
    await clock.advanceQuickly(10 * MINUTE)
    expect([asked, clock.pending]).toEqual([[5, 6, 7, 8], 0])
  })

  it('leaves nothing behind when it stops, and tells nothing of what it had under way', async () => {
    const { clock, probe, asked, found } = rig()
    await clock.advanceQuickly(AFTER)
    probe.missed()
    probe.stop()
    await clock.advanceQuickly(10 * MINUTE)
    expect([asked, found, clock.pending]).toEqual([[5], [], 0])
  })

  it('never goes where it is switched off', async () => {
    const { clock, probe, asked } = rig(0)
    probe.held(true)
    probe.missed()
    await clock.advanceQuickly(60 * MINUTE)
    expect([asked, clock.pending]).toEqual([[], 0])
  })
})
