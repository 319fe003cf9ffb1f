/** Calendar dates as whole days since 1970-01-01, so that a year of them is a loop over integers. */
export type Day = number

export const DAY_SEC = 86_400

/** The day of a date; a month of 1 to 12. */
export function dayOf(year: number, month: number, date: number): Day {
  return Date.UTC(year, month - 1, date) / (DAY_SEC * 1000)
}

/** 0 is Sunday. */
export function weekday(day: Day): number {
  return (((day + 4) % 7) + 7) % 7
}

export function yearOf(day: Day): number {
  return new Date(day * DAY_SEC * 1000).getUTCFullYear()
}

/** `yyyymmdd`. */
export function dateText(day: Day): string {
  return new Date(day * DAY_SEC * 1000).toISOString().slice(0, 10).replaceAll('-', '')
}

/** The nth (1 …) given weekday of a month; −1 for the last. */
export function nthWeekday(year: number, month: number, which: number, nth: number): Day {
  if (nth > 0) {
    const first = dayOf(year, month, 1)
    return first + ((which - weekday(first) + 7) % 7) + (nth - 1) * 7
  }
  const last = dayOf(year, month + 1, 0)
  return last - ((weekday(last) - which + 7) % 7)
}

/** Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876). */
export function easter(year: number): Day {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const h = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7
  const m = Math.floor((a + 11 * h + 22 * l) / 451)
  const n = h + l - 7 * m + 114
  return dayOf(year, Math.floor(n / 31), (n % 31) + 1)
}
