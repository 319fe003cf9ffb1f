import { type Contract, EventName, IBApi, SecType } from '@stoqey/ib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { market, NOW_SEC } from './wire-market.ts'

const AAPL: Contract = { symbol: 'AAPL', secType: SecType.STK, exchange: 'SMART', currency: 'USD' }
const EUR: Contract = { symbol: 'EUR', secType: SecType.CASH, exchange: 'IDEALPRO', currency: 'USD' }

let simulator: Simulator
let api: IBApi
beforeAll(async () => {
  simulator = await startServer(market, { now: () => NOW_SEC * 1000 })
  api = await connected(1)
})
afterAll(async () => {
  api.disconnect()
  await simulator.close()
})

async function connected(clientId: number): Promise<IBApi> {
  const ib = new IBApi({ port: simulator.port, clientId, maxReqPerSec: 1000 })
  const ready = new Promise((resolve) => ib.once(EventName.nextValidId, resolve))
  ib.connect()
  await ready
  return ib
}

let reqId = 0
/** The code and text of the next error about this request. */
const failure = (id: number): Promise<[code: number, text: string]> =>
  new Promise((resolve) => {
    const listen = (error: Error, code: number, about: number) => {
      if (about !== id) return
      api.off(EventName.error, listen)
      resolve([code, error.message])
    }
    api.on(EventName.error, listen)
  })

/** The bars' dates and closes of one historical request. */
function bars(contract: Contract, duration: string, size: string, what: string): Promise<[string, number][]> {
  const id = ++reqId
  return new Promise((resolve) => {
    const seen: [string, number][] = []
    const listen = (about: number, date: string, _o: number, _h: number, _l: number, close: number) => {
      if (about !== id) return
      if (!date.startsWith('finished-')) {
        seen.push([date, close])
        return
      }
      api.off(EventName.historicalData, listen)
      resolve(seen)
    }
    api.on(EventName.historicalData, listen)
    api.reqHistoricalData(id, contract, '', duration, size as never, what as never, 1, 2, false)
  })
}

describe('@stoqey/ib, unmodified', () => {
  it('gets contract details', async () => {
    const details = new Promise((resolve) => api.once(EventName.contractDetails, (_id, found) => resolve(found)))
    const end = new Promise((resolve) => api.once(EventName.contractDetailsEnd, resolve))
    api.reqContractDetails(++reqId, AAPL)
    expect(await details).toMatchObject({
      contract: { conId: 1, symbol: 'AAPL', exchange: 'SMART', primaryExch: 'NASDAQ', currency: 'USD' },
      minTick: 0.01,
      timeZoneId: 'US/Eastern',
      longName: 'APPLE INC',
      secIdList: [{ tag: 'ISIN', value: 'US0378331005' }],
      stockType: 'COMMON',
      minSize: 0.0001,
    })
    expect(await end).toBe(reqId)
  })

  it.each([
    ['1 D', '1 min', 270],
    ['1800 S', '5 secs', 360],
    ['2 D', '1 hour', 12],
    ['5 D', '1 day', 5],
  ])('gets %s of %s', async (duration, size, count) => {
    const seen = await bars(AAPL, duration, size, 'TRADES')
    expect(seen).toHaveLength(count)
    const truth = simulator.truth({
      contract: { symbol: 'AAPL' },
      barSize: size,
      whatToShow: 'TRADES',
      useRTH: true,
      startSec: NOW_SEC - 30 * 86_400,
      endSec: NOW_SEC,
    })
    const closes = new Map(truth.map((bar) => [bar.timeSec, bar.close]))
    for (const [date, close] of seen.slice(0, -1)) {
      const sec =
        size === '1 day' ? Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`) / 1000 : Number(date)
      expect(closes.get(sec)).toBe(close)
    }
  })

  it('gets prices that have no volume', async () => {
    expect(await bars(EUR, '300 S', '1 min', 'MIDPOINT')).toHaveLength(5)
  })

  it('gets a head timestamp', async () => {
    const head = new Promise((resolve) => api.once(EventName.headTimestamp, (_id, text) => resolve(text)))
    api.reqHeadTimestamp(++reqId, AAPL, 'TRADES', true, 1)
    expect(await head).toBe('20200102-14:30:00')
    api.cancelHeadTimestamp(reqId)
  })

  it('gets a schedule', async () => {
    const schedule = new Promise<unknown[]>((resolve) =>
      api.once(EventName.historicalSchedule, (...all: unknown[]) => resolve(all)),
    )
    api.reqHistoricalData(++reqId, AAPL, '', '1 D', '1 day' as never, 'SCHEDULE' as never, 1, 1, false)
    expect((await schedule).slice(1)).toEqual([
      '20260408-09:30:00',
      '20260408-16:00:00',
      'US/Eastern',
      [{ startDateTime: '20260408-09:30:00', endDateTime: '20260408-16:00:00', refDate: '20260408' }],
    ])
  })

  it('hears errors 200, 321 and 162', async () => {
    const unknown = failure(++reqId)
    api.reqContractDetails(reqId, { ...AAPL, symbol: 'NOPE' })
    expect((await unknown)[0]).toBe(200)
    const badSize = failure(++reqId)
    api.reqHistoricalData(reqId, AAPL, '', '1 D', '1 sec' as never, 'TRADES' as never, 1, 2, false)
    expect((await badSize)[0]).toBe(321)
    const noTrades = failure(++reqId)
    api.reqHistoricalData(reqId, EUR, '', '1 D', '1 min' as never, 'TRADES' as never, 1, 2, false)
    expect(await noTrades).toEqual([162, expect.stringContaining('EUR/CASH@IDEALPRO Last 60')])
  })

  it('hears 326 where another client has the id', async () => {
    const second = new IBApi({ port: simulator.port, clientId: 1 })
    const code = new Promise((resolve) =>
      second.on(EventName.info, (_text: string, about: number) => {
        if (about === 326) resolve(about)
      }),
    )
    const gone = new Promise((resolve) => second.once(EventName.disconnected, () => resolve(true)))
    second.connect()
    expect(await code).toBe(326)
    expect(await gone).toBe(true)
  })
})
