import { lastWeekly, localClock } from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const NEW_YORK = 'America/New_York'
const sec = (iso: string) => Date.parse(iso) / 1000

describe('the clocks of a zone', () => {
  it('show their weekday and minute', () => {
    expect(localClock(sec('2026-04-12T05:30:00Z'), NEW_YORK)).toEqual({ weekday: 7, minute: 90 })
    expect(localClock(sec('2026-01-12T04:59:59Z'), NEW_YORK)).toEqual({ weekday: 7, minute: 23 * 60 + 59 })
    expect(localClock(sec('2026-01-12T05:00:00Z'), NEW_YORK)).toEqual({ weekday: 1, minute: 0 })
  })

  it.each([
    ['at that very second', '2026-04-12T05:00:00Z', '2026-04-12T05:00:00Z'],
    ['a second before', '2026-04-12T04:59:59Z', '2026-04-05T05:00:00Z'],
    ['later on the day', '2026-04-12T20:00:00Z', '2026-04-12T05:00:00Z'],
    ['across the change to winter, which is an hour after', '2026-11-03T12:00:00Z', '2026-11-01T05:00:00Z'],
    ['across the change to summer', '2026-03-09T12:00:00Z', '2026-03-08T06:00:00Z'],
  ])('last showed Sunday 01:00: %s', (_, now, expected) => {
    expect(new Date(lastWeekly(sec(now), NEW_YORK, 7, 1) * 1000).toISOString()).toBe(new Date(expected).toISOString())
  })

  it('showed it within the last week, and an hour of change, always', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2e9 }), fc.integer({ min: 1, max: 7 }), (now, weekday) => {
        const at = lastWeekly(now, NEW_YORK, weekday, 1)
        expect(now - at).toBeGreaterThanOrEqual(0)
        expect(now - at).toBeLessThan(7 * 86_400 + 3600 + 1)
        expect(localClock(at, NEW_YORK)).toEqual({ weekday, minute: 60 })
      }),
    )
  })
})
