import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bars, DAY, listing, market, marketOf, utc } from './market-fixture.ts'

const AAPL = listing({ symbol: 'AAPL', secType: 'STK' })
const LISTINGS = [
  AAPL,
  listing({ symbol: 'SPX', secType: 'IND' }),
  listing({ symbol: 'VOD', secType: 'STK', currency: 'GBP' }),
  listing({ symbol: 'SAP', secType: 'STK' }),
  listing({ symbol: '7203', secType: 'STK' }),
  listing({ symbol: 'EUR', secType: 'CASH', currency: 'USD' }),
]
const YEARS = 3

/** How far each day's return tells of the one so many days later, from −1 to 1. */
function autocorrelation(returns: readonly number[], lag: number): number {
  const mean = returns.reduce((sum, one) => sum + one, 0) / returns.length
  const off = returns.map((one) => one - mean)
  const product = (of: readonly number[]) => of.reduce((sum, one, i) => sum + one * (off[i] ?? 0), 0)
  return product(off.slice(lag)) / product(off)
}

describe('days', () => {
  it('tell nothing of those that follow, whatever the listing, the years and the market', () => {
    const years = fc.integer({ min: 2012, max: 2022 })
    fc.assert(
      fc.property(fc.constantFrom(...LISTINGS), years, fc.constantFrom('tidegate', 'b', 'c'), (of, year, seed) => {
        const where = seed === 'tidegate' ? market : marketOf(seed)
        const kind = market.offers(of, 'TRADES') ? 'TRADES' : 'MIDPOINT'
        const from = utc(`${year}-01-01T00:00`)
        const days = bars({ of, kind, size: '1 day', rth: true, from, to: from + YEARS * 365 * DAY, in: where })
        const returns = days.slice(1).map(({ close }, i) => Math.log(close / (days[i]?.close ?? close)))
        expect(returns.length).toBeGreaterThan(YEARS * 230)
        // Of a random walk, chance moves it by 1/√n: five times that is met once in two million.
        const limit = 5 / Math.sqrt(returns.length)
        for (const lag of [1, 2, 3]) expect(Math.abs(autocorrelation(returns, lag))).toBeLessThan(limit)
      }),
      { numRuns: 3 },
    )
  })
})
