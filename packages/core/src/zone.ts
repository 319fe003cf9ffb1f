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

/** When the clocks of `zone` begin to show a date, given by its 00:00 UTC; epoch seconds. An unknown zone is treated as by `localDateSec`. */
export function dayStartSec(dateSec: number, zone: string): number {
  try {
    return dateSec - zoneOffsetSec(dateSec - zoneOffsetSec(dateSec, zone), zone)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return dateSec + 12 * 3600
  }
}

/** What the clocks of `zone` show at `sec`: the day of the week, Monday 1 to Sunday 7, and the minutes since midnight. */
export function localClock(sec: number, zone: string): { readonly weekday: number; readonly minute: number } {
  const { dayOfWeek, hour, minute } = Temporal.Instant.fromEpochMilliseconds(sec * 1000).toZonedDateTimeISO(zone)
  return { weekday: dayOfWeek, minute: hour * 60 + minute }
}

/** The last second, no later than `sec`, at which the clocks of `zone` showed this weekday (Monday 1 to Sunday 7) and full hour. */
export function lastWeekly(sec: number, zone: string, weekday: number, hour: number): number {
  const now = Temporal.Instant.fromEpochMilliseconds(sec * 1000).toZonedDateTimeISO(zone)
  const on = now.subtract({ days: (now.dayOfWeek - weekday + 7) % 7 }).toPlainDate()
  const at = (date: Temporal.PlainDate) => date.toZonedDateTime({ timeZone: zone, plainTime: { hour } })
  const found = at(on).epochMilliseconds > now.epochMilliseconds ? at(on.subtract({ days: 7 })) : at(on)
  return found.epochMilliseconds / 1000
}

/** How far the clocks of `zone` are ahead of UTC at `sec`, seconds. Throws a RangeError for no zone. */
export function zoneOffsetSec(sec: number, zone: string): number {
  return Temporal.Instant.fromEpochMilliseconds(sec * 1000).toZonedDateTimeISO(zone).offsetNanoseconds / 1e9
}
