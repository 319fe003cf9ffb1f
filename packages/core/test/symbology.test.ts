import { instrumentId, micOf, parseInstrument, TidegateError, venueName } from '@tidegate/core'
import { describe, expect, test } from 'vitest'

describe('instrument ids', () => {
  test.each([
    ['AAPL.NASDAQ', { secType: 'STK', localSymbol: 'AAPL', exchange: 'SMART', primaryExchange: 'NASDAQ' }],
    ['aapl.xnas', { secType: 'STK', localSymbol: 'AAPL', exchange: 'SMART', primaryExchange: 'NASDAQ' }],
    ['BF-B.NYSE', { secType: 'STK', localSymbol: 'BF B', exchange: 'SMART', primaryExchange: 'NYSE' }],
    ['AAPL', { secType: 'STK', localSymbol: 'AAPL', exchange: 'SMART', currency: 'USD' }],
    ['AAPL.SMART', { secType: 'STK', localSymbol: 'AAPL', exchange: 'SMART' }],
    ['EUR/USD', { secType: 'CASH', symbol: 'EUR', currency: 'USD', exchange: 'IDEALPRO' }],
    ['EUR/USD.IDEALPRO', { secType: 'CASH', symbol: 'EUR', currency: 'USD', exchange: 'IDEALPRO' }],
    ['BTC/USD.PAXOS', { secType: 'CRYPTO', symbol: 'BTC', currency: 'USD', exchange: 'PAXOS' }],
    ['^SPX.CBOE', { secType: 'IND', symbol: 'SPX', exchange: 'CBOE' }],
    ['ESZ6.CME', { secType: 'FUT', localSymbol: 'ESZ6', exchange: 'CME', includeExpired: true }],
    [
      'ESM24.CME',
      {
        secType: 'FUT',
        localSymbol: 'ESM4',
        lastTradeDateOrContractMonth: '202406',
        exchange: 'CME',
        includeExpired: true,
      },
    ],
    ['6EH4.XCME', { secType: 'FUT', localSymbol: '6EH4', exchange: 'CME', includeExpired: true }],
    ['ES.CME', { secType: 'CONTFUT', symbol: 'ES', exchange: 'CME' }],
    [
      'ESTX50 FESX 20240315.EUREX',
      {
        secType: 'FUT',
        symbol: 'ESTX50',
        tradingClass: 'FESX',
        lastTradeDateOrContractMonth: '20240315',
        exchange: 'EUREX',
        includeExpired: true,
      },
    ],
    ['E4AN4 C5655.CME', { secType: 'FOP', localSymbol: 'E4AN4 C5655', exchange: 'CME' }],
    [
      'AAPL  230217P00155000.SMART',
      { secType: 'OPT', localSymbol: 'AAPL  230217P00155000', exchange: 'SMART', currency: 'USD' },
    ],
    [
      'AAPL230217P00155000.SMART',
      { secType: 'OPT', localSymbol: 'AAPL  230217P00155000', exchange: 'SMART', currency: 'USD' },
    ],
    [
      'C OESX 20260213 4775.EUREX',
      {
        secType: 'OPT',
        tradingClass: 'OESX',
        right: 'C',
        lastTradeDateOrContractMonth: '20260213',
        strike: 4775,
        exchange: 'EUREX',
      },
    ],
    ['EUR/USD.IBCFD', { secType: 'CFD', symbol: 'EUR', currency: 'USD', exchange: 'SMART' }],
    ['XAUUSD.IBCMDTY', { secType: 'CMDTY', symbol: 'XAUUSD', exchange: 'SMART' }],
    ['1690200A1=FUT.OSE/JPN', { secType: 'FUT', localSymbol: '1690200A1', exchange: 'OSE.JPN' }],
    ['NK225.OSE.JPN', { secType: 'CONTFUT', symbol: 'NK225', exchange: 'OSE.JPN' }],
  ])('%s', (id, contract) => {
    expect(parseInstrument(id)).toEqual(contract)
  })

  test.each([
    '',
    '.',
    'AAPL.',
    '.NASDAQ',
    'AAPL.NAS DAQ',
    'AA_PL.NASDAQ',
    'EURUSD.IDEALPRO',
    'A'.repeat(40),
    "x';drop.NASDAQ",
    'X=NOPE.CME',
  ])('refuses %j, naming it', (id) => {
    expect(() => parseInstrument(id)).toThrow(TidegateError)
    expect(() => parseInstrument(id)).toThrow(`"${id}"`)
  })

  test.each([
    [
      'AAPL.NASDAQ',
      {
        secType: 'STK',
        symbol: 'AAPL',
        localSymbol: 'AAPL',
        exchange: 'SMART',
        primaryExchange: 'NASDAQ',
        currency: 'USD',
      },
    ],
    [
      'BF-B.NYSE',
      {
        secType: 'STK',
        symbol: 'BF B',
        localSymbol: 'BF B',
        exchange: 'SMART',
        primaryExchange: 'NYSE',
        currency: 'USD',
      },
    ],
    [
      'EUR/USD.IDEALPRO',
      { secType: 'CASH', symbol: 'EUR', localSymbol: 'EUR.USD', exchange: 'IDEALPRO', currency: 'USD' },
    ],
    ['BTC/USD.PAXOS', { secType: 'CRYPTO', symbol: 'BTC', localSymbol: 'BTC.USD', exchange: 'PAXOS', currency: 'USD' }],
    ['^SPX.CBOE', { secType: 'IND', symbol: 'SPX', localSymbol: 'SPX', exchange: 'CBOE', currency: 'USD' }],
    ['ESZ6.CME', { secType: 'FUT', symbol: 'ES', localSymbol: 'ESZ6', exchange: 'CME', currency: 'USD' }],
    ['ES.CME', { secType: 'CONTFUT', symbol: 'ES', localSymbol: 'ES', exchange: 'CME', currency: 'USD' }],
    [
      'ESTX50 FESX 20240315.EUREX',
      {
        secType: 'FUT',
        symbol: 'ESTX50',
        tradingClass: 'FESX',
        localSymbol: 'FESX 20240315 M',
        lastTradeDateOrContractMonth: '20240315',
        exchange: 'EUREX',
        currency: 'EUR',
      },
    ],
  ] as const)('the gateway’s contract is called %s', (id, contract) => {
    expect(instrumentId(contract)).toBe(id)
    expect(parseInstrument(id).secType).toBe(contract.secType)
  })

  test('venues go by either name', () => {
    expect(venueName('XNAS')).toBe('NASDAQ')
    expect(micOf('NASDAQ')).toBe('XNAS')
    expect(venueName('BATS')).toBe('BATS')
    expect(micOf('EBS')).toBe('XSWX')
  })
})
