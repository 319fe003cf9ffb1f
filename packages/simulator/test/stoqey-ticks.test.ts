import { EventName, type IBApi } from '@stoqey/ib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { AAPL, connected, EUR, next } from './stoqey.ts'
import { market, NOW_SEC } from './wire-market.ts'

let simulator: Simulator
let api: IBApi
beforeAll(async () => {
  simulator = await startServer(market, { now: () => NOW_SEC * 1000, pacing: 'lenient' })
  api = await connected(simulator)
})
afterAll(async () => {
  api.disconnect()
  await simulator.close()
})

const START = '20260407-14:00:00'
const FROM = Date.UTC(2026, 3, 7, 14) / 1000

describe('@stoqey/ib, unmodified, gets historical ticks', () => {
  it('of trades', async () => {
    const answer = next(api, EventName.historicalTicksLast)
    api.reqHistoricalTicks(1, AAPL, START, '', 2, 'TRADES', 1, false)
    const [id, ticks, done] = await answer
    expect([id, done]).toEqual([1, true])
    expect(ticks).toEqual([
      {
        time: FROM,
        tickAttribLast: { pastLimit: true, unreported: false },
        price: 0,
        size: 0,
        exchange: 'NASDAQ',
        specialConditions: '',
      },
      {
        time: FROM + 1,
        tickAttribLast: { pastLimit: false, unreported: false },
        price: 254.2,
        size: 100,
        exchange: 'NASDAQ',
        specialConditions: ' F I',
      },
      {
        time: FROM + 1,
        tickAttribLast: { pastLimit: false, unreported: true },
        price: 255.2,
        size: 101,
        exchange: 'NASDAQ',
        specialConditions: '',
      },
    ])
  })

  it('of bid and ask, whose two flags it reads the wrong way round', async () => {
    const answer = next(api, EventName.historicalTicksBidAsk)
    api.reqHistoricalTicks(2, AAPL, START, '', 1, 'BID_ASK', 1, false)
    const [, ticks] = await answer
    expect(ticks).toEqual(
      [100, 300].map((sizeBid) => ({
        time: FROM,
        tickAttribBidAsk: { bidPastLow: true, askPastHigh: false },
        priceBid: 254.75,
        priceAsk: 255,
        sizeBid,
        sizeAsk: 200,
      })),
    )
  })

  it('of the mid price', async () => {
    const answer = next(api, EventName.historicalTicks)
    api.reqHistoricalTicks(3, EUR, START, '', 1, 'MIDPOINT', 1, false)
    expect(await answer).toEqual([3, [{ time: FROM, price: 1.1, size: 0 }], true])
  })

  it('and error 10187 for what has none', async () => {
    const answer = next(api, EventName.error)
    api.reqHistoricalTicks(4, EUR, START, '', 1, 'TRADES', 1, false)
    expect((await answer).slice(1, 3)).toEqual([10187, 4])
  })
})
