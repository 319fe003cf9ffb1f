import { Temporal } from 'temporal-polyfill'

/** 00:00 UTC, in epoch seconds, of the date that the clocks of `zone` show at `sec`; an unknown zone counts as UTC−12, the last to end a day. */
export function localDateSec(sec: number, zone: string): number {
  try {
    const date = Temporal.Instant.fromEpochMilliseconds(sec * 1000)
      .toZonedDateTimeISO(zone)
      .toPlainDate()
    return Date.UTC(date.year, date.month - 1, date.day) / 1000
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return Math.floor((sec - 12 * 3600) / 86_400) * 86_400
  }
}
