import { createPacing, RULES, type RuledRequest } from '@tidegate/bridge'
import { describe, expect, it } from 'vitest'
import { createGatewayClock } from '../src/ahead.ts'
import { createSteadyClock } from '../src/clock.ts'
import { createLedger } from '../src/pacing/ledger.ts'
import { createWindows, type Journal } from '../src/pacing/windows.ts'
import { COMPETING, FIRST_STATE, isPaused } from '../src/state.ts'
import { createFakeClock, settled } from './clock.ts'

const MIN_MS = 60_000

/** The machine's clock, which can be set, and one that goes by what has passed. */
function clocks() {
  const wall = createFakeClock()
  let passedMs = 5000
  const steady = createSteadyClock(wall, () => passedMs)
  const pass = (ms: number) => {
    passedMs += ms
  }
  return { wall, steady, pass }
}

function small(n: number): RuledRequest {
  const [contract, identity] = [`c${n}`, String(n)]
  return { kind: 'bars', contract, exchange: 'SMART', whatToShow: 'TRADES', barSec: 5, identity }
}

describe('a machine whose clock is set', () => {
  it.each([11, -60])('by %i minutes gives nothing of the ten minutes back', async (minutes) => {
    const { wall, steady, pass } = clocks()
    const pacing = createPacing({ clock: steady })
    const ask = (n: number) => pacing.run({ priority: 'backfill', waitMs: 0, rule: small(n) }, async () => 'went')
    for (let n = 0; n < RULES.small.limit; n++) {
      pass(100)
      expect(await ask(n)).toBe('went')
    }
    wall.set(wall.now() + minutes * MIN_MS)
    await expect(ask(100)).rejects.toMatchObject({ kind: 'busy' })
    pass(11 * MIN_MS)
    await settled()
    expect(await ask(100)).toBe('went')
  })

  it('has a file that goes by its clock, for the next process has no other', async () => {
    const { wall, steady } = clocks()
    const written: object[] = []
    const journal: Journal = { read: () => [], write: (charge) => void written.push(charge) }
    createWindows({ clock: steady, rules: RULES, journal }).take({ small: 1 })
    expect(written).toEqual([{ small: 1 }])
    expect(steady.now()).toBe(wall.now())
  })

  it('makes no hold and no pause longer than it is', () => {
    const nowMs = Date.UTC(2026, 3, 8)
    const ledger = createLedger(RULES)
    ledger.hold('small', 15_000, nowMs)
    expect(ledger.heldMs('small', nowMs - 60 * MIN_MS)).toBe(15_000)
    const error = { kind: 'competing-session' } as never
    const state = { ...FIRST_STATE, competing: { untilMs: nowMs + COMPETING.firstMs, times: 1, error } }
    expect([isPaused(state, nowMs), isPaused(state, nowMs - 60 * MIN_MS)]).toEqual([true, false])
  })

  it('makes nothing final that the gateway has not told of yet', () => {
    const { wall, steady, pass } = clocks()
    const gateway = createGatewayClock({ clock: wall, steady, isSimulated: () => false })
    const sec = wall.now() / 1000
    gateway.told(sec)
    wall.set(wall.now() + 11 * MIN_MS)
    pass(2000)
    expect(gateway.asOf()).toBe(sec + 2)
  })
})
