import { expect, test } from 'vitest'
import { SIMULATED_BANNER } from '../src/banner.ts'
import { seriesText } from '../src/commands/series.ts'
import { planText } from '../src/plan.ts'
import { progressLine } from '../src/progress.ts'
import { listOf, tableOf } from '../src/table.ts'

const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length))
const window = { start: '2026-05-26T00:00:00Z', end: '2026-11-24T07:20:00Z' }
const key = { instrumentId: 'EUR/USD.IDEALPRO', spec: '5-MINUTE-MID', hours: 'regular' } as const
const stored = {
  series: [{ ...key, bars: 37_126, from: window.start, to: '2026-11-24T07:15:00Z', covered: [window, window] }],
}

test('the banner fits the narrowest terminal', () => {
  expect(widest(SIMULATED_BANNER)).toBeLessThanOrEqual(78)
})

test('what is stored keeps what matters at 80 columns, and all of it where there is room', () => {
  const narrow = seriesText(stored, 80)
  expect(widest(narrow)).toBeLessThanOrEqual(80)
  expect(narrow).toMatch(/EUR\/USD\.IDEALPRO │ 5-MINUTE-MID │ regular │ 37,126 │ 2026-05-26\/2026-11-24 │/)
  expect(seriesText(stored, undefined)).toMatch(
    /2026-05-26 00:00 │ 2026-11-24 07:15 │ 2026-05-26 00:00 to 2026-11-24 07:20/,
  )
})

test('hours are left out only where they are the same', () => {
  const many = stored.series.map((one) => ({ ...one, bars: 1_237_126_000 }))
  expect(seriesText({ series: many }, 80)).not.toContain('hours')
  const both = [...many, ...many.map((one) => ({ ...one, hours: 'all' as const }))]
  const text = seriesText({ series: both }, 80)
  expect(text).toContain('│ all ')
  expect(widest(text)).toBeLessThanOrEqual(80)
})

test('a plan fits 80 columns', () => {
  const asked = { requests: 15, weight: 15 }
  const series = [{ ...key, wanted: window, gaps: [window], ...asked, unavailable: [], refusal: null }]
  const text = planText({ series, ...asked, expectedSec: 0, boundBy: null, problems: [] }, window.end, 80)
  expect(widest(text.slice(0, text.lastIndexOf('┘')))).toBeLessThanOrEqual(80)
  expect(text).toMatch(/│ 2026-11-24 +│ +1 │ +15 │/)
})

test('rows stand without lines between them', () => {
  expect(tableOf([{ head: 'a' }], [['1'], ['2'], ['3']]).match(/├/g)).toHaveLength(1)
})

test('a table that can not be made narrower wraps its longest cells, and a list its sentences', () => {
  const long = 'a-very-long-name-of-an-instrument-that-nobody-would-think-of'
  expect(widest(tableOf([{ head: 'a' }, { head: 'b' }], [[long, 'x']], 40))).toBeLessThanOrEqual(40)
  const sentence = 'Nobody answers at 127.0.0.1:4002: is IB Gateway or TWS running and logged in, is its API enabled?'
  const list = listOf([['bridge', sentence]], 80)
  expect(widest(list)).toBeLessThanOrEqual(80)
  expect(list).toMatch(/bridge │ Nobody answers at 127\.0\.0\.1:4002: is IB Gateway/)
})

test.each([80, 100, 160])('a line of progress tells percentage, chunks and bars at %i columns', (columns) => {
  const advance = { settled: 7, total: 15, bars: 37_126, note: 'The gateway is away, and nobody knows for how long.' }
  const line = progressLine('EUR/USD.IDEALPRO 5-MINUTE-MID', advance, columns)
  expect(line.length).toBeLessThan(columns)
  expect(line).toMatch(/^EUR\/USD\.IDEALPRO 5-MINUTE-MID +\[=+-+\] +46% · 7\/15 chunks · 37,126 bars/)
  expect(line.includes('away')).toBe(columns > 100)
})
