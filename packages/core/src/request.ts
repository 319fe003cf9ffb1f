import type { SecType } from './contract.ts'
import { type BarSpec, barSize, type Hours, isDated } from './spec.ts'
import type { Window } from './window.ts'

const DAY_SEC = 86_400
const TARGET_BARS = 4000

/** What is known of a series when its requests are sized. */
export interface SeriesShape {
  readonly spec: BarSpec
  readonly secType: SecType
  readonly hours: Hours
}

/** Longest durations by IBKR's step table that its unit table allows too (ibkr-rules, "Bar size and duration"), bars up to 30 s. */
const SECONDS_SPAN: Readonly<Record<number, number>> = { 1: 1800, 5: 3600, 10: 14_400, 15: 14_400, 30: 28_800 }
/** Durations of 1-minute bars in seconds that both tables allow. */
const MINUTE_STEPS_SEC = [60, 120, 1800, 3600, 14_400, 28_800]

/** How much calendar time one chunk spans, seconds: a few thousand bars, as IBKR advises, in a duration both its tables allow. */
export function chunkSpanSec({ spec, secType, hours }: SeriesShape): number {
  const { sec } = barSize(spec)
  const small = SECONDS_SPAN[sec]
  if (small !== undefined) return small
  if (isDated(spec)) return (spec.unit === 'DAY' ? 360 : 5 * 364) * DAY_SEC
  const sessionSec = secType === 'STK' ? (hours === 'regular' ? 6.5 : 16) * 3600 : DAY_SEC
  const days = Math.floor((TARGET_BARS * sec) / sessionSec)
  return Math.max(1, Math.min(days, longestDays(sec))) * DAY_SEC
}

/** Days that fit the longest duration of the unit used, with room for the sessions counted beyond the window's own. */
function longestDays(sec: number): number {
  return sec <= 3600 ? 300 : 40 * 7
}

/**
 * IBKR's duration string for a request that ends at the window's end and reaches back at least to its start.
 *
 * Durations count trading time: `S` trading seconds, `D` whole sessions (both checked by the community on a paper gateway),
 * so n seconds reach back n seconds or more, and n sessions reach the start when no more than n can touch the window.
 * `W`, `M` and `Y` are calendar time; one more than needed is asked. `reach` above 1 asks for that many times as much.
 */
export function durationFor(window: Window, { spec, secType, hours }: SeriesShape, reach = 1): string {
  const { sec } = barSize(spec)
  const lengthSec = window.end - window.start
  if (sec < 60) return `${Math.max(lengthSec, sec)} S`
  if (isDated(spec)) return `${Math.min(Math.ceil(lengthSec / (365 * DAY_SEC)) * reach, 68)} Y`
  // With useRTH some gateways leak other hours into S durations, so those are asked for all hours only.
  const step = hours === 'all' && sec === 60 && reach === 1 ? MINUTE_STEPS_SEC.find((s) => s >= lengthSec) : undefined
  if (step !== undefined) return `${step} S`
  if (sec <= 3600) return `${Math.min(sessionsTouching(window, secType) * reach, 365)} D`
  if (sec <= 4 * 3600) return `${Math.min((Math.ceil(lengthSec / (7 * DAY_SEC)) + 1) * reach, 52)} W`
  return `${Math.min((Math.ceil(lengthSec / (28 * DAY_SEC)) + 1) * reach, 12)} M`
}

/**
 * The most sessions that can touch the window: one for each weekday whose local day, anywhere on earth, can touch it
 * (each day for crypto). A session that crosses midnight has one of the two dates, so it is counted once.
 */
function sessionsTouching(window: Window, secType: SecType): number {
  const first = Math.floor((window.start - DAY_SEC / 2) / DAY_SEC)
  const last = Math.floor((window.end - 1 + DAY_SEC / 2) / DAY_SEC)
  let sessions = 0
  for (let day = first; day <= last; day++) {
    const weekday = (((day + 4) % 7) + 7) % 7
    if (secType === 'CRYPTO' || (weekday !== 0 && weekday !== 6)) sessions++
  }
  return Math.max(1, sessions)
}

/** Whether the duration reaches the window's start by its own unit, so that the answer needs no bar from before it as proof. */
export function reachesByUnit(duration: string): boolean {
  return duration.endsWith('S')
}
