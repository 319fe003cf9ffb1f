import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hours, LISTINGS, listing, market, utc } from './market-fixture.ts'

const AAPL = listing({ symbol: 'AAPL', secType: 'STK' })
const VOD = listing({ symbol: 'VOD', secType: 'STK', currency: 'GBP' })
const SAP = listing({ symbol: 'SAP', secType: 'STK' })
const TOYOTA = listing({ symbol: '7203', secType: 'STK' })
const EUR = listing({ symbol: 'EUR', secType: 'CASH', currency: 'USD' })
const ES = listing({ symbol: 'ES', secType: 'FUT', lastTradeDateOrContractMonth: '202412' })
const NQ = listing({ symbol: 'NQ', secType: 'FUT', lastTradeDateOrContractMonth: '202503' })
const BTC = listing({ symbol: 'BTC', secType: 'CRYPTO' })

describe('sessions', () => {
  it.each([
    ['a full day', AAPL, '2024-11-27', ['09:30-16:00'], ['04:00-20:00']],
    ['Thanksgiving', AAPL, '2024-11-28', [], []],
    ['the day after it', AAPL, '2024-11-29', ['09:30-13:00'], ['04:00-17:00']],
    ['Christmas Eve', AAPL, '2024-12-24', ['09:30-13:00'], ['04:00-17:00']],
    ['Christmas', AAPL, '2024-12-25', [], []],
    ['Juneteenth', AAPL, '2024-06-19', [], []],
    ['a day before Juneteenth was kept', AAPL, '2019-06-19', ['09:30-16:00'], ['04:00-20:00']],
    ['3 July', AAPL, '2024-07-03', ['09:30-13:00'], ['04:00-17:00']],
    ['a national day of mourning', AAPL, '2025-01-09', [], []],
    ['Good Friday in New York', AAPL, '2024-03-29', [], []],
    ['Good Friday in London', VOD, '2024-03-29', [], []],
    ['Easter Monday in London', VOD, '2024-04-01', [], []],
    ['Easter Monday in New York', AAPL, '2024-04-01', ['09:30-16:00'], ['04:00-20:00']],
    ['Christmas Eve in London', VOD, '2024-12-24', ['08:00-12:30'], ['08:00-12:30']],
    ['Labour Day in Frankfurt', SAP, '2024-05-01', [], []],
    ['Labour Day in London', VOD, '2024-05-01', ['08:00-16:30'], ['08:00-16:30']],
    ['a day in Tokyo', TOYOTA, '2024-05-07', ['09:00-11:30', '12:30-15:00'], ['09:00-11:30', '12:30-15:00']],
    ['Golden Week', TOYOTA, '2024-05-03', [], []],
    ['a day of FX', EUR, '2024-05-07', ['17:15-17:00'], ['17:15-17:00']],
    ['New Year in FX', EUR, '2024-01-01', [], []],
    ['a day of Globex', ES, '2024-11-27', ['08:30-15:00'], ['17:00-16:00']],
    ['Thanksgiving on Globex', ES, '2024-11-28', ['08:30-12:00'], ['17:00-12:00']],
    ['the day after it on Globex', ES, '2024-11-29', ['08:30-12:15'], ['17:00-12:15']],
    ['Independence Day on Globex', ES, '2024-07-04', ['08:30-12:00'], ['17:00-12:00']],
    ['the day before it on Globex', ES, '2024-07-03', ['08:30-12:15'], ['17:00-12:15']],
    ['Christmas Eve on Globex', NQ, '2024-12-24', ['08:30-12:15'], ['17:00-12:15']],
    ['Good Friday on Globex', ES, '2024-03-29', [], []],
    ['a Saturday of stocks', AAPL, '2024-11-30', [], []],
    ['a Saturday of coins', BTC, '2024-11-30', ['00:00-00:00'], ['00:00-00:00']],
  ])('%s', (_name, of, date, regular, all) => {
    expect(hours(of, date, true)).toEqual(regular)
    expect(hours(of, date, false)).toEqual(all)
  })

  it.each([
    ['2024-03-08', '14:30'],
    ['2024-03-11', '13:30'],
    ['2024-11-01', '13:30'],
    ['2024-11-04', '14:30'],
  ])('New York opens on %s at %s UTC', (date, clock) => {
    const [session] = market.sessions(AAPL, true, utc(`${date}T00:00`), utc(`${date}T23:00`))
    expect(session?.startSec).toBe(utc(`${date}T${clock}`))
  })

  it('London changes its clock two weeks after New York', () => {
    const [before] = market.sessions(VOD, true, utc('2024-03-28T00:00'), utc('2024-03-28T23:00'))
    const [after] = market.sessions(VOD, true, utc('2024-04-02T00:00'), utc('2024-04-02T23:00'))
    expect(before?.startSec).toBe(utc('2024-03-28T08:00'))
    expect(after?.startSec).toBe(utc('2024-04-02T07:00'))
  })

  it('a future trades from the day it is listed to its last trade', () => {
    const [first] = market.sessions(ES, false, 0, ES.headSec + 1)
    expect(first?.startSec).toBe(ES.headSec)
    const last = market.sessions(ES, false, (ES.endSec ?? 0) - 1, utc('2026-01-01T00:00'))
    expect(last.map(({ endSec }) => endSec)).toEqual([ES.endSec])
  })

  it('never overlap, run forward, and regular ones lie within all', () => {
    const from = utc('2021-01-01T00:00')
    const window = fc.tuple(fc.constantFrom(...LISTINGS), fc.nat(1800), fc.integer({ min: 1, max: 40 }))
    fc.assert(
      fc.property(window, ([of, day, days]) => {
        const [start, end] = [from + day * 86_400, from + (day + days) * 86_400]
        const all = market.sessions(of, false, start, end)
        for (const [i, session] of all.entries()) {
          expect(session.startSec).toBeLessThan(session.endSec)
          expect(session.endSec > start && session.startSec < end).toBe(true)
          expect(session.startSec).toBeGreaterThanOrEqual(all[i - 1]?.endSec ?? 0)
        }
        for (const regular of market.sessions(of, true, start, end)) {
          expect(all.some((one) => one.startSec <= regular.startSec && one.endSec >= regular.endSec)).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })
})
