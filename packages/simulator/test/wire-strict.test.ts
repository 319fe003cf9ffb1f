import { describe, expect, it } from 'vitest'
import { AAPL, codes, FX, marketData, realTime, tickByTick, useLive } from './live.ts'
import { market as real } from './market-fixture.ts'
import { contract, history, RawClient } from './wire-client.ts'

/** What IBKR refuses and a gateway that only looks like one might let pass. */

const live = useLive()
const { sent } = live

const BAD_TYPE = "321 Error validating request.-'bK' : cause - Please enter a valid security type"
const CONTFUT = contract('ES', 'CONTFUT', 'CME')
const head = (id: number, of: (string | number)[], format: number) => [87, id, ...of, 1, 'TRADES', format]
const whole = (of: (string | number)[]) => [...of, 0]

describe('a type of security', () => {
  it.each([
    ['none', contract('AAPL', '', 'SMART')],
    ['one that is none', contract('AAPL', 'STOCK', 'SMART')],
    ['one that is none, with an id', contract('', 'ETF', 'SMART', { conId: 1 })],
  ])('%s: refused for details and data', async (_name, of) => {
    const live = of.slice(0, 12)
    const asked = [[9, 8, 1, ...of, '', ''], history(2, { of }), head(3, of, 1), marketData(4, live)]
    expect(codes(await sent(...asked))).toEqual([1, 2, 3, 4].map((id) => `${id} ${BAD_TYPE}`))
  })

  it('may be left out beside an id, and be one that is not listed here', async () => {
    const byId = contract('', '', 'SMART', { conId: 1 })
    const answers = await sent([9, 8, 1, ...byId, '', ''], history(2, { of: byId, duration: '60 S' }))
    expect(answers.map(([id]) => id)).toEqual(['10', '52', '17'])
    const warrant = contract('AAPL', 'WAR', 'SMART')
    expect(codes(await sent([9, 8, 3, ...warrant, '', '']))).toEqual([expect.stringMatching(/^3 200 /)])
  })

  it('of a continuous future is none for live data', async () => {
    const of = CONTFUT.slice(0, 12)
    const answers = await sent(marketData(1, of), realTime(2, 'TRADES', of), tickByTick(3, 'Last', 0, 0, of))
    expect(codes(answers)).toEqual([1, 2, 3].map((id) => `${id} ${BAD_TYPE}`))
  })
})

describe('a continuous future', () => {
  it('takes no end, by whatever it is named, nor for its schedule', async () => {
    const end = '20260407-20:00:00'
    const byId = contract('', '', 'CME', { conId: 6 })
    const schedule = { what: 'SCHEDULE', size: '1 day', duration: '2 D' }
    const asked = [history(1, { of: byId, end }), history(2, { of: CONTFUT, end, ...schedule })]
    expect(codes(await sent(...asked))).toEqual([
      expect.stringMatching(/^1 10339 Setting end date/),
      expect.stringMatching(/^2 10339 Setting end date/),
    ])
    expect((await sent(history(3, { of: CONTFUT, ...schedule }))).map(([id]) => id)).toEqual(['106'])
  })
})

describe('what nobody subscribed to', () => {
  it('has no head timestamp and no histogram', async () => {
    live.simulator.faults.unsubscribed = ['AAPL']
    const text = '162 Historical Market Data Service error message:No market data permissions for NASDAQ STK'
    const asked = [head(1, whole(AAPL), 1), [88, 2, ...whole(AAPL), 1, '3 days']]
    expect(codes(await sent(...asked))).toEqual([`1 ${text}`, `2 ${text}`])
  })
})

describe('a head timestamp', () => {
  it('is printed in two forms and no third', async () => {
    const answers = await sent(head(1, whole(AAPL), 1), head(2, whole(AAPL), 2), head(3, whole(AAPL), 3))
    expect(answers.map(([id]) => id)).toEqual(['88', '88', '4'])
    expect(codes(answers.slice(2))).toEqual([expect.stringMatching(/^3 321 .*Format date/)])
  })
})

describe('market data lines', () => {
  it('are a hundred for quotes and live bars of all clients together', async () => {
    const quotes = Array.from({ length: 60 }, (_, i) => marketData(i, FX))
    const bars = Array.from({ length: 40 }, (_, i) => realTime(i, 'MIDPOINT', FX))
    expect((await sent(...quotes, ...bars)).filter(([id]) => id === '4')).toEqual([])
    const full = '101 Max number of tickers has been reached'
    expect(codes(await sent(marketData(100, FX), realTime(101)))).toEqual([`100 ${full}`, `101 ${full}`])
    const other = await RawClient.start(live.simulator.port, 193, 2)
    other.send(...marketData(5))
    expect(codes([await other.one()])).toEqual([`5 ${full}`])
    await sent([2, 1, 0])
    other.send(...marketData(5))
    expect((await other.one())[0]).toBe('58')
  })
})

describe('tick by tick', () => {
  it('there is nothing of indices outside CME, nor of options', async () => {
    const at = Date.UTC(2026, 10, 24, 15) / 1000
    await live.restart(real, at)
    const spx = contract('SPX', 'IND', 'CBOE', { currency: 'USD' })
    const option = contract('AAPL', 'OPT', 'SMART', { month: '20261218', currency: 'USD' })
    const call = option.with(4, '300.0').with(5, 'C')
    const asked = [tickByTick(1, 'Last', 0, 0, spx.slice(0, 12)), tickByTick(2, 'BidAsk', 0, 0, call.slice(0, 12))]
    expect(codes(await sent(...asked))).toEqual([
      '1 10189 Failed to request tick-by-tick data.Last tick-by-tick requests are not supported for SPX.',
      '2 10189 Failed to request tick-by-tick data.BidAsk tick-by-tick requests are not supported for AAPL.',
    ])
    // History has them all the same.
    const past = await sent([96, 3, ...call, '', '20261123-20:00:00', 1, 'BID_ASK', 1, 0, ''])
    expect(past.map(([id]) => id)).toEqual(['97'])
  })
})
