import {
  checkSchedule,
  durationSec,
  formatInstant,
  nextDue,
  openingsOf,
  parseInstant,
  resetAt,
  resetsAround,
  type Schedule,
  sinceSec,
  type Window,
} from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const at = parseInstant
const session = (start: string, end: string): Window => ({ start: at(start), end: at(end) })
const due = (schedule: Schedule, after: string, sessions?: readonly Window[]) =>
  formatInstant(nextDue(schedule, at(after), sessions))
/** The first instants at which a schedule is due after one, as many as asked for. */
function dues(schedule: Schedule, after: string, count: number, sessions?: readonly Window[]): string[] {
  const found: string[] = []
  let sec = at(after)
  while (found.length < count) {
    sec = nextDue(schedule, sec, sessions)
    found.push(formatInstant(sec))
  }
  return found
}

/** Thanksgiving week of 2026 in New York: Wednesday, and Friday's half day. */
const WEEK = [
  session('2026-11-25T14:30Z', '2026-11-25T21:00Z'),
  session('2026-11-27T14:30Z', '2026-11-27T18:00Z'),
  session('2026-11-30T14:30Z', '2026-11-30T21:00Z'),
]

describe('a cron schedule', () => {
  it('goes by the clocks of its zone, on both sides of a change', () => {
    const evening = { cron: '30 17 * * 1-5', zone: 'America/New_York' }
    expect(due(evening, '2026-03-06T12:00Z')).toBe('2026-03-06T22:30:00Z')
    expect(due(evening, '2026-03-06T22:30Z')).toBe('2026-03-09T21:30:00Z')
  })

  it.each([
    // The first of them falls in a reset where New York’s Friday night is meant.
    ['America/New_York', '2026-03-08', ['2026-03-07T08:00:00Z', '2026-03-08T07:00:00Z', '2026-03-09T06:30:00Z']],
    ['America/Chicago', '2026-03-08', ['2026-03-07T08:30:00Z', '2026-03-08T08:00:00Z', '2026-03-09T07:30:00Z']],
    ['Australia/Sydney', '2026-10-04', ['2026-10-02T16:30:00Z', '2026-10-03T16:00:00Z', '2026-10-04T15:30:00Z']],
  ])('in %s loses no run to an hour that is skipped', (zone, day, expected) => {
    const before = formatInstant(at(day) - 2 * 86_400 + 12 * 3600)
    const found = dues({ cron: '30 2 * * *', zone }, before, 4)
    for (const one of expected) expect(found).toContain(one)
  })

  it.each([
    ['America/New_York', '2026-11-01', '30 1 * * *', ['2026-11-01T05:45:00Z', '2026-11-02T06:30:00Z']],
    ['America/Chicago', '2026-11-01', '30 1 * * *', ['2026-11-01T06:30:00Z', '2026-11-02T07:30:00Z']],
    ['Europe/London', '2026-10-25', '30 1 * * *', ['2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z']],
    ['Australia/Sydney', '2026-04-05', '30 2 * * *', ['2026-04-04T15:30:00Z', '2026-04-05T16:30:00Z']],
    [
      'America/Chicago',
      '2026-11-01',
      '15,45 1 * * *',
      ['2026-11-01T06:15:00Z', '2026-11-01T06:45:00Z', '2026-11-02T07:15:00Z'],
    ],
  ])('in %s runs once where an hour comes twice', (zone, day, cron, expected) => {
    const before = formatInstant(at(day) - 12 * 3600)
    expect(dues({ cron, zone }, before, expected.length)).toEqual(expected)
  })

  it('every hour goes by the hours that are', () => {
    const hourly = { cron: '15 * * * *', zone: 'America/Chicago' }
    expect(dues(hourly, '2026-11-01T05:45Z', 3)).toEqual([
      '2026-11-01T06:15:00Z',
      '2026-11-01T07:15:00Z',
      '2026-11-01T08:15:00Z',
    ])
  })
})

describe('a schedule after the close', () => {
  it('follows each close, a half day’s as it is', () => {
    expect(dues({ afterClose: '20m' }, '2026-11-25T12:00Z', 3, WEEK)).toEqual([
      '2026-11-25T21:20:00Z',
      '2026-11-27T18:20:00Z',
      '2026-11-30T21:20:00Z',
    ])
  })

  it('follows the closes of all calendars', () => {
    const frankfurt = session('2026-11-25T08:00Z', '2026-11-25T16:30Z')
    expect(dues({ afterClose: '1h' }, '2026-11-25T12:00Z', 2, [...WEEK, frankfurt])).toEqual([
      '2026-11-25T17:30:00Z',
      '2026-11-25T22:00:00Z',
    ])
  })

  it('without known sessions counts from 17:00 in New York, Monday to Friday', () => {
    expect(dues({ afterClose: '20m' }, '2026-03-06T12:00Z', 2)).toEqual([
      '2026-03-06T22:20:00Z',
      '2026-03-09T21:20:00Z',
    ])
    expect(due({ afterClose: '20m' }, '2026-11-30T21:20Z', WEEK)).toBe('2026-11-30T22:20:00Z')
  })
})

describe('a schedule again and again', () => {
  it('keeps to multiples of its period', () => {
    expect(dues({ every: '5m' }, '2026-11-25T12:01Z', 2)).toEqual(['2026-11-25T12:05:00Z', '2026-11-25T12:10:00Z'])
    expect(due({ every: '1d' }, '2026-11-25T00:00Z')).toBe('2026-11-26T00:00:00Z')
  })

  it('during a session counts from its opening, and comes once more when it has closed', () => {
    const during = { every: '2h', during: 'session' } as const
    expect(dues(during, '2026-11-25T12:00Z', 7, WEEK)).toEqual([
      '2026-11-25T16:30:00Z',
      '2026-11-25T18:30:00Z',
      '2026-11-25T20:30:00Z',
      '2026-11-25T21:01:00Z',
      '2026-11-27T16:30:00Z',
      '2026-11-27T18:01:00Z',
      '2026-11-30T16:30:00Z',
    ])
  })

  it('during sessions that overlap counts them as one, and without any goes on all day', () => {
    const during = { every: '1h', during: 'session' } as const
    const late = session('2026-11-25T20:00Z', '2026-11-25T23:00Z')
    expect(due(during, '2026-11-25T20:30Z', [late, ...WEEK])).toBe('2026-11-25T21:30:00Z')
    expect(due(during, '2026-11-30T21:01Z', WEEK)).toBe('2026-11-30T22:00:00Z')
    expect(due(during, '2026-11-30T21:01Z')).toBe('2026-11-30T22:00:00Z')
  })
})

describe('what falls in a reset of IBKR’s servers', () => {
  it('is due when that is over, once', () => {
    // New York's is 03:45 to 04:45 UTC in summer, Europe's the same.
    expect(dues({ every: '10m' }, '2026-04-09T03:30Z', 4)).toEqual([
      '2026-04-09T03:40:00Z',
      '2026-04-09T04:45:00Z',
      '2026-04-09T04:50:00Z',
      '2026-04-09T05:00:00Z',
    ])
    expect(due({ every: '10m' }, '2026-04-09T04:05Z')).toBe('2026-04-09T04:45:00Z')
    expect(due({ cron: '30 23 * * 5', zone: 'America/New_York' }, '2026-04-10T12:00Z')).toBe('2026-04-11T07:00:00Z')
  })

  it('is held through two that touch, in the weeks in which the two continents’ clocks differ', () => {
    expect(resetsAround(at('2026-03-18T04:00Z'))).toEqual(session('2026-03-18T03:45Z', '2026-03-18T05:45Z'))
    expect(resetsAround(at('2026-03-18T05:44Z'))).toEqual(session('2026-03-18T03:45Z', '2026-03-18T05:45Z'))
    expect(due({ every: '1h' }, '2026-03-18T03:30Z')).toBe('2026-03-18T05:45:00Z')
    expect(resetsAround(at('2026-03-18T12:00Z'))).toBeUndefined()
  })
})

describe('whatever the schedule and the instant', () => {
  const ZONES = ['America/New_York', 'America/Chicago', 'Europe/London', 'Australia/Sydney']
  /** Around every change of the clocks of those zones in a year, and any time else. */
  const CHANGES = ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01'].map(at)
  const instant = fc.oneof(
    fc.tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -3 * 86_400, max: 3 * 86_400 })).map(([a, b]) => a + b),
    fc.integer({ min: at('2024-01-01'), max: at('2028-01-01') }),
  )
  const duration = fc.constantFrom('1m', '5m', '20m', '90m', '1h', '7h', '1d') as fc.Arbitrary<`${number}m`>
  const schedule = fc.oneof(
    fc.record({
      cron: fc.constantFrom('30 2 * * *', '*/15 * * * *', '0 */2 * * *', '45 1,23 * * 0', '0 3 1 * *', '30 17 * * 1-5'),
      zone: fc.constantFrom(...ZONES),
    }),
    fc.record({ afterClose: duration }),
    fc.record({ every: duration }),
    fc.record({ every: duration, during: fc.constant('session' as const) }),
  ) as fc.Arbitrary<Schedule>
  const sessions = fc
    .tuple(instant, fc.array(fc.tuple(fc.nat(90_000), fc.integer({ min: 60, max: 90_000 }))))
    .map(([start, steps]) => {
      let sec = start
      return steps.map(([pause, length]) => {
        const opens = sec + pause
        sec = opens + length
        return { start: opens, end: sec }
      })
    })

  it('it is due later, never within a reset, never earlier for a later instant, and nothing between is left out', () => {
    fc.assert(
      fc.property(schedule, sessions, instant, fc.nat(100_000), (when, open, sec, step) => {
        const next = nextDue(when, sec, open)
        expect(next).toBeGreaterThan(sec)
        expect(resetAt(next * 1000)).toBeUndefined()
        expect(nextDue(when, sec + step, open)).toBeGreaterThanOrEqual(next)
        // From anywhere before it, the same instant is found.
        expect(nextDue(when, sec + ((next - sec - 1) >> 1), open)).toBe(next)
      }),
      { numRuns: 200 },
    )
  })
})

describe('what a schedule is made of', () => {
  it.each(['', '5', 'm', '0m', '5s', '1.5h', '-1h', '1 h', '1w'])('refuses the duration "%s"', (text) => {
    expect(() => durationSec(text)).toThrow(`"${text}" is no duration`)
  })

  it('reads minutes, hours and days', () => {
    expect(['20m', '1h', '2d'].map(durationSec)).toEqual([1200, 3600, 172_800])
  })

  it.each([
    [{ cron: '* * * *', zone: 'UTC' }, /no cron pattern: expected five fields/],
    [{ cron: '* * * * * *', zone: 'UTC' }, /no cron pattern: expected five fields/],
    [{ cron: '@daily', zone: 'UTC' }, /"@daily" is no cron pattern/],
    [{ cron: '61 * * * *', zone: 'UTC' }, /"61 \* \* \* \*" in "UTC" is no schedule: .* Invalid value for minute: 61$/],
    [{ cron: '0 0 * * *', zone: 'Mars/Olympus' }, /^"Mars\/Olympus" is no zone: expected one such as \S+ or UTC\.$/],
    [{ cron: '0 0 * * *', zone: '' }, /^"" is no zone/],
    [{ cron: '0 0 31 2 *', zone: 'UTC' }, /never comes/],
    [{ every: '5' } as unknown as Schedule, /no duration/],
  ])('refuses %j', (schedule, message) => {
    expect(() => checkSchedule(schedule as Schedule)).toThrow(message)
  })
})

describe('since', () => {
  const NOW = at('2026-03-31T15:00Z')
  it.each([
    ['2024-01-02', '2024-01-02T00:00:00Z'],
    ['2024-01-02T14:30Z', '2024-01-02T14:30:00Z'],
    ['2y', '2024-03-31T00:00:00Z'],
    ['1mo', '2026-02-28T00:00:00Z'],
    ['2w', '2026-03-17T00:00:00Z'],
    ['90d', '2025-12-31T00:00:00Z'],
  ])('%s is %s', (text, expected) => {
    expect(formatInstant(sinceSec(text, NOW) ?? 0)).toBe(expected)
  })

  it('head is for IBKR to tell', () => {
    expect(sinceSec('head', NOW)).toBeUndefined()
  })

  it.each(['', '2', '0d', '2 y', '101y', '-1d', 'Head', '2024-02-30', '2m'])('refuses "%s"', (text) => {
    expect(() => sinceSec(text, NOW)).toThrow(`"${text}" is no beginning`)
  })
})

describe('the sessions listed beside a contract', () => {
  const listed = (liquidHours: string, timeZoneId = 'US/Eastern') =>
    openingsOf({ liquidHours, tradingHours: '20260312:0400-20260312:2000', timeZoneId }, 'regular')

  it('are read on the clocks of its zone', () => {
    expect(listed('20260312:0930-20260312:1600;20260313:0930-20260313:1300;20260314:CLOSED')).toEqual([
      session('2026-03-12T13:30Z', '2026-03-12T20:00Z'),
      session('2026-03-13T13:30Z', '2026-03-13T17:00Z'),
    ])
    expect(listed('20260311:1700-20260312:1600', 'US/Central')).toEqual([
      session('2026-03-11T22:00Z', '2026-03-12T21:00Z'),
    ])
    expect(
      openingsOf({ liquidHours: '', tradingHours: '20260312:0400-20260312:2000', timeZoneId: 'US/Eastern' }, 'all'),
    ).toEqual([session('2026-03-12T08:00Z', '2026-03-13T00:00Z')])
  })

  it('may be several a day, and in the older form without a second date', () => {
    expect(listed('20260312:0900-1130,1230-1500', 'Asia/Tokyo')).toEqual([
      session('2026-03-12T00:00Z', '2026-03-12T02:30Z'),
      session('2026-03-12T03:30Z', '2026-03-12T06:00Z'),
    ])
    expect(listed('20260312:0000-2400', 'UTC')).toEqual([session('2026-03-12T00:00Z', '2026-03-13T00:00Z')])
  })

  it.each(['', 'CLOSED', 'nonsense', '20260312:1600-20260312:0930', '20269912:0930-20269912:1600'])(
    'are none in "%s"',
    (text) => {
      expect(listed(text)).toEqual([])
    },
  )

  it('are none in a zone that nobody knows', () => {
    expect(listed('20260312:0930-20260312:1600', 'Mars/Olympus')).toEqual([])
  })
})
