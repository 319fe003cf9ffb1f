import { describe, expect, it } from 'vitest'
import { allProducts } from '../src/market/listings/listings.ts'
import type { ContractQuery } from '../src/market/types.ts'
import { resolve } from '../src/wire/resolve.ts'
import { ANY, market, utc } from './market-fixture.ts'

const NOW = utc('2026-11-20T00:00')
const find = (query: Partial<ContractQuery>, now = NOW): string[] =>
  resolve(market, { ...ANY, includeExpired: false, ...query }, now).map(
    (one) => `${one.localSymbol} ${one.secType} ${one.lastTradeDate || one.currency}`,
  )

describe('a query finds', () => {
  it.each<[string, Partial<ContractQuery>, string[]]>([
    ['a stock', { symbol: 'AAPL', secType: 'STK', exchange: 'SMART', currency: 'USD' }, ['AAPL STK USD']],
    ['by conId alone', { conId: 265598 }, ['AAPL STK USD']],
    ['nothing where conId and symbol disagree', { conId: 265598, symbol: 'MSFT' }, []],
    ['by local symbol', { localSymbol: 'EUR.USD', secType: 'CASH', exchange: 'IDEALPRO' }, ['EUR.USD CASH USD']],
    ['a class with a space', { localSymbol: 'BF B', secType: 'STK', exchange: 'SMART' }, ['BF B STK USD']],
    ['by primary exchange', { symbol: 'SPY', secType: 'STK', exchange: 'SMART', primaryExchange: 'ARCA' }, ['SPY STK USD']],
    ['by the old name of NASDAQ', { symbol: 'AAPL', secType: 'STK', primaryExchange: 'ISLAND' }, ['AAPL STK USD']],
    ['nothing at another primary exchange', { symbol: 'AAPL', secType: 'STK', primaryExchange: 'NYSE' }, []],
    ['several where a name is used twice', { symbol: 'VOD', secType: 'STK', exchange: 'SMART' }, ['VOD STK USD', 'VOD STK GBP']],
    ['one of them by currency', { symbol: 'VOD', secType: 'STK', exchange: 'SMART', currency: 'GBP' }, ['VOD STK GBP']],
    ['nothing unknown', { symbol: 'NOPE', secType: 'STK', exchange: 'SMART' }, []],
    ['nothing for an empty query', { secType: 'STK' }, []],
    ['nothing where the exchange does not trade it', { symbol: 'EUR', secType: 'CASH', exchange: 'SMART' }, []],
    ['an index', { symbol: 'SPX', secType: 'IND', exchange: 'CBOE' }, ['SPX IND USD']],
    ['a future by its local symbol, this decade', { localSymbol: 'ESZ6', secType: 'FUT', exchange: 'CME' }, ['ESZ6 FUT 20261218']],
    ['a future by month', { symbol: 'ES', secType: 'FUT', exchange: 'CME', lastTradeDateOrContractMonth: '202703' }, ['ESH7 FUT 20270319']],
    ['a future by day', { symbol: 'ES', secType: 'FUT', exchange: 'CME', lastTradeDateOrContractMonth: '20270319' }, ['ESH7 FUT 20270319']],
    ['a future whose symbol is not its class', { symbol: 'EUR', secType: 'FUT', exchange: 'CME', lastTradeDateOrContractMonth: '202612' }, ['6EZ6 FUT 20261214']],
    ['no expired future', { localSymbol: 'ESH6', secType: 'FUT', exchange: 'CME' }, []],
    ['an expired one when asked', { localSymbol: 'ESH6', secType: 'FUT', exchange: 'CME', includeExpired: true }, ['ESH6 FUT 20260320']],
    ['none expired over two years ago', { localSymbol: 'ESU4', secType: 'FUT', exchange: 'CME', includeExpired: true }, []],
    ['a continuous future', { symbol: 'ES', secType: 'CONTFUT', exchange: 'CME' }, ['ES CONTFUT USD']],
    ['a Eurex future', { symbol: 'ESTX50', tradingClass: 'FESX', secType: 'FUT', exchange: 'EUREX', lastTradeDateOrContractMonth: '20261218' }, ['FESX 20261218 M FUT 20261218']],
  ])('%s', (_name, query, found) => {
    expect(find(query)).toEqual(found)
  }) // biome-ignore format: a table

  it('the futures listed at the time, in order', () => {
    const found = find({ symbol: 'ES', secType: 'FUT', exchange: 'CME' })
    expect(found).toHaveLength(8)
    expect(found[0]).toBe('ESZ6 FUT 20261218')
    expect(find({ symbol: 'ES', secType: 'FUT', exchange: 'CME' }, utc('2016-11-20T00:00'))[0]).toBe(
      'ESZ6 FUT 20161216',
    )
  })

  it('only what was listed by then', () => {
    expect(find({ symbol: 'TSLA', secType: 'STK' }, utc('2009-01-01T00:00'))).toEqual([])
  })

  it('every listing by its conId alone', () => {
    const ids = allProducts().map(({ listing }) => listing.conId)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('search', () => {
  it('goes by the start of symbol or name, in any case', () => {
    expect(market.search('aap').map(({ symbol }) => symbol)).toEqual(['AAPL'])
    expect(market.search('Vodafone').map(({ currency }) => currency)).toEqual(['USD', 'GBP'])
  })

  it('names at most sixteen, and no dated future', () => {
    const found = market.search('E')
    expect(found.length).toBeLessThanOrEqual(16)
    expect(found.some(({ secType }) => secType === 'FUT')).toBe(false)
    expect(found.some(({ secType }) => secType === 'CONTFUT')).toBe(true)
  })
})
