import { describe, expect, it } from 'vitest'
import { createPacingJudge, type JudgedRequest, type Violation } from '../src/index.ts'

let serial = 0
/** A request for 5-second bars of a contract nobody asked for before, unless told otherwise. */
const ask = (more: Partial<JudgedRequest> = {}): JudgedRequest => ({
  kind: 'bars',
  contract: `c${++serial}`,
  exchange: 'SMART',
  whatToShow: 'TRADES',
  barSec: 5,
  identity: `i${++serial}`,
  ...more,
})
const rule = (violation: Violation | undefined) => violation?.rule

describe('small requests', () => {
  it('takes 60 within ten minutes, and the 61st when the first is ten minutes old, not a millisecond before', () => {
    for (const [lateMs, verdict] of [
      [599_999, 'small'],
      [600_000, undefined],
    ] as const) {
      const judge = createPacingJudge()
      expect(judge.request(0, ask())).toBeUndefined()
      for (let i = 1; i < 60; i++) expect(judge.request(1000 + i, ask())).toBeUndefined()
      expect(rule(judge.request(lateMs, ask()))).toBe(verdict)
    }
  })

  it('counts BID_ASK twice', () => {
    const judge = createPacingJudge()
    for (let i = 0; i < 30; i++) expect(judge.request(i, ask({ whatToShow: 'BID_ASK' }))).toBeUndefined()
    expect(judge.request(40, ask())).toMatchObject({ rule: 'small', count: 61, atMs: 40 })
  })

  it('puts bars up to 30 seconds, ticks, head timestamps and live bars into one bucket', () => {
    const judge = createPacingJudge()
    for (let i = 0; i < 15; i++) {
      expect(judge.request(i, ask({ barSec: 30 }))).toBeUndefined()
      for (const kind of ['ticks', 'head', 'realtime'] as const) expect(judge.request(i, ask({ kind }))).toBeUndefined()
    }
    expect(rule(judge.request(20, ask({ kind: 'head' })))).toBe('small')
  })

  it('counts what broke a rule like all else', () => {
    const judge = createPacingJudge()
    for (let i = 0; i < 61; i++) judge.request(i, ask())
    // At 600 000 the first has left, but the 61st, refused, is still in: 60 and this one.
    expect(rule(judge.request(600_000, ask()))).toBe('small')
  })

  it('lets bars of a minute go as they like', () => {
    const judge = createPacingJudge()
    const minute = ask({ barSec: 60 })
    for (let i = 0; i < 200; i++) expect(judge.request(0, minute)).toBeUndefined()
    expect(judge.request(0, ask())).toBeUndefined()
  })
})

describe('one contract', () => {
  const same = { contract: '265598', exchange: 'SMART', whatToShow: 'TRADES' }

  it('refuses the sixth within two seconds', () => {
    for (const [lateMs, verdict] of [
      [1999, 'same-contract'],
      [2000, undefined],
    ] as const) {
      const judge = createPacingJudge()
      for (let i = 0; i < 5; i++) expect(judge.request(i, ask(same))).toBeUndefined()
      expect(rule(judge.request(lateMs, ask(same)))).toBe(verdict)
    }
  })

  it.each([{ contract: '8314' }, { exchange: 'ISLAND' }, { whatToShow: 'MIDPOINT' }])('looks at %j', (other) => {
    const judge = createPacingJudge()
    for (let i = 0; i < 5; i++) judge.request(0, ask(same))
    expect(judge.request(0, ask({ ...same, ...other }))).toBeUndefined()
    expect(rule(judge.request(0, ask(same)))).toBe('same-contract')
  })
})

describe('identical requests', () => {
  it('must be 15 seconds apart, also from one that was refused', () => {
    const judge = createPacingJudge()
    const one = ask()
    expect(judge.request(0, one)).toBeUndefined()
    expect(rule(judge.request(14_999, one))).toBe('identical')
    expect(rule(judge.request(15_000, one))).toBe('identical')
    expect(judge.request(30_000, one)).toBeUndefined()
  })

  it('of a minute are judged where that is wanted', () => {
    const judge = createPacingJudge({ identicalMinutes: true })
    const minute = ask({ barSec: 60 })
    expect(judge.request(0, minute)).toBeUndefined()
    expect(rule(judge.request(14_999, minute))).toBe('identical')
    for (let i = 0; i < 100; i++) expect(judge.request(20_000, ask({ barSec: 60 }))).toBeUndefined()
  })
})

describe('messages', () => {
  it('takes 50 within any second of a connection, and begins anew after a breach', () => {
    const judge = createPacingJudge()
    for (let i = 0; i < 50; i++) expect(judge.message(i, 1)).toBeUndefined()
    for (let i = 0; i < 50; i++) expect(judge.message(60, 2)).toBeUndefined()
    expect(judge.message(999, 1)).toMatchObject({ rule: 'messages', count: 51, breaches: 1 })
    for (let i = 0; i < 50; i++) expect(judge.message(999, 1)).toBeUndefined()
    expect(judge.message(1000, 1)).toMatchObject({ breaches: 2 })
    judge.disconnected(1)
    for (let i = 0; i < 50; i++) expect(judge.message(1000, 1)).toBeUndefined()
  })

  it('takes one each 20 milliseconds for ever', () => {
    const judge = createPacingJudge()
    for (let i = 0; i < 5000; i++) expect(judge.message(i * 20, 1)).toBeUndefined()
  })

  it('lets a message go by whichever clock has left it behind', () => {
    const judge = createPacingJudge()
    for (let i = 0; i < 500; i++) expect(judge.message(0, 1, i * 20)).toBeUndefined()
    for (let i = 0; i < 500; i++) expect(judge.message(i * 20, 2, 0)).toBeUndefined()
  })
})

describe('open requests', () => {
  it('are 50 at most, until each has ended', () => {
    const judge = createPacingJudge()
    for (let i = 0; i < 50; i++) expect(judge.opened(0, `${i}`)).toBeUndefined()
    expect(judge.opened(5, 'late')).toMatchObject({ rule: 'open', count: 51, atMs: 5 })
    judge.ended('late')
    judge.ended('7')
    expect(judge.opened(6, 'next')).toBeUndefined()
    expect(rule(judge.opened(7, 'one more'))).toBe('open')
  })
})

it('judges a million requests in moments', () => {
  const judge = createPacingJudge()
  const requests = Array.from({ length: 200 }, () => ask())
  let broken = 0
  for (let i = 0; i < 500_000; i++) {
    const request = requests[i % 200]
    if (judge.message(i * 10_000, i % 3)) broken++
    if (request && judge.request(i * 10_000, request)) broken++
  }
  expect(broken).toBe(0)
}, 4000)
