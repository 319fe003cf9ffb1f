import { createPacing, type PacedJob, RULES, type RuledRequest, rulesWith, SMALL_BAR_SEC } from '@tidegate/bridge'
import { PRIORITIES, type Priority, pacedSec, smallBarWeight, TidegateError } from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chargeOf } from '../src/pacing/rules.ts'
import { createSwiftClock } from './swift.ts'

const PATIENT_MS = 600_000
let count = 0

function small(whatToShow = 'TRADES', contract = String(++count)): RuledRequest {
  return { kind: 'bars', barSec: 5, contract, exchange: 'SMART', whatToShow, identity: String(++count) }
}

function minutes(): RuledRequest {
  return { ...small(), barSec: 60 }
}

function rig(messagesPerSec = 45) {
  const clock = createSwiftClock(0)
  const pacing = createPacing({ clock, rules: rulesWith({ messagesPerSec }) })
  const went: string[] = []
  const ask = (name: string, job: Partial<PacedJob>) =>
    pacing.run({ priority: 'backfill', waitMs: PATIENT_MS, ...job }, async () => void went.push(name))
  return { clock, pacing, went, ask }
}

describe('a lane', () => {
  it('of small requests that waits for its budget holds up no other', async () => {
    const { clock, went, ask } = rig()
    for (let i = 0; i < 70; i++) void ask('small', { rule: small(), priority: 'interactive' }).catch(() => {})
    for (let i = 0; i < 70; i++) void ask('minutes', { rule: minutes() })
    await clock.runUntil(5000)
    expect(went.filter((name) => name === 'minutes')).toHaveLength(70)
    expect(went.filter((name) => name === 'small')).toHaveLength(60)
    await clock.runUntil(599_000)
    expect(went).toHaveLength(130)
  })

  it('holds up none of its own for one contract’s sake', async () => {
    const { clock, went, ask } = rig()
    for (let i = 0; i < 8; i++) void ask('one', { rule: small('TRADES', 'one') })
    void ask('other', { rule: small() })
    await clock.runUntil(100)
    expect(went).toEqual(['one', 'one', 'one', 'one', 'one', 'other'])
    await clock.runUntil(2200)
    expect(went).toHaveLength(9)
  })

  it('gives the budget to whoever weighs two before those that weigh one and come later', async () => {
    const { clock, went, ask } = rig()
    for (let i = 0; i < 59; i++) void ask('first', { rule: small() })
    await clock.runUntil(5000)
    void ask('heavy', { rule: small('BID_ASK') })
    for (let i = 0; i < 3; i++) void ask('light', { rule: small() })
    await clock.runUntil(600_999)
    expect(went).toHaveLength(59)
    await clock.runUntil(604_000)
    expect(went.slice(59)).toEqual(['heavy', 'light', 'light', 'light'])
  })
})

describe('turns', () => {
  it('go round between the callers of one priority, however much one of them asks', async () => {
    const { clock, went, ask } = rig(1)
    await ask('', {})
    for (let i = 0; i < 5; i++) void ask('a', { caller: 'a' })
    for (let i = 0; i < 2; i++) void ask('b', { caller: 'b' })
    void ask('c', { caller: 'c' })
    await clock.runUntil(20_000)
    expect(went.slice(1).join('')).toBe('abcabaaa')
  })

  it.each(PRIORITIES)('come to %s even where the others never leave a place free', async (poor) => {
    const { clock, went, ask } = rig(10)
    const flood = (priority: Priority): void => {
      void ask(priority, { priority, caller: 'x' }).then(() => flood(priority))
    }
    for (const priority of PRIORITIES) for (let i = 0; i < 20; i++) flood(priority)
    await clock.runUntil(60_000)
    const share = went.filter((name) => name === poor).length / went.length
    // Whoever is last in rank has a tenth, and whoever is first has most of it.
    expect(share).toBeGreaterThan(poor === 'interactive' ? 0.75 : 0.08)
  })

  it('come to small requests and to longer bars alike, whichever is urgent', async () => {
    for (const [urgent, other] of [
      [small, minutes],
      [minutes, small],
    ] as const) {
      const { clock, went, ask } = rig(10)
      for (let i = 0; i < 50; i++) void ask('urgent', { priority: 'interactive', rule: urgent() })
      for (let i = 0; i < 5; i++) void ask('other', { rule: other() })
      await clock.runUntil(4000)
      expect(went.slice(0, 9)).toEqual(Array(9).fill('urgent'))
      expect(went.slice(0, 40)).toContain('other')
    }
  })
})

describe('busy', () => {
  const job = fc.record({
    rule: fc.constantFrom('small', 'heavy', 'same', 'minutes', 'details'),
    priority: fc.constantFrom(...PRIORITIES),
    waitMs: fc.constantFrom(0, 500, 30_000, 200_000),
    afterMs: fc.constantFrom(0, 0, 10, 700, 20_000),
  })
  const ruleOf = (name: string): RuledRequest | undefined => {
    if (name === 'details') return undefined
    if (name === 'minutes') return minutes()
    return small(name === 'heavy' ? 'BID_ASK' : 'TRADES', name === 'same' ? 'same' : undefined)
  }

  it('says truly when to come again: whoever does is let go, if nobody else has come', async () => {
    let refused = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(job, { minLength: 80, maxLength: 140 }),
        fc.constantFrom(1, 2, 10),
        async (jobs, rate) => {
          const { clock, ask } = rig(rate)
          for (const { rule, priority, waitMs, afterMs } of jobs) {
            void ask('crowd', { rule: ruleOf(rule), priority, waitMs }).catch(() => {})
            await clock.runUntil(clock.now() + afterMs)
          }
          for (const { rule, priority, waitMs } of jobs.slice(0, 10)) {
            const mine = { rule: ruleOf(rule), priority, waitMs }
            const ended: unknown[] = []
            const settle = (promise: Promise<unknown>) =>
              promise.then(
                () => ended.push('went'),
                (error: unknown) => ended.push(error),
              )
            void settle(ask('mine', mine))
            await clock.runUntil(clock.now())
            const [error] = ended
            if (!(error instanceof TidegateError) || error.kind !== 'busy') {
              await clock.runUntil(clock.now() + waitMs)
              continue
            }
            refused++
            await clock.runUntil(clock.now() + (error.retryAfterMs ?? 0))
            void settle(ask('mine', mine))
            await clock.runUntil(clock.now() + waitMs)
            expect(ended[1], JSON.stringify({ ...mine, told: error.retryAfterMs })).toBe('went')
          }
        },
      ),
      { numRuns: 25 },
    )
    expect(refused).toBeGreaterThan(20)
  })
})

describe('the rules', () => {
  it('are those that plans reckon with', () => {
    const spec = (step: number, unit: 'SECOND' | 'MINUTE', price: 'LAST' | 'BID_ASK') =>
      ({ step, unit, price }) as const
    for (const [step, unit, price] of [
      [5, 'SECOND', 'LAST'],
      [30, 'SECOND', 'BID_ASK'],
      [1, 'MINUTE', 'LAST'],
      [1, 'MINUTE', 'BID_ASK'],
    ] as const) {
      const barSec = step * (unit === 'SECOND' ? 1 : 60)
      const whatToShow = price === 'BID_ASK' ? price : 'TRADES'
      expect(chargeOf({ ...small(whatToShow), barSec }).small).toBe(smallBarWeight(spec(step, unit, price)))
    }
    expect(SMALL_BAR_SEC).toBe(30)
    const requests = [{ contract: 'AAPL', spec: spec(5, 'SECOND', 'LAST'), count: 3 * RULES.small.limit }]
    const pace = { perSecond: RULES.messages.limit, open: RULES.open.limit, answerSec: 1 }
    expect(pacedSec(requests, pace).sec).toBe((2 * RULES.small.windowMs) / 1000)
  })
})
