import { describe, expect, it } from 'vitest'
import type { PriceKind } from '../src/market/types.ts'
import { type Ask, bars, DAY, listing, marketOf, market as plain, utc } from './market-fixture.ts'

const AAPL = listing({ symbol: 'AAPL', secType: 'STK' })
const MSFT = listing({ symbol: 'MSFT', secType: 'STK' })
const SPX = listing({ symbol: 'SPX', secType: 'IND' })
const ES = listing({ symbol: 'ES', secType: 'FUT', lastTradeDateOrContractMonth: '202612' })
const NOW = utc('2026-11-24T15:00')
const year = (of: Ask['of'], kind: PriceKind, size = '1 day', now = NOW) =>
  bars({ of, kind, size, from: NOW - 365 * DAY, to: NOW, rth: true, now })

describe('ADJUSTED_LAST', () => {
  it('is less than TRADES by every dividend since: four a year', () => {
    const [traded, adjusted] = [year(AAPL, 'TRADES'), year(AAPL, 'ADJUSTED_LAST')]
    expect(adjusted.map(({ timeSec, volume, count }) => [timeSec, volume, count])).toEqual(
      traded.map(({ timeSec, volume, count }) => [timeSec, volume, count]),
    )
    const parts = adjusted.map(({ close }, i) => close / (traded[i]?.close ?? 1))
    expect(parts.at(-1)).toBe(1)
    expect(parts[0]).toBeCloseTo((1 - 0.0012) ** 4, 4)
    const date = (text: string) => traded.findIndex(({ timeSec }) => timeSec === utc(`${text}T00:00`))
    // The second Friday of November.
    expect(parts[date('2026-11-13')]).toBe(1)
    expect(parts[date('2026-11-12')]).toBeCloseTo(1 - 0.0012, 4)
  })

  it('is not adjusted for a dividend that is still to come', () => {
    const then = utc('2026-11-12T20:00')
    const last = (kind: PriceKind) => year(AAPL, kind, '1 day', then).at(-2)?.close
    expect(last('ADJUSTED_LAST')).toBe(last('TRADES'))
  })

  it('makes weeks and months of adjusted days', () => {
    const days = year(AAPL, 'ADJUSTED_LAST')
    for (const size of ['1 week', '1 month']) {
      for (const bar of year(AAPL, 'ADJUSTED_LAST', size).slice(1, -1)) {
        const key = (sec: number) =>
          size === '1 week' ? Math.floor((sec / DAY - 4) / 7) : new Date(sec * 1000).toISOString().slice(0, 7)
        const own = days.filter(({ timeSec }) => key(timeSec) === key(bar.timeSec))
        expect([bar.open, bar.close]).toEqual([own[0]?.open, own.at(-1)?.close])
        expect([bar.high, bar.low]).toEqual([
          Math.max(...own.map(({ high }) => high)),
          Math.min(...own.map(({ low }) => low)),
        ])
        expect(bar.volume).toBe(own.reduce((sum, { volume }) => sum + volume, 0))
      }
    }
  })

  it('is TRADES where nothing is paid', () => {
    const nvda = listing({ symbol: 'NVDA', secType: 'STK' })
    expect(year(nvda, 'ADJUSTED_LAST')).toEqual(year(nvda, 'TRADES'))
  })
})

describe('rates', () => {
  it.each<[PriceKind, Ask['of'], number, number]>([
    ['HISTORICAL_VOLATILITY', AAPL, 0.03, 1.5],
    ['OPTION_IMPLIED_VOLATILITY', SPX, 0.03, 1.5],
    ['FEE_RATE', AAPL, 0.03, 3],
  ])('%s: by the day and by the hour, positive, moving, without volume', (kind, of, least, most) => {
    const days = year(of, kind)
    expect(days.length).toBeGreaterThan(248)
    for (const { low, high, volume, count, wap } of days) {
      expect(low).toBeGreaterThan(least)
      expect(high).toBeLessThan(most)
      expect([volume, count, wap]).toEqual([-1, -1, -1])
    }
    expect(new Set(days.map(({ close }) => close)).size).toBeGreaterThan(200)
    const [day] = days.slice(-2)
    const date = day?.timeSec ?? 0
    const hours = bars({ of, kind, size: '1 hour', from: date, to: date + DAY, rth: true, now: NOW })
    expect([hours[0]?.open, hours.at(-1)?.close]).toEqual([day?.open, day?.close])
  })

  it('differ by kind and by product, and are not for all', () => {
    expect(year(AAPL, 'HISTORICAL_VOLATILITY')).not.toEqual(year(AAPL, 'OPTION_IMPLIED_VOLATILITY'))
    expect(year(AAPL, 'HISTORICAL_VOLATILITY')).not.toEqual(year(MSFT, 'HISTORICAL_VOLATILITY'))
    expect(plain.offers(SPX, 'FEE_RATE')).toBe(false)
    expect(plain.offers(ES, 'HISTORICAL_VOLATILITY')).toBe(false)
  })
})

describe('a split', () => {
  const market = marketOf('tidegate')
  const at = utc('2026-11-24T14:45')
  market.events.splits = [{ conId: AAPL.conId, atSec: at, ratio: 4 }]
  const ask = { of: AAPL, size: '1 day', kind: 'TRADES', from: NOW - 30 * DAY, to: NOW, in: market } as const

  it('changes nothing before its instant', () => {
    expect(bars({ ...ask, now: at - 1 })).toEqual(bars({ ...ask, now: at - 1, in: plain }))
  })

  it.each<PriceKind>(['TRADES', 'MIDPOINT', 'BID', 'ADJUSTED_LAST'])('restates all of %s from then on', (kind) => {
    for (const size of ['1 day', '1 hour', '1 week']) {
      const before = bars({ ...ask, kind, size, now: NOW, in: plain })
      const after = bars({ ...ask, kind, size, now: NOW })
      expect(after).toHaveLength(before.length)
      for (const [i, bar] of after.entries()) {
        const old = before[i]
        if (!old) throw new Error('A bar is missing.')
        expect([bar.open, bar.high, bar.low, bar.close]).toEqual(
          [old.open, old.high, old.low, old.close].map((one) => Number((one / 4).toFixed(6))),
        )
        expect(bar.volume).toBe(old.volume < 0 ? -1 : old.volume * 4)
        expect(bar.count).toBe(old.count)
      }
    }
  })

  it('restates ticks too, so that they still make the bars', () => {
    const minute = utc('2026-11-23T16:00')
    const query = { listing: AAPL, useRTH: true, startSec: minute, endSec: minute + 60, nowSec: NOW }
    const trades = market.trades(query).filter(({ unreported }) => !unreported)
    const [bar] = bars({ ...ask, size: '1 min', from: minute, to: minute + 60, now: NOW })
    expect(Math.max(...trades.map(({ price }) => price))).toBe(bar?.high)
    expect(trades.reduce((sum, { size }) => sum + size, 0)).toBe(bar?.volume)
    const [quote] = market.quotes(query)
    const [mid] = market.midpoints(query)
    const [before] = plain.midpoints(query)
    expect((before?.price ?? 0) / (mid?.price ?? 0)).toBeCloseTo(4, 2)
    expect((before?.price ?? 0) / (quote?.bid ?? 0)).toBeCloseTo(4, 1)
  })

  it('leaves other listings and rates alone', () => {
    expect(bars({ ...ask, of: MSFT, now: NOW })).toEqual(bars({ ...ask, of: MSFT, now: NOW, in: plain }))
    const rate = { ...ask, kind: 'HISTORICAL_VOLATILITY', now: NOW } as const
    expect(bars(rate)).toEqual(bars({ ...rate, in: plain }))
  })

  it('can be taken back, and another follow', () => {
    market.events.splits = []
    expect(bars({ ...ask, now: NOW })).toEqual(bars({ ...ask, now: NOW, in: plain }))
  })
})

describe('a late settlement', () => {
  const market = marketOf('tidegate')
  market.events.settlementDelaySec = 4 * 3600
  const [session] = plain.sessions(ES, false, utc('2026-11-20T15:00'), utc('2026-11-20T15:01'))
  const endSec = session?.endSec ?? 0
  const ask = { of: ES, size: '1 day', kind: 'TRADES', from: NOW - 40 * DAY, to: NOW } as const
  const closeOf = (date: string, now: number, where = market, size = '1 day') =>
    bars({ ...ask, size, now, in: where }).find(({ timeSec }) => timeSec === utc(`${date}T00:00`))?.close

  it('turns the close of a day into another price, hours after it', () => {
    const last = closeOf('2026-11-20', endSec, plain)
    expect(closeOf('2026-11-20', endSec + 4 * 3600 - 1)).toBe(last)
    const settled = closeOf('2026-11-20', endSec + 4 * 3600)
    expect(settled).not.toBe(last)
    expect(Math.abs((settled ?? 0) - (last ?? 0))).toBeLessThanOrEqual(0.75)
    expect(closeOf('2026-11-20', NOW)).toBe(settled)
  })

  it('is the close of its week too, and within the day', () => {
    expect(closeOf('2026-11-20', NOW, market, '1 week')).toBe(closeOf('2026-11-20', NOW))
    for (const { high, low, close } of bars({ ...ask, now: NOW, in: market })) {
      expect(close).toBeLessThanOrEqual(high)
      expect(close).toBeGreaterThanOrEqual(low)
    }
    const changed = bars({ ...ask, now: NOW, in: market }).filter(
      ({ close }, i) => close !== bars({ ...ask, now: NOW, in: plain })[i]?.close,
    )
    expect(changed.length).toBeGreaterThan(20)
  })

  it('is of futures by the day: hours and stocks are as they were', () => {
    const hours = { ...ask, size: '1 hour', from: NOW - 3 * DAY, now: NOW } as const
    expect(bars({ ...hours, in: market })).toEqual(bars({ ...hours, in: plain }))
    expect(bars({ ...ask, of: AAPL, now: NOW, in: market })).toEqual(bars({ ...ask, of: AAPL, now: NOW, in: plain }))
  })
})
