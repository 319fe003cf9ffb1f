import {
  calendarOf,
  closedUntil,
  finalUntil,
  flawOf,
  hopedUntil,
  isClosed,
  isOnGrid,
  isOpenIn,
  type KnownSessions,
  nextStart,
  parseInstant,
  parseSpec,
  provenSessions,
  type Session,
  settledPart,
  type Window,
  zoneOffsetSec,
} from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const at = parseInstant
const MINUTE = parseSpec('1-MINUTE-LAST')
const HOUR = parseSpec('1-HOUR-LAST')
const DAILY = parseSpec('1-DAY-LAST')
const STOCK = { secType: 'STK', timeZoneId: 'US/Eastern' } as const
const FUTURE = { secType: 'FUT', timeZoneId: 'US/Central' } as const

function session(date: string, opens: string, closes: string, zone: string): Session {
  const start = at(opens)
  return { date, start, end: at(closes), offsetSec: zoneOffsetSec(start, zone) }
}

/** New York's regular hours of a week in winter: Thursday a holiday, Friday a half day, as at Thanksgiving. */
const WEEK: KnownSessions = {
  known: [{ start: at('2026-11-23T14:30Z'), end: at('2026-11-30T21:00Z') }],
  presumed: undefined,
  sessions: [
    ...['23', '24', '25'].map((day) =>
      session(`2026-11-${day}`, `2026-11-${day}T14:30Z`, `2026-11-${day}T21:00Z`, 'US/Eastern'),
    ),
    session('2026-11-27', '2026-11-27T14:30Z', '2026-11-27T18:00Z', 'US/Eastern'),
    session('2026-11-30', '2026-11-30T14:30Z', '2026-11-30T21:00Z', 'US/Eastern'),
  ],
}

const span = (start: string, end: string): Window => ({ start: at(start), end: at(end) })

describe('contracts share a calendar', () => {
  const base = { symbol: 'AAPL', exchange: 'SMART', currency: 'USD' }
  it.each([
    ['stocks of an exchange', { ...base, secType: 'STK', primaryExchange: 'NASDAQ' }, 'STK NASDAQ'],
    ['a stock named at its exchange', { ...base, secType: 'STK', exchange: 'IBIS' }, 'STK IBIS'],
    ['a stock whose exchange nobody knows', { ...base, secType: 'STK' }, undefined],
    ['futures of a symbol', { ...base, symbol: 'ES', secType: 'FUT', exchange: 'CME' }, 'FUT ES CME'],
    ['the continuous one too', { ...base, symbol: 'ES', secType: 'CONTFUT', exchange: 'CME' }, 'FUT ES CME'],
    ['a pair', { ...base, symbol: 'EUR', secType: 'CASH', exchange: 'IDEALPRO' }, 'CASH EUR/USD IDEALPRO'],
    ['an index', { ...base, symbol: 'SPX', secType: 'IND', exchange: 'CBOE' }, 'IND SPX CBOE'],
    ['an option has none', { ...base, secType: 'OPT' }, undefined],
    ['nor has a bond', { ...base, secType: 'BOND' }, undefined],
  ] as const)('%s', (_, contract, expected) => {
    expect(calendarOf(contract)).toBe(expected)
  })
})

describe('the schedule', () => {
  it('says when a market is closed, and when bars can be missed', () => {
    expect(isClosed(span('2026-11-25T21:00Z', '2026-11-27T14:30Z'), MINUTE, WEEK)).toBe(true)
    expect(isClosed(span('2026-11-25T21:00Z', '2026-11-27T14:31Z'), MINUTE, WEEK)).toBe(false)
    expect(isOpenIn(span('2026-11-27T17:59Z', '2026-11-28'), MINUTE, WEEK)).toBe(true)
    expect(isOpenIn(span('2026-11-27T18:00Z', '2026-11-28'), MINUTE, WEEK)).toBe(false)
  })

  it('says nothing of what was not asked for: that is never closed', () => {
    expect(isClosed(span('2026-12-05', '2026-12-06'), MINUTE, WEEK)).toBe(false)
    expect(isClosed(span('2026-11-21', '2026-11-22'), MINUTE, WEEK)).toBe(false)
    expect(isClosed(span('2026-11-30T20:59Z', '2026-11-30T22:00Z'), MINUTE, { ...WEEK, sessions: [] })).toBe(false)
  })

  it('presumed and not known, never says by itself that a market was closed', () => {
    const presumed = { ...WEEK, presumed: span('2026-11-30T21:00Z', '2026-12-01T03:00Z') }
    expect(isClosed(span('2026-11-30T21:00Z', '2026-11-30T22:00Z'), MINUTE, presumed)).toBe(false)
    expect(closedUntil(at('2026-11-30T21:00Z'), MINUTE, presumed)).toBe(at('2026-12-01T03:00Z'))
  })

  it('counts dates for bars of a day', () => {
    expect(isClosed(span('2026-11-26', '2026-11-27'), DAILY, WEEK)).toBe(true)
    expect(isClosed(span('2026-11-28', '2026-11-29'), DAILY, WEEK)).toBe(true)
    expect(isClosed(span('2026-11-26', '2026-11-28'), DAILY, WEEK)).toBe(false)
    // Too near to the end of what is known: a session of that date may begin later.
    expect(isClosed(span('2026-11-29', '2026-12-01'), DAILY, WEEK)).toBe(false)
  })
})

describe('the grid', () => {
  const open = session('2026-11-25', '2026-11-24T22:15Z', '2026-11-25T22:00Z', 'US/Eastern')

  it('holds the clock’s hours and the short bar that a session opens with', () => {
    expect(isOnGrid(open.start, HOUR, open)).toBe(true)
    expect(isOnGrid(at('2026-11-24T23:00Z'), HOUR, open)).toBe(true)
    expect(isOnGrid(at('2026-11-24T23:15Z'), HOUR, open)).toBe(true)
    expect(isOnGrid(at('2026-11-24T23:20Z'), HOUR, open)).toBe(false)
    expect(isOnGrid(at('2026-11-24T23:20Z'), HOUR, undefined)).toBe(true)
    expect(isOnGrid(at('2026-11-24T23:20:30Z'), HOUR, undefined)).toBe(false)
    expect(isOnGrid(at('2026-11-25T01:00Z'), DAILY, open)).toBe(false)
  })

  it('says where the next bar can start: no later than the session ends', () => {
    expect(nextStart(open.start, HOUR, open)).toBe(at('2026-11-24T23:00Z'))
    expect(nextStart(at('2026-11-25T21:15Z'), HOUR, open)).toBe(at('2026-11-25T22:00Z'))
    expect(nextStart(at('2026-11-25T21:00Z'), HOUR, undefined)).toBe(at('2026-11-25T21:01Z'))
  })
})

describe('what a schedule’s answer proves', () => {
  const five = [...WEEK.sessions]
  const end = at('2026-12-01T02:00Z')

  it('is the time between its first session and its last', () => {
    expect(provenSessions(five, { end, isNow: true })).toEqual({
      sessions: five,
      known: span('2026-11-23T14:30Z', '2026-11-30T21:00Z'),
      isCurrent: true,
    })
  })

  it('begins with the second where the first opens at an hour of its own: it may be cut', () => {
    const cut = session('2026-11-23', '2026-11-23T16:05Z', '2026-11-23T21:00Z', 'US/Eastern')
    expect(provenSessions([cut, ...five.slice(1)], { end, isNow: true })).toEqual({
      sessions: five.slice(1),
      known: span('2026-11-24T14:30Z', '2026-11-30T21:00Z'),
      isCurrent: true,
    })
  })

  it('up to now, where a session is under way', () => {
    const now = at('2026-11-30T16:00Z')
    expect(provenSessions(five, { end: now, isNow: true })?.known.end).toBe(now)
  })

  it('is less where a past end may have cut the last session', () => {
    expect(provenSessions(five, { end: at('2026-11-30T21:00Z'), isNow: false })).toMatchObject({
      known: { end: at('2026-11-27T18:00Z') },
      isCurrent: false,
    })
  })

  it('does not reach a contract’s last trading date, nor say that markets have closed since', () => {
    expect(provenSessions(five, { end, isNow: true, expires: '20261127' })).toMatchObject({
      known: { end: at('2026-11-25T21:00Z') },
      isCurrent: false,
    })
    expect(provenSessions(five, { end: end + 30 * 86_400, isNow: true })?.isCurrent).toBe(false)
  })

  it('is nothing where there are too few', () => {
    expect(provenSessions(five.slice(0, 1), { end, isNow: true })).toBeUndefined()
    expect(provenSessions([], { end, isNow: true })).toBeUndefined()
  })
})

describe('finality', () => {
  it('waits fifteen seconds for a bar that may be revised', () => {
    expect(finalUntil(MINUTE, at('2026-11-25T15:01:14Z'), STOCK)).toBe(at('2026-11-25T15:00Z'))
    expect(finalUntil(MINUTE, at('2026-11-25T15:01:15Z'), STOCK)).toBe(at('2026-11-25T15:01Z'))
    expect(finalUntil(parseSpec('5-SECOND-LAST'), at('2026-11-25T15:00:20Z'), STOCK)).toBe(at('2026-11-25T15:00:05Z'))
  })

  it('comes with the close of a session, for the bar that it cuts', () => {
    const known = { ...STOCK, sessions: WEEK }
    expect(finalUntil(HOUR, at('2026-11-27T18:00:14Z'), known)).toBe(at('2026-11-27T17:00Z'))
    const half = parseSpec('4-HOUR-LAST')
    expect(finalUntil(half, at('2026-11-27T18:00:14Z'), known)).toBe(at('2026-11-27T14:30Z'))
    expect(finalUntil(half, at('2026-11-27T18:00:15Z'), known)).toBe(at('2026-11-27T18:00Z'))
    expect(finalUntil(half, at('2026-11-27T18:00:15Z'), STOCK)).toBe(at('2026-11-27T14:01Z'))
  })

  const FUTURES: KnownSessions = {
    known: [],
    presumed: undefined,
    sessions: [
      session('2026-11-23', '2026-11-22T23:00Z', '2026-11-23T22:00Z', 'US/Central'),
      session('2026-11-24', '2026-11-23T23:00Z', '2026-11-24T22:00Z', 'US/Central'),
      session('2026-11-27', '2026-11-26T23:00Z', '2026-11-27T18:00Z', 'US/Central'),
    ],
  }
  it.each([
    ['once the date is over and six hours have passed', '2026-11-25T06:00Z', '2026-11-25'],
    ['not while the date lasts', '2026-11-25T05:59Z', '2026-11-24'],
    ['Friday’s not before Saturday is over', '2026-11-28T12:00Z', '2026-11-27'],
    ['Friday’s then', '2026-11-29T06:00Z', '2026-11-28'],
  ])('of a future’s day: %s', (_, now, expected) => {
    expect(finalUntil(DAILY, at(now), { ...FUTURE, sessions: FUTURES })).toBe(at(expected))
  })

  it('of a future’s day whose session is not known comes a day later', () => {
    expect(finalUntil(DAILY, at('2026-11-25T06:00Z'), FUTURE)).toBe(at('2026-11-24'))
    const late = {
      ...FUTURES,
      sessions: [session('2026-11-24', '2026-11-23T23:00Z', '2026-11-25T01:00Z', 'US/Central')],
    }
    expect(finalUntil(DAILY, at('2026-11-25T06:00Z'), { ...FUTURE, sessions: late })).toBe(at('2026-11-24'))
  })
})

describe('what is worth asking for of a future’s days', () => {
  const heard = (...sessions: KnownSessions['sessions']): KnownSessions => ({
    known: [span('2026-11-01T00:00Z', '2026-11-23T22:00Z')],
    presumed: undefined,
    sessions: [session('2026-11-23', '2026-11-22T23:00Z', '2026-11-23T22:00Z', 'US/Central'), ...sessions],
  })
  const until = (now: string, sessions?: KnownSessions) =>
    hopedUntil(DAILY, at(now), sessions ? { ...FUTURE, sessions } : FUTURE)

  it('is a day that is over and of whose session nothing was heard', () => {
    expect(until('2026-11-25T05:59Z', heard())).toBe(at('2026-11-24'))
    expect(until('2026-11-25T06:00Z', heard())).toBe(at('2026-11-25'))
    expect(until('2026-11-25T06:00Z')).toBe(at('2026-11-24'))
  })

  it('is one whose session has settled, and no other where that is known', () => {
    const late = session('2026-11-24', '2026-11-23T23:00Z', '2026-11-25T01:00Z', 'US/Central')
    expect(until('2026-11-25T06:59Z', heard(late))).toBe(at('2026-11-24'))
    expect(until('2026-11-25T07:00Z', heard(late))).toBe(at('2026-11-25'))
  })

  it('is none that had no session by a schedule heard since, and no Friday before Saturday is over', () => {
    const presumed = (end: string) => ({ ...heard(), presumed: span('2026-11-23T22:00Z', end) })
    expect(until('2026-11-25T07:00Z', presumed('2026-11-25T06:00Z'))).toBe(at('2026-11-24'))
    expect(until('2026-11-25T07:00Z', presumed('2026-11-25T05:59Z'))).toBe(at('2026-11-25'))
    expect(until('2026-11-28T12:00Z', heard())).toBe(at('2026-11-27'))
    expect(until('2026-11-29T06:00Z', heard())).toBe(at('2026-11-29'))
  })

  it('is what is final of everything else', () => {
    expect(hopedUntil(DAILY, at('2026-11-25T06:00Z'), STOCK)).toBe(finalUntil(DAILY, at('2026-11-25T06:00Z'), STOCK))
    expect(hopedUntil(MINUTE, at('2026-11-25T15:01:14Z'), { ...FUTURE, sessions: heard() })).toBe(
      at('2026-11-25T15:00Z'),
    )
  })
})

describe('silence behind the last bar', () => {
  const today = span('2026-11-27T14:30Z', '2026-11-27T23:00Z')
  const asked = (now: string, last: string | undefined, sessions: KnownSessions | 'unknown' = WEEK) =>
    settledPart(today, MINUTE, {
      ...STOCK,
      sessions: sessions === 'unknown' ? undefined : sessions,
      asOf: at(now),
      lastBar: last === undefined ? undefined : at(last),
    })?.end

  it('is believed at once where the market has closed', () => {
    expect(asked('2026-11-27T18:10Z', '2026-11-27T17:59Z')).toBe(at('2026-11-27T18:09Z'))
    expect(asked('2026-11-27T18:10Z', '2026-11-27T17:59Z', 'unknown')).toBe(at('2026-11-27T18:00Z'))
  })

  it('is not while the session lasts, nor for its last minutes', () => {
    expect(asked('2026-11-27T17:00Z', '2026-11-27T16:40Z')).toBe(at('2026-11-27T16:41Z'))
    expect(asked('2026-11-27T18:10Z', '2026-11-27T17:50Z')).toBe(at('2026-11-27T17:51Z'))
  })

  it('covers no more than what the last bar’s length proves', () => {
    const hourly = settledPart(today, HOUR, {
      ...STOCK,
      sessions: WEEK,
      asOf: at('2026-11-27T16:01Z'),
      lastBar: at('2026-11-27T15:00Z'),
    })
    expect(hourly?.end).toBe(at('2026-11-27T15:01Z'))
  })

  it('never covers what is forming or unknown, whatever is known (property)', () => {
    const times = fc.integer({ min: at('2026-11-23'), max: at('2026-12-02') })
    fc.assert(
      fc.property(times, times, times, fc.boolean(), fc.constantFrom(MINUTE, HOUR), (a, b, now, known, spec) => {
        const window = { start: Math.floor(Math.min(a, b) / 60) * 60, end: Math.floor(Math.max(a, b) / 60) * 60 + 60 }
        const sessions = known ? WEEK : undefined
        const part = settledPart(window, spec, { ...STOCK, sessions, asOf: now, lastBar: undefined })
        if (!part) return
        const size = spec === HOUR ? 3600 : 60
        expect(part.end).toBeLessThanOrEqual(window.end)
        expect(part.end).toBeLessThanOrEqual(now - 15)
        for (const { start, end } of WEEK.sessions) {
          // The bar that is forming in this session, or may be revised.
          if (start <= now && now - 15 < end)
            expect(part.end).toBeLessThanOrEqual(Math.max(start, now - 15 - size + 60))
        }
      }),
      { numRuns: 200 },
    )
  })
})

it('a bar whose high or low leaves out its open or close is told apart', () => {
  const bar = (o: number, h: number, l: number, c: number) => flawOf({ o: [o], h: [h], l: [l], c: [c] }, 0)
  expect(bar(1, 2, 0.5, 1.5)).toBeUndefined()
  expect(bar(1, 1, 1, 1)).toBeUndefined()
  expect(bar(3, 2, 0.5, 1.5)).toMatch('open 3')
  expect(bar(1, 2, 0.5, 0.25)).toMatch('close 0.25')
  expect(bar(1, 0.5, 2, 1)).toMatch('low 2 above high 0.5')
})
