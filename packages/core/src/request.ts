import type { SecType } from './contract.ts'
import { periodStart } from './finality.ts'
import { gridSec } from './grid.ts'
import { isToNow, type SeriesShape } from './spans.ts'
import { barSize, isDated } from './spec.ts'
import type { Window } from './window.ts'

const DAY_SEC = 86_400
/** Durations of 1-minute bars in seconds that both of IBKR's tables allow (ibkr-rules, "Bar size and duration"). */
const MINUTE_STEPS_SEC = [60, 120, 1800, 3600, 14_400, 28_800]

/** Longest durations IBKR takes, by unit (ibkr-rules, "Bar size and duration"). */
const LONGEST = { S: 86_400, D: 365, W: 52, M: 12, Y: 68 } as const
const LONGEST_1_SECOND = 2000

/**
 * IBKR's duration string for a request that ends at the window's end and reaches back at least to its start; undefined
 * when IBKR's longest does not. `reach` above 1 asks for that many times as much, as far as IBKR's longest goes.
 *
 * Durations count trading time: `S` trading seconds, `D` whole sessions (both checked by the community on a paper gateway),
 * so n seconds reach back n seconds or more, and n sessions reach the start when fewer than n can touch the window.
 * `W`, `M` and `Y` are calendar time; more than needed is asked, so that the first bar wanted is whole.
 */
export function durationFor(window: Window, { spec, secType, hours }: SeriesShape, reach = 1): string | undefined {
  const { sec } = barSize(spec)
  const lengthSec = window.end - window.start
  const days = (unit: number, extraSec = 0) => Math.ceil((lengthSec + extraSec) / (unit * DAY_SEC))
  const text = (count: number, unit: keyof typeof LONGEST, most: number = LONGEST[unit]) =>
    count > most ? undefined : `${Math.min(count * reach, most)} ${unit}`
  if (sec < 60 && (sec === 1 || lengthSec <= LONGEST.S))
    return text(Math.max(lengthSec, sec), 'S', sec === 1 ? LONGEST_1_SECOND : LONGEST.S)
  if (isDated(spec)) return text(days(365, sec), 'Y')
  // With useRTH some gateways leak other hours into S durations, so those are asked for all hours only.
  const step = hours === 'all' && sec === 60 && reach === 1 ? MINUTE_STEPS_SEC.find((s) => s >= lengthSec) : undefined
  if (step !== undefined) return `${step} S`
  if (sec <= 3600) return text(sessionsFor(window, secType), 'D')
  if (sec <= 4 * 3600) return text(days(7) + 1, 'W')
  return text(days(28) + 1, 'M')
}

/**
 * The most sessions that can touch the window, and where the zone allows it one from before, whose bars show that the
 * answer reached the start: one for each weekday whose local day, anywhere on earth, can touch it, and the weekday
 * before where that begins with a weekend (each day for crypto). A session that crosses midnight has one of the two
 * dates, so it is counted once.
 */
function sessionsFor(window: Window, secType: SecType): number {
  const isOpen = (day: number) => {
    const weekday = (((day + 4) % 7) + 7) % 7
    return secType === 'CRYPTO' || (weekday !== 0 && weekday !== 6)
  }
  let first = Math.floor((window.start - DAY_SEC / 2) / DAY_SEC)
  const last = Math.floor((window.end - 1 + DAY_SEC / 2) / DAY_SEC)
  while (!isOpen(first)) first--
  let sessions = 0
  for (let day = first; day <= last; day++) if (isOpen(day)) sessions++
  return sessions
}

/** Whether the duration, counted from the window's end, reaches its start by its own unit, so that the answer needs no bar from before it as proof. */
export function reachesByUnit(duration: string, window: Window): boolean {
  const [count, unit] = duration.split(' ')
  return unit === 'S' && Number(count) >= window.end - window.start
}

/**
 * The exclusive end to ask for: by then every bar that starts within the window has closed, so that none comes cut
 * short. An hour may begin at any minute (FX opens at 17:15 New York); at 00:00 UTC the last date's session can still be
 * open in its own zone; a week or month that the window cuts is asked for whole.
 * Undefined for what IBKR answers up to now only: ADJUSTED_LAST and continuous futures (ibkr-rules, "whatToShow").
 */
export function requestEnd(
  window: Window,
  { spec, secType }: Pick<SeriesShape, 'spec' | 'secType'>,
): number | undefined {
  if (isToNow({ spec, secType })) return undefined
  if (!isDated(spec)) return window.end - gridSec(spec) + barSize(spec).sec
  const last = periodStart(spec, window.end - DAY_SEC)
  // A period later is within the next one, whatever a month's length.
  return periodStart(spec, last + (spec.unit === 'DAY' ? DAY_SEC : barSize(spec).sec)) + DAY_SEC
}
