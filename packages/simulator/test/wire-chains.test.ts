import { EventName, OptionType, SecType } from '@stoqey/ib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { market as real, utc } from './market-fixture.ts'
import { connected, next } from './stoqey.ts'
import { contract, history, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

describe('message 78', () => {
  let simulator: Simulator
  let client: RawClient
  beforeAll(async () => {
    simulator = await startServer(market, { now: () => NOW_SEC * 1000 })
    client = await RawClient.start(simulator.port, 193)
  })
  afterAll(() => simulator.close())

  it('gets a message for each exchange and class: expirations and strikes counted; then the end', async () => {
    client.send(78, 5, 'AAPL', '', 'STK', 1)
    const rest = ['1', 'AAPL', '100', '2', '20260410', '20260417', '3', '250', '252.5', '255']
    expect(await client.next(3)).toEqual([
      ['75', '5', 'SMART', ...rest],
      ['75', '5', 'CBOE', ...rest],
      ['76', '5'],
    ])
  })

  it('gets those of one exchange, or the end alone', async () => {
    client.send(78, 6, 'AAPL', 'CBOE', 'STK', 1)
    expect((await client.next(2)).map(([id, , exchange]) => [id, exchange])).toEqual([
      ['75', 'CBOE'],
      ['76', undefined],
    ])
    client.send(78, 7, 'EUR', '', 'CASH', 2)
    expect(await client.one()).toEqual(['76', '7'])
  })

  it('is refused for an id that is none, or of another symbol', async () => {
    client.send(78, 8, 'AAPL', '', 'STK', 0)
    client.send(78, 9, 'MSFT', '', 'STK', 1)
    expect((await client.next(2)).map(([, , id, code, text]) => `${id} ${code} ${text}`)).toEqual([
      "8 321 Error validating request.-'bK' : cause - Invalid contract id",
      "9 321 Error validating request.-'bK' : cause - Invalid contract id",
    ])
  })
})

describe('options of the real market', () => {
  const NOW = utc('2026-11-24T15:00')
  let simulator: Simulator
  beforeAll(async () => {
    simulator = await startServer(real, { now: () => NOW * 1000 })
  })
  afterAll(() => simulator.close())

  it('reach @stoqey/ib, unmodified: chain, details, bars', async () => {
    const api = await connected(simulator)
    try {
      const chain = next(api, EventName.securityDefinitionOptionParameter)
      const ended = next(api, EventName.securityDefinitionOptionParameterEnd)
      api.reqSecDefOptParams(1, 'AAPL', '', SecType.STK, 265598)
      const [, exchange, underConId, tradingClass, multiplier, expirations, strikes] = await chain
      expect([exchange, underConId, tradingClass, multiplier]).toEqual(['SMART', 265598, 'AAPL', 100])
      expect(await ended).toEqual([1])
      expect(strikes).toContain(300)
      const [lastTradeDateOrContractMonth, strike] = [(expirations as string[])[3], 300]
      const option = {
        ...{ symbol: 'AAPL', secType: SecType.OPT, exchange: 'SMART', currency: 'USD', right: OptionType.Call },
        ...{ lastTradeDateOrContractMonth, strike },
      }
      const details = next(api, EventName.contractDetails)
      api.reqContractDetails(2, option as never)
      const [, found] = await details
      expect(found).toMatchObject({
        contract: {
          secType: 'OPT',
          strike,
          right: 'C',
          multiplier: 100,
          tradingClass: 'AAPL',
          lastTradeDateOrContractMonth,
        },
        underConId: 265598,
        underSymbol: 'AAPL',
        underSecType: 'STK',
        realExpirationDate: lastTradeDateOrContractMonth,
      })
      const bar = next(api, EventName.historicalData)
      api.reqHistoricalData(3, option as never, '', '1800 S', '1 min' as never, 'MIDPOINT' as never, 1, 2, false)
      expect((await bar)[1]).toBe(String(NOW - 1800))
    } finally {
      api.disconnect()
    }
  })

  it('have no history by days, and none once they have expired', async () => {
    const client = await RawClient.start(simulator.port, 193, 2)
    const option = (month: string) => {
      const fields = contract('AAPL', 'OPT', 'SMART', { month, currency: 'USD', expired: 1 })
      return fields.with(4, '300.0').with(5, 'CALL')
    }
    client.send(...history(1, { of: option('20261218'), size: '1 day', duration: '5 D' }))
    client.send(...history(2, { of: option('20261120'), end: '20261119-20:00:00' }))
    client.send(...history(3, { of: option('20261218'), what: 'BID' }))
    const answers = await client.next(3)
    expect(answers.map(([id, , , code]) => (id === '4' ? code : id))).toEqual(['162', '200', '17'])
    client.end()
  })
})
