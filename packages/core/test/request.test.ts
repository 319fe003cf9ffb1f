import {
  barSize,
  durationFor,
  finalUntil,
  gridSec,
  isDated,
  parseInstant,
  parseSpec,
  periodStart,
  reachesByUnit,
  requestEnd,
  settledPart,
} from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const at = parseInstant
const stock = (spec: string) => ({ spec: parseSpec(spec), secType: 'STK', hours: 'regular' }) as const
const newYork = { secType: 'STK', timeZoneId: 'US/Eastern' } as const

describe('the end asked for', () => {
  test.each([
    // The hour from 14:59 is within the window and closes at 15:59.
    ['1-HOUR-LAST', '2026-03-03T15:00Z', '2026-03-03T15:59Z'],
    ['5-MINUTE-MID', '2026-03-03T15:00Z', '2026-03-03T15:04Z'],
    ['1-MINUTE-LAST', '2026-03-03T15:00Z', '2026-03-03T15:00Z'],
    ['5-SECOND-LAST', '2026-03-03T15:00Z', '2026-03-03T15:00Z'],
    ['1-DAY-LAST', '2026-03-04', '2026-03-05'],
    // A window that ends on a Wednesday holds days of a week that ends on Sunday, the 8th.
    ['1-WEEK-LAST', '2026-03-04', '2026-03-10'],
    ['1-WEEK-LAST', '2026-03-09', '2026-03-10'],
    ['1-MONTH-LAST', '2026-02-10', '2026-03-02'],
    ['1-MONTH-LAST', '2026-02-01', '2026-02-02'],
  ])('%s of a window to %s: %s', (spec, end, expected) => {
    expect(requestEnd({ start: 0, end: at(end) }, stock(spec))).toBe(at(expected))
  })

  test('is now for what IBKR answers up to now only', () => {
    const window = { start: at('2026-03-01'), end: at('2026-03-03') }
    expect(requestEnd(window, stock('1-DAY-ADJUSTED_LAST'))).toBeUndefined()
    expect(requestEnd(window, { spec: parseSpec('1-DAY-LAST'), secType: 'CONTFUT' })).toBeUndefined()
  })

  test('is never before a bar of the window has closed', () => {
    const specs = '5-SECOND-LAST 1-MINUTE-LAST 15-MINUTE-LAST 4-HOUR-LAST 1-DAY-LAST 1-WEEK-LAST 1-MONTH-LAST'.split(
      ' ',
    )
    fc.assert(
      fc.property(fc.constantFrom(...specs), fc.integer({ min: 1e9, max: 1.9e9 }), (text, near) => {
        const { spec, secType } = stock(text)
        const grid = gridSec(spec)
        const end = Math.ceil(near / grid) * grid
        const lastStart = end - grid
        const start = isDated(spec) ? periodStart(spec, lastStart) : lastStart
        const next = spec.unit === 'MONTH' ? periodStart(spec, start + 31 * 86_400) : start + barSize(spec).sec
        expect(requestEnd({ start: 0, end }, { spec, secType })).toBeGreaterThanOrEqual(next)
      }),
    )
  })
})

describe('what IBKR’s longest duration does not reach is not asked', () => {
  const now = at('2026-03-03')
  test.each([
    ['1-HOUR-ADJUSTED_LAST', '2024-01-01', undefined],
    ['1-HOUR-ADJUSTED_LAST', '2025-12-01', '68 D'],
    ['4-HOUR-ADJUSTED_LAST', '2025-01-01', undefined],
    ['8-HOUR-ADJUSTED_LAST', '2025-01-01', undefined],
    ['30-SECOND-ADJUSTED_LAST', '2026-03-01', '3 D'],
    ['1-SECOND-ADJUSTED_LAST', '2026-03-02T23:00Z', undefined],
    ['1-DAY-ADJUSTED_LAST', '1980-01-01', '47 Y'],
  ])('%s since %s: %s', (spec, start, expected) => {
    expect(durationFor({ start: at(start), end: now }, stock(spec))).toBe(expected)
  })

  test('asking further back goes as far as there is', () => {
    const window = { start: at('2025-04-01'), end: now }
    expect(durationFor(window, stock('1-HOUR-LAST'), 2)).toBe('365 D')
    expect(durationFor(window, stock('1-HOUR-LAST'), 4)).toBe('365 D')
  })
})

test('seconds reach a start by themselves, as far as they go; sessions and years need proof', () => {
  const window = { start: 1000, end: 1060 }
  expect(reachesByUnit('60 S', window)).toBe(true)
  expect(reachesByUnit('59 S', window)).toBe(false)
  expect(reachesByUnit('2 D', window)).toBe(false)
})

describe('what is settled', () => {
  test('behind a bar that is shorter than its size, nothing before it is old', () => {
    // The first hour of a New York stock is 9:30 to 10:00; the bar of 10:00 is late.
    const spec = parseSpec('1-HOUR-LAST')
    const window = { start: at('2026-03-03T14:00Z'), end: at('2026-03-03T20:00Z') }
    const answer = { ...newYork, asOf: at('2026-03-03T16:05:20Z'), lastBar: at('2026-03-03T14:30Z') }
    expect(settledPart(window, spec, answer)).toEqual({ start: window.start, end: at('2026-03-03T14:36Z') })
    expect(settledPart(window, spec, { ...answer, asOf: at('2026-03-03T16:00Z') })?.end).toBe(at('2026-03-03T14:31Z'))
  })

  test('of weeks and months goes no further than the last bar’s date while silence is young', () => {
    const window = { start: at('2026-03-01'), end: at('2026-05-01') }
    const answer = { ...newYork, asOf: at('2026-04-06T05:00Z'), lastBar: at('2026-03-27') }
    expect(settledPart(window, parseSpec('1-WEEK-LAST'), answer)?.end).toBe(at('2026-04-05'))
  })

  test('of a future’s day waits for its settlement', () => {
    const day = parseSpec('1-DAY-LAST')
    const chicago = { secType: 'FUT', timeZoneId: 'US/Central' } as const
    // Friday's close may be settled on Saturday.
    expect(finalUntil(day, at('2026-03-07T18:00Z'), chicago)).toBe(at('2026-03-06'))
    expect(finalUntil(day, at('2026-03-08T06:00Z'), chicago)).toBe(at('2026-03-07'))
    expect(finalUntil(day, at('2026-03-07T18:00Z'), { ...chicago, secType: 'STK' })).toBe(at('2026-03-07'))
  })
})
