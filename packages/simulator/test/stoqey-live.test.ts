import { EventName, type IBApi, MarketDataType, TickByTickDataType } from '@stoqey/ib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { createHand, type Hand } from './hand.ts'
import { AAPL, connected, EUR, next } from './stoqey.ts'
import { market, NOW_SEC } from './wire-market.ts'

let hand: Hand
let simulator: Simulator
let api: IBApi
beforeEach(async () => {
  hand = createHand(NOW_SEC)
  simulator = await startServer(market, { now: hand.now, pulse: hand.pulse })
  api = await connected(simulator)
})
afterEach(async () => {
  api.disconnect()
  await simulator.close()
})

/** Resolves when the gateway has read all that was sent so far. */
async function arrived(): Promise<void> {
  const time = next(api, EventName.currentTime)
  api.reqCurrentTime()
  await time
}

describe('@stoqey/ib, unmodified, gets live data', () => {
  it('bars of five seconds', async () => {
    api.reqRealTimeBars(1, AAPL, 5, 'TRADES' as never, true)
    await arrived()
    const bar = next(api, EventName.realtimeBar)
    hand.pass(5)
    const [id, time, open, high] = await bar
    expect([id, time]).toEqual([1, NOW_SEC])
    expect(high).toBe(Number(open) + 1)
    api.cancelRealTimeBars(1)
    await arrived()
    expect(hand.listeners()).toBe(0)
  })

  it('history kept up to date', async () => {
    const updates: unknown[][] = []
    api.on(EventName.historicalDataUpdate, (...all: unknown[]) => updates.push(all))
    const ended = new Promise((resolve) => {
      api.on(EventName.historicalData, (_id, date) => date.startsWith('finished') && resolve(date))
    })
    api.reqHistoricalData(2, AAPL, '', '60 S', '5 secs' as never, 'TRADES' as never, 1, 2, true)
    await ended
    hand.pass(10)
    await arrived()
    expect(updates.map(([id, date]) => [id, date])).toEqual([
      [2, String(NOW_SEC)],
      [2, String(NOW_SEC + 5)],
    ])
    const [, , open, high, low, close] = updates[0] ?? []
    expect([high, low]).toEqual([Number(open) + 1, 1e-7])
    expect(close).toBeCloseTo(Number(open) + 0.3, 9)
  })

  it('ticks one by one', async () => {
    api.reqTickByTickData(3, AAPL, TickByTickDataType.AllLast, 0, false)
    api.reqTickByTickData(4, EUR, TickByTickDataType.MidPoint, 0, false)
    api.reqTickByTickData(5, AAPL, TickByTickDataType.BidAsk, 0, false)
    await arrived()
    const [trade, mid, quote] = [
      EventName.tickByTickAllLast,
      EventName.tickByTickMidPoint,
      EventName.tickByTickBidAsk,
    ].map((event) => next(api, event))
    hand.pass(1)
    expect(await trade).toEqual([3, 2, String(NOW_SEC), 0, 0, { pastLimit: true, unreported: false }, 'NASDAQ', ''])
    expect(await mid).toEqual([4, String(NOW_SEC), 1.1])
    expect((await quote)?.at(-1)).toEqual({ bidPastLow: false, askPastHigh: NOW_SEC % 4 === 0 })
  })

  it('quotes, whose smallest step it cannot read', async () => {
    const told = Promise.all([
      next(api, EventName.tickReqParams),
      next(api, EventName.marketDataType),
      next(api, EventName.tickPrice),
      next(api, EventName.tickString),
      next(api, EventName.tickSnapshotEnd),
    ])
    api.reqMktData(6, AAPL, '', true, false)
    const [params, type, price, stamp, end] = await told
    expect(params).toEqual([6, 0, '9c0001', 3])
    expect(type).toEqual([6, MarketDataType.REALTIME])
    expect(price.slice(0, 2)).toEqual([6, 9])
    expect(stamp).toEqual([6, 45, String(NOW_SEC - 1)])
    expect(end).toEqual([6])
  })

  it('generic ticks, and whether a stock is halted', async () => {
    const numbers: unknown[][] = []
    const texts: unknown[][] = []
    api.on(EventName.tickGeneric, (...all: unknown[]) => numbers.push(all))
    api.on(EventName.tickString, (...all: unknown[]) => texts.push(all))
    api.reqMktData(8, AAPL, '233,236,293', false, false)
    await arrived()
    expect(numbers.slice(0, 2)).toEqual([
      [8, 49, 0],
      [8, 46, 3],
    ])
    expect(numbers[2]?.slice(0, 2)).toEqual([8, 54])
    expect(texts.at(-1)).toEqual([8, 48, expect.stringMatching(/^256\.20;102;\d{13};\d+;[\d.]+;true$/)])
  })

  it('delayed quotes, announced', async () => {
    simulator.faults.unsubscribed = ['AAPL']
    api.reqMarketDataType(MarketDataType.DELAYED)
    const told = Promise.all([next(api, EventName.error), next(api, EventName.marketDataType)])
    api.reqMktData(7, AAPL, '', false, false)
    const [notice, type] = await told
    expect(notice.slice(1, 3)).toEqual([10167, 7])
    expect(type).toEqual([7, MarketDataType.DELAYED])
  })
})
