import { Temporal } from 'temporal-polyfill'
import { TidegateError } from './errors.ts'
import { parseInstant } from './window.ts'

/** Since when a dataset is wanted: a date, how long back from the day it is declared, or IBKR's head timestamp. */
export type Since =
  | 'head'
  | `${number}y`
  | `${number}mo`
  | `${number}w`
  | `${number}d`
  | `${number}-${number}-${number}`

const BACK = /^(\d{1,5})(y|mo|w|d)$/
const UNITS = { y: 'years', mo: 'months', w: 'weeks', d: 'days' } as const
/** IBKR's own history begins later than this; a mistyped number is told rather than asked for. */
const MOST_YEARS = 100

/**
 * Epoch seconds of `2024-01-02`, `2024-01-02T14:30Z`, or of 00:00 UTC of the date that lies `2y`, `6mo`, `8w`, `90d`
 * before `nowSec`'s, by the calendar; undefined for `head`, which IBKR tells for each series. Throws `invalid` on
 * anything else.
 */
export function sinceSec(since: string, nowSec: number): number | undefined {
  if (since === 'head') return undefined
  const [, count, unit] = BACK.exec(since) ?? []
  if (count === undefined || unit === undefined) return dateOf(since)
  const today = Temporal.Instant.fromEpochMilliseconds(nowSec * 1000)
    .toZonedDateTimeISO('UTC')
    .toPlainDate()
  const first = today.subtract({ [UNITS[unit as keyof typeof UNITS]]: Number(count) })
  if (Number(count) === 0 || first.year < today.year - MOST_YEARS) throw badSince(since)
  return Date.UTC(first.year, first.month - 1, first.day) / 1000
}

function dateOf(since: string): number {
  try {
    return parseInstant(since)
  } catch (cause) {
    throw badSince(since, cause)
  }
}

function badSince(since: string, cause?: unknown): TidegateError {
  return new TidegateError(
    'invalid',
    `"${since}" is no beginning: expected a date such as 2024-01-02, how long back such as 2y, 6mo, 8w or 90d, or head.`,
    { cause },
  )
}
