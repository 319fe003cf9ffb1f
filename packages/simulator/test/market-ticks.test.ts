import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { haltOf } from '../src/market/halts.ts'
import type { Listing, MarketBar, PriceKind, TicksQuery, TradeTick } from '../src/market/types.ts'
import { bars, DAY, LATER, LISTINGS, listing, market, utc } from './market-fixture.ts'

const AAPL = listing({ symbol: 'AAPL', secType: 'STK' })
const FROM = utc('2023-06-01T00:00')
/** A listing and a minute of the two years before the futures expire. */
const anyMinute = (kind: PriceKind) =>
  fc.record({
    of: fc.constantFrom(...LISTINGS.filter((one) => market.offers(one, kind))),
    at: fc.nat(500 * 1440).map((minute) => FROM + minute * 60),
    rth: fc.boolean(),
  })
const runs = { numRuns: 150 }

const ask = (of: Listing, from: number, to: number, useRTH = false, nowSec = LATER): TicksQuery => ({
  listing: of,
  useRTH,
  startSec: from,
  endSec: to,
  nowSec,
})

const isInBars = ({ unreported, pastLimit }: TradeTick): boolean => !unreported && !pastLimit

/** The bar of trades, added up one by one. */
function barOf(timeSec: number, trades: readonly TradeTick[]): MarketBar | undefined {
  const [first, last] = [trades[0], trades.at(-1)]
  if (!first || !last) return undefined
  const prices = trades.map(({ price }) => price)
  const volume = trades.reduce((sum, { size }) => sum + size, 0)
  const turnover = trades.reduce((sum, { size, price }) => sum + size * price, 0)
  return {
    timeSec,
    open: first.price,
    high: Math.max(...prices),
    low: Math.min(...prices),
    close: last.price,
    volume,
    wap: turnover / volume,
    count: trades.length,
  }
}

describe('trades', () => {
  it('make the bars of one and five seconds, a minute and an hour', () => {
    const sizes = fc.constantFrom<[string, number]>(['1 secs', 1], ['5 secs', 5], ['1 min', 60], ['1 hour', 3600])
    fc.assert(
      fc.property(anyMinute('TRADES'), sizes, ({ of, at, rth }, [size, seconds]) => {
        if (of.secType === 'IND') return
        const until = at + Math.max(60, seconds)
        for (const bar of bars({ of, size, kind: 'TRADES', from: at, to: until, rth })) {
          const own = market.trades(ask(of, bar.timeSec, nextBar(of, bar.timeSec, seconds, rth), rth)).filter(isInBars)
          const made = barOf(bar.timeSec, own)
          expect({ ...made, wap: 0 }).toEqual({ ...bar, wap: 0 })
          expect(made?.wap).toBeCloseTo(bar.wap, 6)
        }
      }),
      runs,
    )
  })

  it('are none where there is no bar', () => {
    fc.assert(
      fc.property(anyMinute('TRADES'), ({ of, at }) => {
        if (bars({ of, size: '1 min', kind: 'TRADES', from: at, to: at + 60 }).length > 0) return
        expect(market.trades(ask(of, at, at + 60)).filter(isInBars)).toEqual([])
      }),
      runs,
    )
  })

  it('of an index have prices and no size', () => {
    const spx = listing({ symbol: 'SPX', secType: 'IND' })
    const at = utc('2024-10-02T15:00')
    const [bar] = bars({ of: spx, size: '1 min', kind: 'TRADES', from: at, to: at + 60 })
    const trades = market.trades(ask(spx, at, at + 60))
    expect(trades[0]?.price).toBe(bar?.open)
    expect(Math.max(...trades.map(({ price }) => price))).toBe(bar?.high)
    expect(trades.every(({ size, price }) => size === 0 && price > 0)).toBe(true)
  })

  it('stop at a halt, said by a tick of nothing, and go on at the next', () => {
    const halt = firstHalt()
    const trades = market.trades(ask(AAPL, halt.startSec - 60, halt.endSec + 60))
    const said = trades.filter(({ pastLimit }) => pastLimit)
    expect(said.map(({ timeSec, price, size }) => [timeSec, price, size])).toEqual([
      [halt.startSec, 0, 0],
      [halt.endSec, 0, 0],
    ])
    const within = trades.filter(({ timeSec }) => timeSec >= halt.startSec && timeSec < halt.endSec)
    expect(within.filter(isInBars)).toEqual([])
    expect(bars({ of: AAPL, size: '1 min', kind: 'TRADES', from: halt.startSec, to: halt.endSec })).toEqual([])
    expect(trades.some(({ timeSec }) => timeSec < halt.startSec)).toBe(true)
    expect(trades.some(({ timeSec, pastLimit }) => timeSec >= halt.endSec && !pastLimit)).toBe(true)
  })

  it('name the exchanges of the listing, and conditions of the US tape', () => {
    const at = utc('2024-10-02T15:00')
    const trades = [
      ...market.trades(ask(AAPL, at, at + 600)),
      ...market.trades(ask(AAPL, at - 6 * 3600, at - 5 * 3600)),
    ]
    expect(trades.some(({ unreported }) => unreported)).toBe(true)
    expect(new Set(trades.map(({ conditions }) => conditions))).toEqual(
      new Set(['', ' F', '   I', ' F I', '  TI', ' FTI', '   W']),
    )
    for (const { exchange } of trades) expect(AAPL.validExchanges).toContain(exchange)
    expect(trades.every(({ exchange }) => exchange !== 'SMART')).toBe(true)
  })
})

/** Where the bar after one that begins at `sec` begins, or its session ends. */
function nextBar(of: Listing, sec: number, seconds: number, rth: boolean): number {
  const [session] = market.sessions(of, rth, sec, sec + 1)
  const offset = clockOffset(of, session?.startSec ?? sec)
  const next = (Math.floor((sec + offset) / seconds) + 1) * seconds - offset
  return Math.min(next, session?.endSec ?? next)
}

/** What the zone's clock is ahead of UTC, seconds. */
function clockOffset({ timeZoneId }: Listing, sec: number): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: timeZoneId, timeZoneName: 'longOffset' }).formatToParts(
    sec * 1000,
  )
  const text = parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
  const [, sign = '+', hours = '0', minutes = '0'] = /GMT([+-])(\d+):(\d+)/.exec(text) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60)
}

/** The first halt of AAPL since 2015, found by its bars: regular minutes of a stock that always trades. */
function firstHalt(): { startSec: number; endSec: number } {
  for (let from = utc('2015-01-02T00:00'); from < LATER; from += 30 * DAY) {
    const minutes = bars({ of: AAPL, size: '1 min', kind: 'TRADES', from, to: from + 30 * DAY, rth: true })
    for (const [i, { timeSec }] of minutes.entries()) {
      const next = minutes[i + 1]?.timeSec ?? timeSec
      if (next - timeSec > 60 && next - timeSec < 3600) return { startSec: timeSec + 60, endSec: next }
    }
  }
  throw new Error('AAPL was never halted.')
}

describe('halts', () => {
  it('are rare, of whole minutes, and within regular hours', () => {
    let halts = 0
    for (let day = 0; day < 40_000; day++) {
      const segment = { startSec: day * DAY, endSec: day * DAY + 390 * 60, regular: true }
      expect(haltOf(7, { ...segment, regular: false })).toBeUndefined()
      const halt = haltOf(7, segment)
      if (!halt) continue
      halts++
      expect(halt.startSec % 60).toBe(0)
      expect(halt.startSec).toBeGreaterThan(segment.startSec)
      expect(halt.endSec).toBeLessThan(segment.endSec)
      expect(halt.endSec - halt.startSec).toBeGreaterThanOrEqual(300)
    }
    expect(halts).toBeGreaterThan(60)
    expect(halts).toBeLessThan(140)
  })
})

describe('quotes', () => {
  it('have the extremes of the bars of bid, ask and mid', () => {
    fc.assert(
      fc.property(anyMinute('BID'), ({ of, at, rth }) => {
        const query = ask(of, at, at + 60, rth)
        const quotes = market.quotes(query)
        const [bid, asked, mid] = (['BID', 'ASK', 'MIDPOINT'] as const).map(
          (kind) => bars({ of, size: '1 min', kind, from: at, to: at + 60, rth })[0],
        )
        if (!bid) {
          expect(quotes).toEqual([])
          return
        }
        const bids = quotes.map((one) => one.bid)
        const asks = quotes.map((one) => one.ask)
        const mids = market.midpoints(query).map(({ price }) => price)
        expect([bids[0], Math.max(...bids), Math.min(...bids), bids.at(-1)]).toEqual([
          bid.open,
          bid.high,
          bid.low,
          bid.close,
        ])
        expect([Math.max(...asks), Math.min(...asks)]).toEqual([asked?.high, asked?.low])
        expect([mids[0], Math.max(...mids), Math.min(...mids), mids.at(-1)]).toEqual([
          mid?.open,
          mid?.high,
          mid?.low,
          mid?.close,
        ])
        for (const quote of quotes) {
          expect(quote.ask).toBeGreaterThan(quote.bid)
          expect(Math.min(quote.bidSize, quote.askSize)).toBeGreaterThan(0)
        }
      }),
      runs,
    )
  })

  it('say where the session makes a new high or low, and nowhere else', () => {
    const at = utc('2024-10-02T13:30')
    const quotes = market.quotes(ask(AAPL, at, at + 23_400, true))
    let [high, low] = [0, Number.POSITIVE_INFINITY]
    const before = market.midpoints(ask(AAPL, utc('2024-10-02T08:00'), at))
    for (const { price } of before) [high, low] = [Math.max(high, price), Math.min(low, price)]
    for (const { bid, ask: asked, askPastHigh, bidPastLow } of quotes) {
      const mid = (bid + asked) / 2
      if (askPastHigh) expect(mid).toBeGreaterThan(high - 0.0051)
      if (bidPastLow) expect(mid).toBeLessThan(low + 0.0051)
      ;[high, low] = [Math.max(high, mid), Math.min(low, mid)]
    }
    expect(quotes.filter(({ askPastHigh, bidPastLow }) => askPastHigh || bidPastLow).length).toBeGreaterThan(5)
  })
})

describe('all ticks', () => {
  it('are the same wherever a window is cut, in order, and none is from after now', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(anyMinute('MIDPOINT'), part, ({ of, at, rth }, where) => {
        const cut = at + Math.floor(1800 * where)
        for (const kind of ['trades', 'quotes', 'midpoints'] as const) {
          if (kind === 'trades' && !market.offers(of, 'TRADES')) continue
          const whole = market[kind](ask(of, at, at + 1800, rth))
          const cuts = [...market[kind](ask(of, at, cut, rth)), ...market[kind](ask(of, cut, at + 1800, rth))]
          expect(times(cuts)).toEqual(times(whole))
          if (kind === 'trades') expect(cuts).toEqual(whole)
          expect(times(market[kind](ask(of, at, at + 1800, rth, cut)))).toEqual(times(whole).filter((sec) => sec < cut))
          expect(times(whole)).toEqual(times(whole).toSorted((a, b) => a - b))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('come by the hundred thousand in a second', () => {
    const started = performance.now()
    let count = 0
    for (let day = 0; count < 300_000; day++) {
      const at = utc('2024-09-02T13:30') + day * DAY
      count += market.trades(ask(AAPL, at, at + 23_400)).length + market.quotes(ask(AAPL, at, at + 23_400)).length
    }
    expect(count / ((performance.now() - started) / 1000)).toBeGreaterThan(100_000)
  })
})

const times = (ticks: readonly { timeSec: number }[]): number[] => ticks.map(({ timeSec }) => timeSec)
