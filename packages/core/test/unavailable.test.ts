import {
  alignWindow,
  durationFor,
  intersect,
  isDated,
  merge,
  parseInstant,
  parseSpec,
  reachSec,
  SEC_TYPES,
  subtract,
  totalSec,
  unavailableFor,
} from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const at = parseInstant
const NOW = at('2026-08-31T15:00Z')
const ALL = { start: at('2000-01-01'), end: at('2026-09-01') }

function seriesOf(spec: string, secType: (typeof SEC_TYPES)[number] = 'STK', expires?: string) {
  return { spec: parseSpec(spec), secType, hours: 'regular', expires } as const
}
const told = (series: ReturnType<typeof seriesOf>, nowSec = NOW, window = ALL) => unavailableFor(series, window, nowSec)

describe('never to be had', () => {
  test.each([
    // Six months before the 31st of August is the 28th of February; a day less, for nobody knows by whose calendar.
    ['5-SECOND-LAST', 'STK', undefined, '2026-02-27', 'six months'],
    ['30-SECOND-BID', 'CASH', undefined, '2026-02-27', 'six months'],
    ['1-DAY-MID', 'OPT', '20261218', '2026-09-01', 'daily'],
    ['1-WEEK-MID', 'FOP', undefined, '2026-09-01', 'daily'],
    ['1-HOUR-MID', 'OPT', '20260820', '2026-09-01', 'expired on 2026-08-20'],
    ['1-HOUR-LAST', 'FUT', '20240820', '2026-09-01', 'two years'],
    ['1-HOUR-LAST', 'FUT', '202406', '2026-09-01', 'expired on 2024-06'],
    ['1-HOUR-LAST', 'CONTFUT', undefined, '2025-04-28', 'up to now only'],
    ['1-MINUTE-ADJUSTED_LAST', 'STK', undefined, '2025-04-28', 'up to now only'],
  ] as const)('%s of %s that expires %s: all before %s, for %s', (spec, secType, expires, edge, why) => {
    expect(told(seriesOf(spec, secType, expires))).toEqual([
      { windows: [{ start: ALL.start, end: at(edge) }], why: expect.stringContaining(why) },
    ])
  })

  test.each([
    ['1-MINUTE-LAST', 'STK', undefined],
    ['1-DAY-LAST', 'STK', undefined],
    ['1-HOUR-MID', 'OPT', '20261218'],
    // An expiry whose date may not be over yet, and one that is not known.
    ['1-HOUR-MID', 'OPT', '20260830'],
    ['1-HOUR-MID', 'OPT', undefined],
    ['1-HOUR-LAST', 'FUT', '20261218'],
    ['1-HOUR-LAST', 'FUT', '202608'],
    ['1-DAY-ADJUSTED_LAST', 'STK', undefined],
  ] as const)('is nothing of %s of %s that expires %s', (spec, secType, expires) => {
    expect(told(seriesOf(spec, secType, expires))).toEqual([])
  })

  test('are a future’s bars from three days after its expiry on, and all of them once it is gone for two years', () => {
    const series = seriesOf('1-MINUTE-LAST', 'FUT', '20260619')
    const tail = [{ windows: [{ start: at('2026-06-22'), end: ALL.end }], why: 'it expired on 2026-06-19' }]
    expect(told(series)).toEqual(tail)
    expect(told(series, at('2028-06-21T23:00Z'))).toEqual(tail)
    expect(told(series, at('2028-06-22T00:00Z'))).toMatchObject([{ windows: [ALL] }])
  })

  test('is told with one reason an instant, within the window', () => {
    const series = seriesOf('5-SECOND-LAST', 'FUT', '20260619')
    const found = told(series)
    expect(found.map(({ why }) => why)).toEqual([expect.stringContaining('six months'), 'it expired on 2026-06-19'])
    const late = { start: at('2026-06-25'), end: at('2026-06-26') }
    expect(told(series, NOW, late)).toMatchObject([{ windows: [late] }])
  })

  const specs =
    '1-SECOND-LAST 30-SECOND-MID 1-MINUTE-LAST 1-HOUR-ADJUSTED_LAST 4-HOUR-LAST 1-DAY-LAST 1-WEEK-ADJUSTED_LAST'
  const anySeries = fc.record({
    spec: fc.constantFrom(...specs.split(' ').map(parseSpec)),
    secType: fc.constantFrom(...SEC_TYPES),
    hours: fc.constant('regular' as const),
    expires: fc.constantFrom(undefined, '20260819', '20240829', '202507', ''),
  })
  const anyWindow = fc
    .tuple(fc.integer({ min: at('2020-01-01'), max: NOW }), fc.integer({ min: 60, max: 86_400 * 900 }))
    .map(([start, length]) => ({ start, end: start + length }))

  test('lies within the window, on the bars’ grid, apart, and stays so as time goes on', () => {
    fc.assert(
      fc.property(anySeries, anyWindow, fc.integer({ min: 0, max: 86_400 * 400 }), (series, raw, later) => {
        const window = alignWindow(raw, series.spec)
        if (!window) return
        const windows = unavailableFor(series, window, NOW).flatMap((one) => one.windows)
        expect(totalSec(windows)).toBe(windows.reduce((sum, { start, end }) => sum + end - start, 0))
        for (const one of windows) {
          expect(intersect(one, window)).toEqual(one)
          expect(alignWindow(one, series.spec)).toEqual(one)
        }
        const then = unavailableFor(series, window, NOW + later).flatMap((one) => one.windows)
        expect(subtract(windows, then)).toEqual([])
        expect(merge([...then, ...windows])).toEqual(merge(then))
      }),
    )
  })

  test('leaves of what is answered up to now only as much as one request reaches, days of waiting included', () => {
    fc.assert(
      fc.property(anySeries, fc.integer({ min: 0, max: 3 * 86_400 }), (series, waitedSec) => {
        const toNow = { ...series, spec: { ...series.spec, price: 'ADJUSTED_LAST' as const } }
        const all = { start: 0, end: NOW }
        const windows = unavailableFor(toNow, all, NOW).flatMap((one) => one.windows)
        const start = subtract([all], windows)[0]?.start
        if (start === undefined) return
        const waited = reachSec(toNow) < 2 * 86_400 ? Math.min(waitedSec, 120) : waitedSec
        expect(durationFor({ start, end: NOW + waited + 60 }, toNow)).toBeDefined()
        if (isDated(toNow.spec)) expect(start % 86_400).toBe(0)
      }),
    )
  })
})
