/**
 * What a historical request may ask, as IBKR publishes it: the legal bar sizes, the longest durations, and
 * the two tables that join them. The tables disagree, so a pair is refused only where both exclude it.
 */

/** Lengths in seconds of the literal sizes below a day; a day and longer are sessions, not seconds. */
const INTRADAY_SECONDS: ReadonlyMap<string, number> = new Map([
  ['1 secs', 1],
  ['5 secs', 5],
  ['10 secs', 10],
  ['15 secs', 15],
  ['30 secs', 30],
  ['1 min', 60],
  ['2 mins', 120],
  ['3 mins', 180],
  ['5 mins', 300],
  ['10 mins', 600],
  ['15 mins', 900],
  ['20 mins', 1200],
  ['30 mins', 1800],
  ['1 hour', 3600],
  ['2 hours', 7200],
  ['3 hours', 10_800],
  ['4 hours', 14_400],
  ['8 hours', 28_800],
])

const DAY = 86_400
const WEEK = 7 * DAY
const MONTH = 30 * DAY
const YEAR = 365 * DAY

const LONG_SIZES: ReadonlyMap<string, readonly [name: string, seconds: number]> = new Map([
  ['1 day', ['1 day', DAY]],
  ['1 week', ['1 week', WEEK]],
  ['1W', ['1 week', WEEK]],
  ['1 month', ['1 month', MONTH]],
  ['1M', ['1 month', MONTH]],
])

export interface BarSize {
  /** IBKR's literal, aliases resolved. */
  readonly name: string
  /** Seconds; nominal (30 days) for a month. */
  readonly seconds: number
  readonly intraday: boolean
}

/** The bar size of that literal text, or undefined: `1 sec` has been refused since 2023, and case counts. */
export function parseBarSize(text: string): BarSize | undefined {
  const seconds = INTRADAY_SECONDS.get(text)
  if (seconds !== undefined) return { name: text, seconds, intraday: true }
  const long = LONG_SIZES.get(text)
  return long && { name: long[0], seconds: long[1], intraday: false }
}

const LEGAL = [...INTRADAY_SECONDS.keys(), '1 day', '1W', '1M'].join(', ')

export const BAD_BAR_SIZE = `Historical data bar size setting is invalid. Legal ones are: ${LEGAL}`

export type DurationUnit = 'S' | 'D' | 'W' | 'M' | 'Y'

export interface Duration {
  readonly count: number
  readonly unit: DurationUnit
}

/** `30 D`, `1800 S`: an integer, one space, a unit; undefined for anything else. */
export function parseDuration(text: string): Duration | undefined {
  const match = /^([1-9]\d{0,8}) ([SDWMY])$/.exec(text)
  return match ? { count: Number(match[1]), unit: match[2] as DurationUnit } : undefined
}

export const BAD_DURATION = 'Historical data duration is invalid. Use an integer, one space and a unit (S|D|W|M|Y)'

/** Why IBKR refuses this pair with error 321, or undefined where it may be asked. */
export function refusePair(size: BarSize, duration: Duration): string | undefined {
  const { count, unit } = duration
  if (unit === 'S' && count > 86_400) {
    return 'Historical data requests for durations longer than 86400 secs must be made in days.'
  }
  if (unit === 'D' && count > 365) {
    return 'Historical data requests for durations longer than 365 days must be made in years.'
  }
  if (unit === 'W' && count > 52) {
    return 'Historical data requests for durations longer than 52 weeks must be made in years.'
  }
  if (unit === 'M' && count > 12) {
    return 'Historical data requests for durations longer than 12 months must be made in years.'
  }
  if (unit === 'Y' && count > 68) return 'Historical data requests for durations longer than 68 years are not allowed.'
  if (size.seconds === 1 && durationSeconds(duration) > 2000) {
    return 'Historical data requests for 1-second bars may not exceed 2000 S.'
  }
  if (!unitAllows(size, unit) && !stepAllows(size, durationSeconds(duration))) {
    return `Historical data query of ${count} ${unit} is too long or too short for bars of ${size.name}.`
  }
  return undefined
}

/** IBKR's newer table, by the duration's unit: from and to in seconds of a bar. */
const UNIT_TABLE: Record<DurationUnit, readonly [from: number, to: number]> = {
  S: [1, 60],
  D: [5, 3600],
  W: [10, 14_400],
  M: [30, 28_800],
  Y: [60, DAY],
}

function unitAllows(size: BarSize, unit: DurationUnit): boolean {
  const [from, to] = UNIT_TABLE[unit]
  return size.seconds >= from && size.seconds <= to
}

/** IBKR's older table, by the duration's length: from and to in seconds of a bar. */
const STEP_TABLE: readonly (readonly [length: number, from: number, to: number])[] = [
  [60, 1, 60],
  [120, 1, 120],
  [1800, 1, 1800],
  [3600, 5, 3600],
  [14_400, 10, 10_800],
  [28_800, 30, 28_800],
  [DAY, 60, DAY],
  [2 * DAY, 120, DAY],
  [WEEK, 180, WEEK],
  [MONTH, 1800, MONTH],
  [YEAR, DAY, MONTH],
]

/** A length between two rows is allowed what either neighbour allows: the table does not say which one rules. */
function stepAllows(size: BarSize, length: number): boolean {
  const below = STEP_TABLE.findLast(([rowLength]) => rowLength <= length)
  const above = STEP_TABLE.find(([rowLength]) => rowLength >= length)
  return [below, above].some((row) => row !== undefined && size.seconds >= row[1] && size.seconds <= row[2])
}

const UNIT_SECONDS: Record<DurationUnit, number> = { S: 1, D: DAY, W: WEEK, M: MONTH, Y: YEAR }

function durationSeconds({ count, unit }: Duration): number {
  return count * UNIT_SECONDS[unit]
}

/** `[start, end)` may not reach further back than this for bars of 30 seconds and shorter. */
export const SMALL_BAR_MONTHS = 6
export const SMALL_BAR_SECONDS = 30
