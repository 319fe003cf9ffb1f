import type { PlanAnswer } from '@tidegate/functions'
import { describe, expect, test } from 'vitest'
import { endsOf, leftOf } from '../src/left.ts'

const NOW_SEC = Date.UTC(2026, 10, 20, 15, 30) / 1000
const key = { instrumentId: 'AAPL.NASDAQ', spec: '1-MINUTE-LAST', hours: 'regular' } as const
const KEYS = new Set(['AAPL.NASDAQ 1-MINUTE-LAST regular'])

function planOf(gaps: readonly [string, string][], spec: string = key.spec): PlanAnswer {
  const windows = gaps.map(([start, end]) => ({ start: `2026-11-${start}Z`, end: `2026-11-${end}Z` }))
  const wanted = { start: '2026-11-01T00:00:00Z', end: '2026-11-20T15:30:00Z' }
  const asked = { requests: windows.length, weight: 0 }
  const series = [{ ...key, spec, wanted, gaps: windows, ...asked, unavailable: [], refusal: null }]
  return { series, ...asked, expectedSec: 0, boundBy: null, problems: [] }
}

describe('what is left of a fetch', () => {
  test('an old gap is one, and silence of the last half hour is pending', () => {
    const plan = planOf([
      ['17T00:00:00', '18T00:00:00'],
      ['20T15:00:00', '20T15:30:00'],
    ])
    const [left] = leftOf(plan, KEYS, endsOf(plan, KEYS), NOW_SEC)
    expect(left?.gaps).toEqual([{ start: '2026-11-17T00:00:00Z', end: '2026-11-18T00:00:00Z' }])
    expect(left?.pending).toEqual([{ start: '2026-11-20T15:00:00Z', end: '2026-11-20T15:30:00Z' }])
  })

  test('what became final after the fetch began is not its own', () => {
    const before = planOf([])
    const after = planOf([['20T15:30:00', '20T15:31:00']])
    expect(leftOf(after, KEYS, endsOf(before, KEYS), NOW_SEC)).toEqual([{ key, gaps: [], pending: [], requests: 0 }])
  })

  test('a gap that reaches into the old is no silence', () => {
    const plan = planOf([['20T14:00:00', '20T15:30:00']])
    expect(leftOf(plan, KEYS, endsOf(plan, KEYS), NOW_SEC)[0]?.pending).toEqual([])
  })

  test('a series that was not resolved is not waited for', () => {
    expect(leftOf(planOf([['17T00:00:00', '18T00:00:00']]), new Set(), new Map(), NOW_SEC)).toEqual([])
  })
})
