import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Listing, MarketBar, PriceKind } from '../src/market/types.ts'
import { bars, CASES, DAY, LISTINGS, listing, market, marketOf, utc } from './market-fixture.ts'

const AAPL = listing({ symbol: 'AAPL', secType: 'STK' })
const EUR = listing({ symbol: 'EUR', secType: 'CASH', currency: 'USD' })

const FROM = utc('2023-06-01T00:00')
/** A case and a minute of the two years before the futures expire. */
const anyCase = fc.record({
  of: fc.constantFrom(...CASES),
  at: fc.nat(500 * 1440).map((minute) => FROM + minute * 60),
  rth: fc.boolean(),
})
const runs = { numRuns: 60 }
const clock = (sec: number, timeZone: string): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    sec * 1000,
  )

function isSane(bar: MarketBar, { minTick, secType }: Listing, kind: PriceKind): boolean {
  const { open, high, low, close, volume, wap, count } = bar
  const grid = kind === 'MIDPOINT' ? minTick / 2 : minTick
  const gridded = kind === 'ADJUSTED_LAST' ? [] : kind === 'BID_ASK' ? [high, low] : [open, high, low, close]
  const isOnGrid = gridded.every((price) => Math.abs(price / grid - Math.round(price / grid)) < 1e-6)
  const isOrdered = low > 0 && high >= Math.max(open, close) && low <= Math.min(open, close)
  const isTraded = /TRADES|LAST/.test(kind) && secType !== 'IND'
  if (!isTraded) return isOnGrid && isOrdered && volume === -1 && wap === -1 && count === -1
  const isCounted = Number.isInteger(volume) && volume >= count && count >= 1
  return isOnGrid && isOrdered && isCounted && wap >= low - 1e-9 && wap <= high + 1e-9
}

describe('every bar', () => {
  it('is sane, on the tick grid, inside a session, and moves', () => {
    fc.assert(
      fc.property(anyCase, fc.constantFrom('10 secs', '1 min', '15 mins', '1 hour'), ({ of, at, rth }, size) => {
        const { listing, kind } = of
        const window = { from: at, to: at + (size === '10 secs' ? 1800 : 2 * DAY) }
        const sessions = market.sessions(listing, rth, window.from, window.to)
        const found = bars({ of: listing, kind, size, rth, ...window })
        for (const [i, { timeSec }] of found.entries()) {
          if (i > 0 && timeSec <= (found[i - 1]?.timeSec ?? 0)) throw new Error(`${timeSec} does not rise.`)
          const isWithin = sessions.some(({ startSec, endSec }) => startSec <= timeSec && timeSec < endSec)
          if (!isWithin) throw new Error(`${timeSec} lies in no session.`)
        }
        // One look at all that is wrong: thousands of bars would each take many.
        expect(found.filter((bar) => !isSane(bar, listing, kind))).toEqual([])
      }),
      runs,
    )
  })

  it('is the same in another market of the same seed, and differs in one of another', () => {
    const again = marketOf('tidegate')
    const other = marketOf('another')
    fc.assert(
      fc.property(anyCase, ({ of, at, rth }) => {
        const ask = { of: of.listing, kind: of.kind, size: '30 mins', from: at, to: at + 3 * DAY, rth }
        const here = bars(ask)
        expect(bars({ ...ask, in: again })).toEqual(here)
        if (here.length > 3) expect(bars({ ...ask, in: other })).not.toEqual(here)
      }),
      { numRuns: 30 },
    )
  })

  it('is found once in adjacent windows, wherever they are cut', () => {
    const sizes = fc.constantFrom('30 secs', '1 min', '20 mins', '1 hour', '4 hours', '1 day', '1 week', '1 month')
    fc.assert(
      fc.property(anyCase, sizes, fc.double({ min: 0, max: 1, noNaN: true }), ({ of, at, rth }, size, part) => {
        const length = size === '30 secs' ? 3600 : size.includes('min') ? 2 * DAY : 70 * DAY
        const cut = at + Math.floor(length * part)
        const ask = { of: of.listing, kind: of.kind, size, rth }
        const whole = bars({ ...ask, from: at, to: at + length })
        expect([...bars({ ...ask, from: at, to: cut }), ...bars({ ...ask, from: cut, to: at + length })]).toEqual(whole)
      }),
      { numRuns: 30 },
    )
  })
})

describe('kinds', () => {
  it('bid ≤ mid ≤ ask, and BID_ASK is made of both', () => {
    const quoted = LISTINGS.filter((one) => market.offers(one, 'BID'))
    const sizes = fc.constantFrom('5 secs', '1 min', '1 hour')
    fc.assert(
      fc.property(fc.constantFrom(...quoted), fc.nat(500 * 24), sizes, (of, hour, size) => {
        const window = { from: FROM + hour * 3600, to: FROM + hour * 3600 + (size === '5 secs' ? 600 : 7200) }
        const [bid, mid, ask, both] = (['BID', 'MIDPOINT', 'ASK', 'BID_ASK'] as const).map((kind) =>
          bars({ of, kind, size, ...window }),
        )
        for (const [i, one] of (mid ?? []).entries()) {
          for (const part of ['open', 'high', 'low', 'close'] as const) {
            expect(bid?.[i]?.[part]).toBeLessThan(one[part])
            expect(ask?.[i]?.[part]).toBeGreaterThan(one[part])
          }
          expect(both?.[i]).toMatchObject({ high: ask?.[i]?.high, low: bid?.[i]?.low })
          expect(both?.[i]?.open).toBeLessThan(both?.[i]?.close ?? 0)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('are those of IBKR’s table', () => {
    const offered = (query: Parameters<typeof listing>[0]) =>
      ['TRADES', 'MIDPOINT', 'ADJUSTED_LAST', 'AGGTRADES', 'FEE_RATE'].filter((kind) =>
        market.offers(listing(query), kind),
      )
    expect(offered({ symbol: 'AAPL', secType: 'STK' })).toEqual(['TRADES', 'MIDPOINT', 'ADJUSTED_LAST', 'FEE_RATE'])
    expect(offered({ symbol: 'EUR', secType: 'CASH', currency: 'USD' })).toEqual(['MIDPOINT'])
    expect(offered({ symbol: 'SPX', secType: 'IND' })).toEqual(['TRADES'])
    expect(offered({ symbol: 'BTC', secType: 'CRYPTO' })).toEqual(['TRADES', 'MIDPOINT', 'AGGTRADES'])
  })

  it('quotes have every minute, trades have holes where little is traded', () => {
    const thin = listing({ symbol: 'BF B', secType: 'STK' })
    const window = { from: utc('2024-05-06T00:00'), to: utc('2024-05-11T00:00'), size: '1 min' }
    expect(bars({ of: thin, kind: 'BID', rth: true, ...window })).toHaveLength(5 * 390)
    const traded = bars({ of: thin, kind: 'TRADES', rth: true, ...window })
    expect(traded.length).toBeGreaterThan(5 * 300)
    expect(traded.length).toBeLessThan(5 * 380)
    expect(bars({ of: AAPL, kind: 'TRADES', rth: true, ...window })).toHaveLength(5 * 390)
    expect(bars({ of: AAPL, kind: 'TRADES', ...window }).length).toBeLessThan(5 * 900)
  })
})

describe('the grid', () => {
  it('hours of US stocks begin with a stub', () => {
    const day = bars({
      of: AAPL,
      kind: 'TRADES',
      size: '1 hour',
      rth: true,
      from: utc('2024-05-06T00:00'),
      to: utc('2024-05-07T00:00'),
    })
    const clocks = day.map(({ timeSec }) => clock(timeSec, 'America/New_York'))
    expect(clocks).toEqual(['09:30', '10:00', '11:00', '12:00', '13:00', '14:00', '15:00'])
  })

  it('hours of FX begin at 17:15', () => {
    // From the opening on: a window cut there must have the stub.
    const window = { from: utc('2024-05-05T21:15'), to: utc('2024-05-06T00:00') }
    const hours = bars({ of: EUR, kind: 'MIDPOINT', size: '1 hour', ...window })
    expect(hours.slice(0, 3).map(({ timeSec }) => clock(timeSec, 'America/New_York'))).toEqual([
      '17:15',
      '18:00',
      '19:00',
    ])
    const four = bars({ of: EUR, kind: 'MIDPOINT', size: '4 hours', ...window })
    expect(four.map(({ timeSec }) => clock(timeSec, 'America/New_York'))).toEqual(['17:15'])
    const five = bars({ of: EUR, kind: 'MIDPOINT', size: '5 mins', ...window })
    expect(clock(five[0]?.timeSec ?? 0, 'America/New_York')).toBe('17:15')
  })

  it('days are dated by the close, weeks and months by their last trading day', () => {
    const dates = (size: string, from: string, to: string) =>
      bars({ of: EUR, kind: 'BID', size, from: utc(from), to: utc(to) }).map(({ timeSec }) =>
        new Date(timeSec * 1000).toISOString().slice(0, 16),
      )
    expect(dates('1 day', '2024-05-05T00:00', '2024-05-07T00:00')).toEqual(['2024-05-06T00:00', '2024-05-07T00:00'])
    expect(dates('1 week', '2024-05-05T00:00', '2024-05-18T00:00')).toEqual(['2024-05-10T00:00', '2024-05-17T00:00'])
    expect(dates('1 month', '2024-05-15T00:00', '2024-07-15T00:00')).toEqual(['2024-06-28T00:00', '2024-07-31T00:00'])
  })

  it('refuses a size that is none', () => {
    const ask = { of: AAPL, kind: 'TRADES', from: FROM, to: FROM + DAY } as const
    expect(() => bars({ ...ask, size: '1 fortnight' })).toThrow('"1 fortnight" is no bar size')
  })
})

describe('twenty years', () => {
  it.each([AAPL, EUR, listing({ symbol: 'BTC' })])('of $localSymbol neither explode nor die', (of) => {
    const kind = market.offers(of, 'TRADES') ? 'TRADES' : 'MIDPOINT'
    // A week of every quarter: the walk between is the same.
    const weeks = Array.from({ length: 80 }, (_, i) => utc('2006-01-02T00:00') + i * 13 * 7 * DAY)
    const days = weeks.flatMap((from) => bars({ of, kind, size: '1 day', rth: true, from, to: from + 5 * DAY }))
    expect(days.length).toBeGreaterThan(80)
    const [low, high] = [Math.min(...days.map((bar) => bar.low)), Math.max(...days.map((bar) => bar.high))]
    expect(high / low).toBeGreaterThan(1.05)
    expect(high / low).toBeLessThan(100)
    expect(days.every((bar) => bar.high > bar.low)).toBe(true)
  })
})
