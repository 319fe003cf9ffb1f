import { Temporal } from 'temporal-polyfill'

/**
 * Epoch seconds of what the clocks of `zone` show: `2026-03-12T09:30:00` in `US/Eastern`. A time that a clock shows twice
 * is the first, one that it skips is as long after the gap. Throws a RangeError for what is no time, or no zone.
 */
export function zonedSec(local: string, zone: string): number {
  return Temporal.PlainDateTime.from(local).toZonedDateTime(zone).epochMilliseconds / 1000
}
