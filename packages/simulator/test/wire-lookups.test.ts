import { DurationUnit, EventName, SecType } from '@stoqey/ib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { bars, DAY, listing, market, utc } from './market-fixture.ts'
import { connected, next } from './stoqey.ts'
import { contract, history, RawClient } from './wire-client.ts'

/** Tuesday, 10:00 in New York. */
const NOW = utc('2026-11-24T15:00')
const TREASURY = listing({ symbol: 'US-T', secType: 'BOND' })
const BOND = contract('US-T', 'BOND', 'SMART', { currency: 'USD' })
const AAPL = contract('AAPL', 'STK', 'SMART', { currency: 'USD' })

let simulator: Simulator
beforeAll(async () => {
  simulator = await startServer(market, { now: () => NOW * 1000 })
})
afterAll(() => simulator.close())

let clientId = 10
async function withClient<T>(version: number, use: (client: RawClient) => Promise<T>): Promise<T> {
  const client = await RawClient.start(simulator.port, version, clientId++)
  try {
    return await use(client)
  } finally {
    client.end()
  }
}

describe('a bond', () => {
  it.each([163, 164, 187, 188, 200])('has details of its own kind (18), in version %i', async (version) => {
    const [message = [], end] = await withClient(version, (client) => {
      client.send(9, 8, 5, ...BOND, '', '', ...(version >= 176 ? [''] : []))
      return client.next(2)
    })
    expect(end).toEqual(['52', '1', '5'])
    const old = version < 164
    const today = '20261124:0930-20261124:1600;20261125:0930-20261125:1600;20261126:CLOSED;20261127:0930-20261127:1300'
    const hours = `${today};20261128:CLOSED;20261129:CLOSED`
    expect(message).toEqual([
      ...[
        '18',
        ...(old ? ['6'] : []),
        '5',
        'US-T',
        'BOND',
        '91282CLW9',
        '4.25',
        '20341115',
        '20241115',
        'Aaa',
        'GOVERNMENT',
      ],
      ...[
        'FIXED',
        '0',
        '0',
        '0',
        'US-T 4 1/4 11/15/34',
        'SMART',
        'USD',
        'US-T',
        'US-T',
        String(TREASURY.conId),
        '0.015625',
      ],
      ...(old ? ['1'] : []),
      ...['ACTIVETIM,ADJUST,ALERT,ALLOC,DAY,GTC,LMT,MKT,STP,STPLMT,WHATIF', 'SMART,IBUST', '', '', '0', ''],
      'UNITED STATES TREASURY',
      ...(version >= 188 ? ['US/Eastern', hours, hours] : []),
      ...['', '', '1', 'CUSIP', '91282CLW9', '1', '135,135'],
      ...(old ? [] : ['1', '1', '1']),
    ])
  })

  it('has bars of trades and quotes, all without volume', async () => {
    await withClient(193, async (client) => {
      for (const [id, what] of ['TRADES', 'MIDPOINT', 'BID_ASK'].entries()) {
        client.send(...history(id, { of: BOND, what }))
        const [, , , , count, , open, , , , ...rest] = await client.one()
        expect(Number(count)).toBe(30)
        expect(Number(open)).toBeGreaterThan(50)
        expect(rest.slice(0, 3)).toEqual(['-1', '-1', '-1'])
      }
    })
  })
})

describe('market rules', () => {
  it('are named by the details, an exchange each, and answered in steps', async () => {
    await withClient(193, async (client) => {
      client.send(9, 8, 1, ...AAPL, '', '', '')
      const [details = []] = await client.next(2)
      expect(details).toContain(Array.from({ length: 8 }, () => '26').join(','))
      client.send(91, 26)
      expect(await client.one()).toEqual(['93', '26', '1', '0', '0.01'])
      client.send(91, 4711)
      expect((await client.one()).slice(0, 4)).toEqual(['4', '2', '-1', '321'])
    })
  })
})

describe('a histogram', () => {
  it('has the volume at each price, the cheapest first', async () => {
    await withClient(193, async (client) => {
      client.send(88, 3, ...AAPL, 1, '2 days')
      const [id, reqId, count, ...rows] = await client.one()
      expect([id, reqId, rows.length]).toEqual(['89', '3', 2 * Number(count)])
      const prices = rows.filter((_, i) => i % 2 === 0).map(Number)
      expect(prices).toEqual(prices.toSorted((a, b) => a - b))
      const aapl = listing({ symbol: 'AAPL', secType: 'STK' })
      const minutes = bars({
        of: aapl,
        size: '1 min',
        kind: 'TRADES',
        from: NOW - DAY - 3600,
        to: NOW,
        rth: true,
        now: NOW,
      })
      expect(rows.filter((_, i) => i % 2 === 1).reduce((sum, volume) => sum + Number(volume), 0)).toBe(
        minutes.reduce((sum, { volume }) => sum + volume, 0),
      )
    })
  })

  it.each([
    ['3 fortnights', AAPL, '321'],
    ['2 years', AAPL, '321'],
    ['3 days', contract('NOPE', 'STK', 'SMART'), '200'],
    ['3 days', contract('EUR', 'CASH', 'IDEALPRO', { currency: 'USD' }), '162'],
  ])('of %s is refused', async (period, of, code) => {
    await withClient(193, async (client) => {
      client.send(88, 4, ...of, 1, period)
      expect((await client.one()).slice(2, 4)).toEqual(['4', code])
    })
  })
})

describe('rates and adjusted prices', () => {
  it.each<[string, (string | number)[], string, string]>([
    ['HISTORICAL_VOLATILITY', AAPL, '1 day', '5 D'],
    ['OPTION_IMPLIED_VOLATILITY', contract('SPX', 'IND', 'CBOE', { currency: 'USD' }), '1 hour', '5 D'],
    ['FEE_RATE', AAPL, '1 day', '1 M'],
    ['ADJUSTED_LAST', AAPL, '1 day', '1 Y'],
  ])('%s', async (what, of, size, duration) => {
    await withClient(193, async (client) => {
      client.send(...history(6, { of, what, size, duration }))
      const [id, , , , count] = await client.one()
      expect(id).toBe('17')
      expect(Number(count)).toBeGreaterThanOrEqual(5)
      client.send(...history(7, { of, what, size, duration, end: '20261120-20:00:00' }))
      const answer = await client.one()
      expect(answer[0] === '4' ? answer[3] : answer[0]).toBe(what === 'ADJUSTED_LAST' ? '321' : '17')
      const fx = contract('EUR', 'CASH', 'IDEALPRO', { currency: 'USD' })
      client.send(...history(8, { of: fx, what, size, duration }))
      expect((await client.one()).slice(2, 4)).toEqual(['8', '162'])
    })
  })
})

describe('@stoqey/ib, unmodified', () => {
  it('reads bonds, rules and histograms', async () => {
    const api = await connected(simulator)
    try {
      const bond = next(api, EventName.bondContractDetails)
      api.reqContractDetails(1, { symbol: 'US-T', secType: SecType.BOND, exchange: 'SMART', currency: 'USD' })
      expect((await bond)[1]).toMatchObject({
        contract: { symbol: 'US-T', conId: TREASURY.conId, tradingClass: 'US-T' },
        ...{ cusip: '91282CLW9', coupon: 4.25, maturity: '20341115', minTick: 0.015625, marketRuleIds: '135,135' },
        ...{
          longName: 'UNITED STATES TREASURY',
          timeZoneId: 'US/Eastern',
          secIdList: [{ tag: 'CUSIP', value: '91282CLW9' }],
        },
      })
      const rule = next(api, EventName.marketRule)
      api.reqMarketRule(26)
      expect(await rule).toEqual([26, [{ lowEdge: 0, increment: 0.01 }]])
      const histogram = next(api, EventName.histogramData)
      const apple = { symbol: 'AAPL', secType: SecType.STK, exchange: 'SMART', currency: 'USD' }
      api.reqHistogramData(2, apple, true, 3, DurationUnit.DAY)
      const [, items] = await histogram
      expect((items as unknown[]).length).toBeGreaterThan(20)
      expect((items as unknown[])[0]).toEqual({ price: expect.any(Number), size: expect.any(Number) })
      const found = next(api, EventName.symbolSamples)
      api.reqMatchingSymbols(3, 'AAPL')
      expect((await found)[1]).toMatchObject([
        { contract: { symbol: 'AAPL', conId: 265598 }, derivativeSecTypes: ['OPT'] },
      ])
    } finally {
      api.disconnect()
    }
  })
})
