import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Listing } from '../src/market/types.ts'
import { parseEnd, zonedStamp } from '../src/wire/dates.ts'
import { minusMonths, sessionsOf, windowOf } from '../src/wire/duration.ts'
import { parseBarSize, parseDuration, refusePair } from '../src/wire/limits.ts'
import { zoneOf } from '../src/zone.ts'
import { LISTINGS, market, NOW_SEC } from './wire-market.ts'

const listing = fc.constantFrom(...LISTINGS.filter(({ secType }) => secType === 'STK' || secType === 'CASH'))
const endSec = fc.integer({ min: NOW_SEC - 400 * 86_400, max: NOW_SEC })

function query(of: Listing, useRTH: boolean, size: string, duration: string, end: number) {
  const [barSize, length] = [parseBarSize(size), parseDuration(duration)]
  if (!barSize || !length) throw new Error(`${size}, ${duration}`)
  return { market, listing: of, useRTH, size: barSize, duration: length, endSec: end }
}

describe('windows', () => {
  it('of N seconds hold N seconds of trading', () => {
    fc.assert(
      fc.property(listing, fc.boolean(), fc.integer({ min: 1, max: 86_400 }), endSec, (of, useRTH, seconds, end) => {
        const window = windowOf(query(of, useRTH, '1 min', `${seconds} S`, end))
        const traded = market
          .sessions(of, useRTH, window?.startSec ?? end, end)
          .map((one) => Math.min(one.endSec, end) - Math.max(one.startSec, window?.startSec ?? end))
          .reduce((sum, one) => sum + one, 0)
        expect(traded).toBe(seconds)
      }),
    )
  })

  it('of N days begin with the Nth session back and end at the end', () => {
    fc.assert(
      fc.property(listing, fc.boolean(), fc.integer({ min: 1, max: 365 }), endSec, (of, useRTH, days, end) => {
        const asked = query(of, useRTH, '1 hour', `${days} D`, end)
        const sessions = sessionsOf(asked)
        expect(sessions).toHaveLength(days)
        expect(sessions.at(-1)?.startSec).toBeLessThan(end)
        expect(market.sessions(of, useRTH, sessions.at(-1)?.endSec ?? 0, end)).toEqual([])
        expect(windowOf(asked)).toEqual({ startSec: sessions[0]?.startSec, endSec: end })
      }),
      { numRuns: 50 },
    )
  })

  it('of weekly and monthly bars take whole weeks and months', () => {
    const [aapl] = LISTINGS
    if (!aapl) throw new Error('no listing')
    const iso = (size: string, duration: string) => {
      const { startSec = 0, endSec = 0 } = windowOf(query(aapl, true, size, duration, NOW_SEC)) ?? {}
      return [startSec, endSec].map((sec) => new Date(sec * 1000).toISOString().slice(0, 16))
    }
    expect(iso('1 week', '2 W')).toEqual(['2026-03-23T13:30', '2026-04-10T20:00'])
    expect(iso('1 month', '2 M')).toEqual(['2026-02-02T13:30', '2026-04-30T20:00'])
  })

  it('are none before the head of history', () => {
    const [aapl] = LISTINGS
    if (!aapl) throw new Error('no listing')
    for (const duration of ['60 S', '2 D', '1 W']) {
      const window = windowOf(query(aapl, true, '1 min', duration, aapl.headSec - 86_400))
      expect(
        window === undefined ||
          market.bars({
            listing: aapl,
            barSize: '1 min',
            whatToShow: 'TRADES',
            useRTH: true,
            ...window,
            nowSec: NOW_SEC,
          }).length === 0,
      ).toBe(true)
    }
  })
})

describe('calendar and clocks', () => {
  it('cuts the day to the length of the month', () => {
    const back = (text: string, months: number) =>
      new Date(minusMonths(Date.parse(text) / 1000, months) * 1000).toISOString().slice(0, 19)
    expect(back('2026-03-31T12:00:00Z', 1)).toBe('2026-02-28T12:00:00')
    expect(back('2024-02-29T00:00:00Z', 12)).toBe('2023-02-28T00:00:00')
    expect(back('2026-01-15T01:02:03Z', 13)).toBe('2024-12-15T01:02:03')
  })

  it('reads back every stamp it prints, in every zone IBKR names, but the hour the clock shows twice', () => {
    const zones = ['US/Eastern', 'US/Central', 'MET', 'GB-Eire', 'Japan', 'Australia/NSW', 'Hongkong', 'UTC']
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 2 ** 31 }), (id, sec) => {
        const zone = zoneOf(id)
        const back = parseEnd(zonedStamp(sec, zone), zone)
        expect([0, 3600]).toContain(Math.abs((back ?? Number.NaN) - sec))
        expect(zonedStamp(back ?? 0, zone)).toBe(zonedStamp(sec, zone))
      }),
    )
  })
})

describe('sizes and durations', () => {
  it.each([
    ['1 secs', '2000 S', true],
    ['1 secs', '2001 S', false],
    ['1 secs', '1 D', false],
    ['5 secs', '86400 S', true],
    ['5 secs', '1 W', false],
    ['1 min', '1 Y', true],
    ['30 secs', '1 Y', false],
    ['8 hours', '1 M', true],
    ['1 week', '1 D', false],
    ['1 week', '68 Y', true],
    ['1M', '1 M', true],
  ])('%s over %s: %s', (size, duration, allowed) => {
    const [barSize, length] = [parseBarSize(size), parseDuration(duration)]
    if (!barSize || !length) throw new Error('unreadable')
    expect(refusePair(barSize, length) === undefined).toBe(allowed)
  })

  it('knows no other words', () => {
    for (const text of ['', '1 sec', '1  min', '1 Min', '7 mins', '1 days']) expect(parseBarSize(text)).toBeUndefined()
    for (const text of ['', '0 D', '1D', '1 d', '-1 D', '1.5 D', '1 D ']) expect(parseDuration(text)).toBeUndefined()
  })
})
