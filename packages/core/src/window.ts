import { TidegateError } from './errors.ts'

/** A half-open range `[start, end)` of instants in epoch seconds, UTC. IBKR's history knows nothing finer than a second. */
export interface Window {
  readonly start: number
  readonly end: number
}

/** A window checked: whole seconds, start before end. Throws `invalid` otherwise. */
export function window(start: number, end: number): Window {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) {
    throw new TidegateError('invalid', `A window needs whole epoch seconds, got start ${start} and end ${end}.`)
  }
  if (start >= end) {
    throw new TidegateError(
      'invalid',
      `The start ${formatInstant(start)} must be before the end ${formatInstant(end)}.`,
    )
  }
  return { start, end }
}

/** What both windows share, or undefined. */
export function intersect(a: Window, b: Window): Window | undefined {
  const start = Math.max(a.start, b.start)
  const end = Math.min(a.end, b.end)
  return start < end ? { start, end } : undefined
}

/** The same instants as the fewest windows, ordered; windows that touch become one. */
export function merge(windows: readonly Window[]): Window[] {
  const sorted = windows.filter((w) => w.start < w.end).sort((a, b) => a.start - b.start)
  const merged: Window[] = []
  for (const next of sorted) {
    const last = merged.at(-1)
    if (last && next.start <= last.end)
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, next.end) }
    else merged.push(next)
  }
  return merged
}

/** The instants of `wanted` that no window of `covered` holds, ordered: the gaps. */
export function subtract(wanted: readonly Window[], covered: readonly Window[]): Window[] {
  const holes = merge(covered)
  const gaps: Window[] = []
  let first = 0
  for (const want of merge(wanted)) {
    let start = want.start
    while (first < holes.length && (holes[first]?.end ?? 0) <= want.start) first++
    for (let i = first; i < holes.length; i++) {
      const hole = holes[i]
      if (!hole || hole.start >= want.end) break
      if (hole.start > start) gaps.push({ start, end: hole.start })
      start = Math.max(start, hole.end)
    }
    if (start < want.end) gaps.push({ start, end: want.end })
  }
  return gaps
}

/** Seconds in all windows together, counted once where they overlap. */
export function totalSec(windows: readonly Window[]): number {
  return merge(windows).reduce((sum, w) => sum + (w.end - w.start), 0)
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.0+)?)?(?:Z|([+-])(\d{2}):(\d{2}))$/

/** `2024-01-02T00:00:00Z` for epoch seconds. */
export function formatInstant(sec: number): string {
  const date = new Date(sec * 1000)
  return Number.isNaN(date.getTime()) ? String(sec) : date.toISOString().replace('.000Z', 'Z')
}

/**
 * Epoch seconds of `2024-01-02` (00:00 UTC), `2024-01-02T09:30Z`, `2024-01-02T09:30:00-05:00`.
 * Throws `invalid` on a date that is no date (2024-02-30), on fractions of a second and on a time without a zone.
 */
export function parseInstant(text: string): number {
  const day = DATE.exec(text)
  const match = day ?? INSTANT.exec(text)
  if (!match) throw badInstant(text)
  const [year, month, date, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((i) => Number(match[i] ?? 0)) as Sextuple
  const ms = Date.UTC(year, month - 1, date, hour, minute, second)
  const back = new Date(ms)
  const real = back.getUTCFullYear() === year && back.getUTCMonth() === month - 1 && back.getUTCDate() === date
  if (!real || hour > 23 || minute > 59 || second > 59) throw badInstant(text)
  const offsetHours = Number(match[8] ?? 0)
  const offsetMinutes = Number(match[9] ?? 0)
  if (offsetHours > 14 || offsetMinutes > 59) throw badInstant(text)
  const offsetSec = (offsetHours * 60 + offsetMinutes) * 60 * (match[7] === '-' ? -1 : 1)
  return ms / 1000 - offsetSec
}

type Sextuple = [number, number, number, number, number, number]

function badInstant(text: string): TidegateError {
  return new TidegateError(
    'invalid',
    `"${text}" is no instant: expected a date such as 2024-01-02 or a UTC time such as 2024-01-02T09:30:00Z.`,
  )
}
