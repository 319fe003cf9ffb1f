import { parseInstant } from '@tidegate/core'
import { expect, test } from 'vitest'
import { firstDataset } from '../src/first.ts'
import { hinted, meantBy } from '../src/hint.ts'

test.each([
  ['2024-01-02', 'ESZ6.CME'],
  ['2026-11-24T07:00Z', 'ESZ6.CME'],
  ['2026-12-17T23:59:59Z', 'ESZ6.CME'],
  ['2026-12-18', 'ESH7.CME'],
  ['2027-03-18T12:00Z', 'ESH7.CME'],
  ['2027-03-19', 'ESM7.CME'],
  ['2030-12-31', 'ESH1.CME'],
])('the first dataset’s future on %s is %s', (day, future) => {
  const parts = firstDataset(parseInstant(day))
  expect(parts.find(({ name }) => name === 'first-futures')?.instruments).toEqual([future])
})

const NOW_SEC = parseInstant('2026-11-24')

test.each([
  ['EURUSD', 'EUR/USD'],
  ['eur.usd', 'EUR/USD'],
  ['USD-JPY', 'USD/JPY'],
  ['ES', 'ESZ6.CME'],
  ['ESH7', 'ESH7.CME'],
  ['YM', 'YMZ6.CBOT'],
  ['SPX', '^SPX.CBOE'],
  ['BTCUSD', 'BTC/USD.PAXOS'],
  ['AAPL', undefined],
  ['AAPL.NASDAQ', undefined],
  ['GOOGLE', undefined],
])('%s: %s was meant', (name, meant) => {
  expect(meantBy(name, NOW_SEC)).toBe(meant)
})

test('a hint stands behind what is said', () => {
  expect(hinted('EURUSD: none.', ['EURUSD'], NOW_SEC)).toBe('EURUSD: none. Did you mean EUR/USD?')
  expect(hinted('AAPL: none', ['AAPL'], NOW_SEC)).toBe('AAPL: none')
})
