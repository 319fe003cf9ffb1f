import { formatInstant, intersect, merge, parseInstant, subtract, totalSec, type Window, window } from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const windows = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 20 }))
    .map(([start, length]) => ({ start, end: start + length })),
  { maxLength: 12 },
)
const seconds = (list: readonly Window[]) =>
  new Set(list.flatMap((w) => Array.from({ length: w.end - w.start }, (_, i) => w.start + i)))

describe('window', () => {
  test.each([
    [5, 5, /before the end/],
    [6, 5, /before the end/],
    [0.5, 5, /whole epoch seconds/],
    [Number.NaN, 5, /whole epoch seconds/],
  ])('refuses [%s, %s)', (start, end, message) => {
    expect(() => window(start, end)).toThrow(message)
  })

  test('shares nothing when it only touches', () => {
    expect(intersect({ start: 0, end: 5 }, { start: 5, end: 9 })).toBeUndefined()
    expect(intersect({ start: 0, end: 6 }, { start: 5, end: 9 })).toEqual({ start: 5, end: 6 })
  })

  test('merging keeps every second and leaves nothing that touches', () => {
    fc.assert(
      fc.property(windows, (list) => {
        const merged = merge(list)
        expect(seconds(merged)).toEqual(seconds(list))
        for (const [i, w] of merged.entries()) expect(w.start).toBeGreaterThan(merged[i - 1]?.end ?? -1)
        expect(totalSec(list)).toBe(seconds(list).size)
      }),
    )
  })

  test('gaps are what is wanted and not covered, second for second', () => {
    fc.assert(
      fc.property(windows, windows, (wanted, covered) => {
        const held = seconds(covered)
        expect(seconds(subtract(wanted, covered))).toEqual(new Set([...seconds(wanted)].filter((s) => !held.has(s))))
      }),
    )
  })
})

describe('instants', () => {
  test.each([
    ['2024-01-02', 1_704_153_600],
    ['2024-01-02T09:30:00Z', 1_704_187_800],
    ['2024-01-02T09:30Z', 1_704_187_800],
    ['2024-01-02T09:30:00.000Z', 1_704_187_800],
    ['2024-01-02T09:30:00-05:00', 1_704_205_800],
    ['2024-02-29', 1_709_164_800],
  ])('reads %s', (text, sec) => {
    expect(parseInstant(text)).toBe(sec)
  })

  test.each([
    '2024-02-30',
    '2023-02-29',
    '2024-13-01',
    '2024-01-02T25:00:00Z',
    '2024-01-02T09:30:00',
    '2024-01-02T09:30:00.5Z',
    '2024-1-2',
    'yesterday',
    '',
    '2024-01-02T09:30:00+99:00',
  ])('refuses %j, naming it', (text) => {
    expect(() => parseInstant(text)).toThrow(`"${text}" is no instant`)
  })

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (sec) => {
        expect(parseInstant(formatInstant(sec))).toBe(sec)
      }),
    )
  })
})
