import { barSize, formatSpec, PRICES, parseSpec, parseTimeframe, SEC_TYPES, UNITS, whatToShow } from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

describe('bar specifications', () => {
  test.each([
    ['1-SECOND-LAST', '1 secs', 1],
    ['30-SECOND-BID_ASK', '30 secs', 30],
    ['1-MINUTE-LAST', '1 min', 60],
    ['15-MINUTE-MID', '15 mins', 900],
    ['1-HOUR-LAST', '1 hour', 3600],
    ['8-HOUR-ASK', '8 hours', 28_800],
    ['1-DAY-ADJUSTED_LAST', '1 day', 86_400],
    ['1-WEEK-LAST', '1 week', 604_800],
    ['1-MONTH-LAST', '1 month', 2_678_400],
  ])('%s is asked as %s', (text, size, sec) => {
    expect(barSize(parseSpec(text))).toEqual({ text: size, sec })
    expect(formatSpec(parseSpec(text.toLowerCase()))).toBe(text)
  })

  test.each(['7-MINUTE-LAST', '1-YEAR-LAST', '1-MINUTE', '1-MINUTE-PRICE', '', '0-DAY-LAST', '1-MINUTE-LAST-EXTERNAL'])(
    'refuses %j, naming it',
    (text) => {
      expect(() => parseSpec(text)).toThrow(`"${text}"`)
    },
  )

  test('any text is read or refused in words', () => {
    const close = fc
      .tuple(fc.integer({ min: 0, max: 99 }), fc.constantFrom(...UNITS), fc.constantFrom(...PRICES))
      .map((p) => p.join('-'))
    fc.assert(
      fc.property(fc.oneof(fc.string(), close), (text) => {
        let spec: ReturnType<typeof parseSpec>
        try {
          spec = parseSpec(text)
        } catch (error) {
          expect(error).toMatchObject({ kind: 'invalid' })
          return
        }
        expect(parseSpec(formatSpec(spec))).toEqual(spec)
      }),
    )
  })

  test('a timeframe means trades where there are any, quotes otherwise', () => {
    expect(formatSpec(parseTimeframe('1MIN', 'STK'))).toBe('1-MINUTE-LAST')
    expect(formatSpec(parseTimeframe('5min', 'CASH'))).toBe('5-MINUTE-MID')
    expect(formatSpec(parseTimeframe('DAILY', 'CMDTY'))).toBe('1-DAY-MID')
    expect(formatSpec(parseTimeframe('15-MINUTE-MID', 'STK'))).toBe('15-MINUTE-MID')
    expect(() => parseTimeframe('2MIN', 'STK')).toThrow(/"2MIN" is no timeframe: expected 1MIN, 5MIN, 1HOUR, DAILY/)
    expect(() => parseTimeframe('7-MINUTE-LAST', 'STK')).toThrow(/steps for MINUTE are 1, 2, 3, 5, 10, 15, 20, 30/)
    expect(() => parseTimeframe('1-MINUTE-LST', 'STK')).toThrow(/a price of LAST, MID, BID/)
  })

  test.each([
    ['LAST', 'STK', 'TRADES'],
    ['LAST', 'CRYPTO', 'AGGTRADES'],
    ['MID', 'CASH', 'MIDPOINT'],
    ['BID_ASK', 'FUT', 'BID_ASK'],
    ['ADJUSTED_LAST', 'STK', 'ADJUSTED_LAST'],
    ['OPTION_IMPLIED_VOLATILITY', 'IND', 'OPTION_IMPLIED_VOLATILITY'],
  ] as const)('%s of %s is %s', (price, secType, what) => {
    expect(whatToShow(price, secType)).toBe(what)
  })

  test.each([
    ['LAST', 'CASH'],
    ['MID', 'IND'],
    ['FEE_RATE', 'FUT'],
    ['ADJUSTED_LAST', 'FUT'],
    ['HISTORICAL_VOLATILITY', 'CASH'],
  ] as const)('there is no %s of %s', (price, secType) => {
    expect(() => whatToShow(price, secType)).toThrow(`IBKR has no ${price} bars for ${secType}`)
  })

  test('every pair is answered or refused in words', () => {
    for (const price of PRICES) {
      for (const secType of SEC_TYPES) {
        try {
          expect(whatToShow(price, secType)).toMatch(/^[A-Z_]+$/)
        } catch (error) {
          expect(error).toMatchObject({ kind: 'invalid' })
        }
      }
    }
  })
})
