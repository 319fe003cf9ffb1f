import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Listing, MarketBar, PriceKind } from '../src/market/types.ts'
import { bars, CASES, DAY, market, utc } from './market-fixture.ts'

/** Longer bars are worked out here from shorter ones, by way of the sessions alone, and compared with what the market says. */

const FROM = utc('2023-06-01T00:00')
const anyCase = fc.record({
  of: fc.constantFrom(...CASES),
  day: fc.nat(500),
  rth: fc.boolean(),
})

/** What a longer bar is made of, in order. */
function join(parts: readonly MarketBar[], timeSec: number, kind: PriceKind): MarketBar {
  const sum = (of: (bar: MarketBar) => number) => parts.reduce((total, bar) => total + of(bar), 0)
  const [first, last] = [parts[0], parts.at(-1)]
  if (!first || !last) throw new Error('A bar of nothing.')
  const averages = kind === 'BID_ASK'
  const traded = first.volume >= 0
  const volume = sum((bar) => bar.volume)
  return {
    timeSec,
    open: averages ? sum((bar) => bar.open) / parts.length : first.open,
    high: Math.max(...parts.map((bar) => bar.high)),
    low: Math.min(...parts.map((bar) => bar.low)),
    close: averages ? sum((bar) => bar.close) / parts.length : last.close,
    volume: traded ? volume : -1,
    wap: traded ? sum((bar) => bar.wap * bar.volume) / volume : -1,
    count: traded ? sum((bar) => bar.count) : -1,
  }
}

function expectSame(made: readonly MarketBar[], joined: readonly MarketBar[], kind: PriceKind): void {
  expect(made.map(({ timeSec }) => timeSec)).toEqual(joined.map(({ timeSec }) => timeSec))
  for (const [i, bar] of made.entries()) {
    const other = joined[i]
    if (!other) continue
    expect(bar.wap).toBeCloseTo(other.wap, 7)
    const { open, close } = kind === 'BID_ASK' ? other : bar
    expect(bar.open).toBeCloseTo(open, 9)
    expect(bar.close).toBeCloseTo(close, 9)
    const exact = kind === 'BID_ASK' ? { open: bar.open, close: bar.close } : {}
    expect(bar).toEqual({ ...other, ...exact, wap: bar.wap })
  }
}

const clocks = new Map<string, Intl.DateTimeFormat>()

/** Seconds from midnight by the listing's clock, of an instant. */
function localSec({ timeZoneId: timeZone }: Listing, sec: number): number {
  const made = clocks.get(timeZone)
  const clock = made ?? new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium', hourCycle: 'h23' })
  if (!made) clocks.set(timeZone, clock)
  const [hour = 0, minute = 0, second = 0] = clock
    .format(sec * 1000)
    .split(':')
    .map(Number)
  return hour * 3600 + minute * 60 + second
}

/** Shorter bars by the start of the longer bar that they belong to: the clock's grid, or the session's opening. */
function byPeriod(of: Listing, rth: boolean, parts: readonly MarketBar[], sizeSec: number): Map<number, MarketBar[]> {
  const sessions = market.sessions(of, rth, parts[0]?.timeSec ?? 0, (parts.at(-1)?.timeSec ?? 0) + 1)
  return Map.groupBy(parts, ({ timeSec }) => {
    const session = sessions.find(({ startSec, endSec }) => startSec <= timeSec && timeSec < endSec)
    return Math.max(timeSec - (localSec(of, timeSec) % sizeSec), session?.startSec ?? 0)
  })
}

describe('bars of all sizes agree', () => {
  it.each([
    ['1 secs', '5 secs', 5, 600],
    ['1 secs', '10 secs', 10, 600],
    ['1 secs', '1 min', 60, 1200],
    ['1 secs', '30 mins', 1800, 3600],
    ['1 min', '2 mins', 120, DAY / 4],
    ['1 min', '5 mins', 300, DAY / 2],
    ['1 min', '20 mins', 1200, DAY],
    ['1 min', '1 hour', 3600, 2 * DAY],
    ['1 min', '8 hours', 28_800, 3 * DAY],
  ])('%s make %s', (fine, coarse, sizeSec, length) => {
    fc.assert(
      fc.property(anyCase, fc.nat(48), ({ of, day, rth }, half) => {
        const ask = { of: of.listing, kind: of.kind, rth }
        const from = FROM + day * DAY + half * 1800
        const made = bars({ ...ask, size: coarse, from, to: from + length })
        // One more, so that the last of the longer bars has all its parts.
        const parts = bars({ ...ask, size: fine, from, to: from + length + sizeSec })
        const joined = [...byPeriod(of.listing, rth, parts, sizeSec)]
          .filter(([timeSec]) => timeSec >= from && timeSec < from + length)
          .map(([timeSec, own]) => join(own, timeSec, of.kind))
        expectSame(made, joined, of.kind)
      }),
      { numRuns: sizeSec === 1800 ? 5 : 12 },
    )
  })

  it('minutes make days', () => {
    fc.assert(
      fc.property(anyCase, ({ of, day, rth }) => {
        const ask = { of: of.listing, kind: of.kind, rth }
        const sessions = market.sessions(of.listing, rth, FROM + day * DAY, FROM + (day + 6) * DAY)
        // The first date may have begun before, the last may end later.
        const dates = [...Map.groupBy(sessions, ({ date }) => date)].slice(1, -1)
        const from = dates[0]?.[1][0]?.startSec ?? 0
        const to = dates.at(-1)?.[1].at(-1)?.endSec ?? 0
        const joined = dates.map(([date, own]) => {
          const parts = own.flatMap(({ startSec, endSec }) =>
            bars({ ...ask, size: '1 min', from: startSec, to: endSec }),
          )
          return join(parts, utc(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T00:00`), of.kind)
        })
        expectSame(bars({ ...ask, size: '1 day', from, to }), joined, of.kind)
      }),
      { numRuns: 12 },
    )
  })

  it.each(['1 week', '1 month'] as const)('days make a %s', (coarse) => {
    const key = (sec: number) => {
      const date = new Date(sec * 1000)
      return coarse === '1 month' ? date.toISOString().slice(0, 7) : String(Math.floor((sec / DAY - 4) / 7))
    }
    const exact = CASES.filter(({ kind }) => kind !== 'BID_ASK')
    fc.assert(
      fc.property(fc.constantFrom(...exact), fc.nat(300), fc.boolean(), ({ listing, kind }, day, rth) => {
        const ask = { of: listing, kind, rth }
        const [from, to] = [FROM + day * DAY, FROM + (day + 100) * DAY]
        const days = bars({ ...ask, size: '1 day', from: from - 40 * DAY, to: to + 40 * DAY })
        const groups = Map.groupBy(days, ({ timeSec }) => key(timeSec))
        const made = bars({ ...ask, size: coarse, from, to })
        expect(made.length).toBeGreaterThan(coarse === '1 month' ? 1 : 12)
        const joined = made.map(({ timeSec }) => {
          const own = groups.get(key(timeSec)) ?? []
          return join(own, own.at(-1)?.timeSec ?? 0, kind)
        })
        expectSame(made, joined, kind)
      }),
      { numRuns: 4 },
    )
  })
})

describe('the forming bar', () => {
  it('is what its seconds make until now, and nothing lies behind it', () => {
    const sizes = fc.constantFrom(['1 min', 60], ['5 mins', 300], ['1 hour', 3600]) as fc.Arbitrary<[string, number]>
    fc.assert(
      fc.property(anyCase, fc.nat(DAY), sizes, ({ of, day, rth }, second, [size, sizeSec]) => {
        const now = FROM + day * DAY + second
        const ask = { of: of.listing, kind: of.kind, rth, from: now - 2 * sizeSec, now }
        const last = bars({ ...ask, size, to: now + DAY }).at(-1)
        if (!last) return
        const parts = bars({ ...ask, now: now + DAY, size: '1 secs', from: last.timeSec, to: now })
        const own = [...byPeriod(of.listing, rth, parts, sizeSec)].map(([at, seconds]) => join(seconds, at, of.kind))
        expectSame([last], own, of.kind)
      }),
      { numRuns: 30 },
    )
  })
})
