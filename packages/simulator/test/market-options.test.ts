import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ContractQuery, Listing, PriceKind } from '../src/market/types.ts'
import { ANY, bars, DAY, listing, market, utc } from './market-fixture.ts'

const NOW = utc('2026-11-24T15:00')
const AAPL = listing({ symbol: 'AAPL', secType: 'STK' })
const SPX = listing({ symbol: 'SPX', secType: 'IND' })
const ESZ6 = listing({ secType: 'FUT', tradingClass: 'ES', lastTradeDateOrContractMonth: '202612' })

const find = (query: Partial<ContractQuery>, nowSec = NOW): readonly Listing[] =>
  market.find({ ...ANY, ...query }, nowSec)
const priceOf = (of: Listing): number =>
  bars({ of, size: '1 day', kind: 'TRADES', from: NOW - 5 * DAY, to: NOW, now: NOW }).at(-1)?.close ?? 0

describe('option chains', () => {
  it('of a stock: each exchange, weeks and months ahead, strikes around its price', () => {
    const chains = market.chains(AAPL, NOW)
    expect(chains.map(({ exchange, tradingClass }) => `${exchange} ${tradingClass}`)).toEqual(
      ['SMART', 'CBOE', 'AMEX', 'ISE', 'PHLX'].map((exchange) => `${exchange} AAPL`),
    )
    const [{ expirations = [], strikes = [], underConId, multiplier } = {}] = chains
    expect([underConId, multiplier]).toEqual([265598, '100'])
    // The day after Thanksgiving is one, and Christmas 2026, a Friday, gives way to the day before.
    expect(expirations.slice(0, 5)).toEqual(['20261127', '20261204', '20261211', '20261218', '20261224'])
    expect(expirations.at(-1)).toBe('20271119')
    const price = priceOf(AAPL)
    expect(strikes[0]).toBeLessThan(price * 0.9)
    expect(strikes.at(-1)).toBeGreaterThan(price * 1.1)
    expect(strikes).toEqual(strikes.toSorted((a, b) => a - b))
  })

  it('of an index: months and weeks have classes of their own', () => {
    const classes = new Map(market.chains(SPX, NOW).map((chain) => [chain.tradingClass, chain.expirations]))
    expect([...classes.keys()].toSorted()).toEqual(['SPX', 'SPXW'])
    expect(classes.get('SPX')?.[0]).toBe('20261218')
    expect(classes.get('SPXW')?.[0]).toBe('20261127')
  })

  it('of a future: what ends with it or before', () => {
    const chains = market.chains(ESZ6, NOW)
    expect(chains.map((chain) => [chain.exchange, chain.tradingClass, chain.expirations.join()])).toEqual([
      ['CME', 'EW4', '20261127'],
      ['CME', 'EW1', '20261204'],
      ['CME', 'EW2', '20261211'],
      ['CME', 'ES', '20261218'],
    ])
  })

  it('of what has no options: none', () => {
    expect(market.chains(listing({ symbol: 'MSFT', secType: 'STK' }), NOW)).toEqual([])
  })

  it('names what can be found, and nothing else', () => {
    for (const under of [AAPL, SPX, ESZ6]) {
      const chains = market.chains(under, NOW)
      const wanted = new Set<string>()
      for (const { tradingClass, expirations } of chains)
        for (const date of expirations) wanted.add(`${tradingClass} ${date}`)
      const secType = under.secType === 'FUT' ? 'FOP' : 'OPT'
      const found = find({ symbol: under.symbol, secType }).filter(({ underConId }) => underConId === under.conId)
      expect(new Set(found.map((one) => `${one.tradingClass} ${one.lastTradeDate}`))).toEqual(wanted)
      const strikes = new Set(chains.flatMap((chain) => chain.strikes))
      expect(found.every(({ strike }) => strikes.has(strike))).toBe(true)
    }
  })
})

describe('options', () => {
  it('have the local symbols of their venues', () => {
    const [stock, ...others] = find({
      symbol: 'AAPL',
      secType: 'OPT',
      lastTradeDateOrContractMonth: '20261218',
      strike: 300,
      right: 'C',
    })
    expect(others).toEqual([])
    expect(stock).toMatchObject({
      localSymbol: 'AAPL  261218C00300000',
      tradingClass: 'AAPL',
      multiplier: '100',
      underConId: 265598,
      underSymbol: 'AAPL',
      underSecType: 'STK',
      contractMonth: '202612',
    })
    const [future] = find({ symbol: 'ES', secType: 'FOP', tradingClass: 'EW2', right: 'P' })
    expect(future?.localSymbol).toMatch(/^EW2Z6 P\d{4}$/)
    expect(future).toMatchObject({ underSymbol: 'ESZ6', underSecType: 'FUT', underConId: ESZ6.conId, multiplier: '50' })
    expect(find({ secType: 'OPT', localSymbol: 'AAPL  261218C00300000' })).toEqual([stock])
  })

  it('are found by their ids, while they trade', () => {
    const all = [...find({ symbol: 'SPY', secType: 'OPT' }), ...find({ symbol: 'ES', secType: 'FOP' })]
    expect(new Set(all.map(({ conId }) => conId)).size).toBe(all.length)
    for (const one of all.filter((_, i) => i % 97 === 0)) {
      expect(find({ conId: one.conId })).toEqual([one])
      expect(find({ conId: one.conId }, one.endSec)).toEqual([])
      expect(find({ conId: one.conId }, one.headSec - 1)).toEqual([])
    }
    expect(find({ conId: 2_147_483_647 })).toEqual([])
  })

  it('need the clock to be found', () => {
    expect(market.find({ ...ANY, symbol: 'AAPL', secType: 'OPT' })).toEqual([])
  })

  it('cost what they are worth, and more with time: trades between bid and ask, in quiet minutes none', () => {
    const options = find({ symbol: 'AAPL', secType: 'OPT' })
    const dayStart = utc('2026-11-23T14:30')
    const price = priceOf(AAPL)
    fc.assert(
      fc.property(fc.constantFrom(...options), (of) => {
        if (of.headSec > dayStart) return
        const ask = { of, size: '1 min', from: dayStart, to: dayStart + 23_400, now: NOW, rth: true }
        const [bid = [], asked = [], mid = [], trades = []] = (['BID', 'ASK', 'MIDPOINT', 'TRADES'] as PriceKind[]).map(
          (kind) => bars({ ...ask, kind }),
        )
        expect(bid).toHaveLength(390)
        expect(trades.length).toBeLessThan(280)
        const inner = of.right === 'C' ? price - of.strike : of.strike - price
        expect(mid.at(-1)?.close).toBeGreaterThan(Math.max(inner - price * 0.05, 0))
        expect(mid.at(-1)?.close).toBeLessThan(Math.max(inner, 0) + price * 0.2)
        for (const trade of trades) {
          const minute = (trade.timeSec - dayStart) / 60
          expect(trade.low).toBeGreaterThanOrEqual((bid[minute]?.low ?? 0) - 1e-9)
          expect(trade.high).toBeLessThanOrEqual((asked[minute]?.high ?? 0) + 1e-9)
        }
        expect(mid.map(({ volume }) => volume)).toEqual(mid.map(() => -1))
      }),
      { numRuns: 25 },
    )
  })
})
