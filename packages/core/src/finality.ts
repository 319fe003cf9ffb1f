import type { SecType } from './contract.ts'
import { gridSec, nextStart } from './grid.ts'
import { closedUntil, dateOf, type KnownSessions } from './sessions.ts'
import { type BarSpec, barSize, isDated } from './spec.ts'
import type { Window } from './window.ts'
import { dayStartSec, localDateSec } from './zone.ts'

const DAY_SEC = 86_400
/** Epoch seconds of a Monday, 00:00 UTC: weeks and the planner's grid are counted from it. */
export const MONDAY_SEC = 4 * DAY_SEC

/**
 * How long silence behind the last bar is not yet believed: IBKR's history servers can lag the market by minutes,
 * and a bar that is merely late must not be recorded as missing for good.
 */
const TRUST_SILENCE_SEC = { timed: 30 * 60, dated: DAY_SEC }

/** A bar's last trades reach IBKR's history some seconds after it has closed, and change it: ours to choose, for IBKR says no number. */
const REVISED_SEC = 15

/** The close of a future's dated bar may be its settlement: hours late, Friday's sometimes on Saturday (ibkr-rules, "Times"). */
const SETTLED: ReadonlySet<SecType> = new Set(['FUT', 'CONTFUT', 'FOP'])
/** Settled for good so long after the session closed. */
const SETTLED_SEC = 6 * 3600
const FRIDAY = 5

/** Where and what an instrument is, as far as its bars' finality hangs on it. `timeZoneId` is IBKR's name of its zone. */
export interface Listed {
  readonly secType: SecType
  readonly timeZoneId: string
  /** IBKR's schedule around what is asked about, where it is known. */
  readonly sessions?: KnownSessions
}

/**
 * The exclusive end of what is final at `asOf` (epoch seconds): every bar that starts before it has closed, 15 s ago or
 * longer. Timed bars start on their grid, wherever their venue's hours begin; the last one of a session that is known closes
 * with it. A dated bar is final once its venue's calendar date is over, since sessions carry the date they close on; a
 * future's a day later, when it is settled, or, where its session is known, 6 h after that closed, Friday's a day later
 * all the same.
 */
export function finalUntil(spec: BarSpec, asOf: number, listed: Listed): number {
  return endOf(spec, asOf, listed, isSettled)
}

/**
 * The exclusive end of what is worth asking for at `asOf` (epoch seconds), as `finalUntil` has it; except that a future's date
 * counts where the sessions that are given do not reach to its end: it may be settled, and whoever asks for it is told its
 * sessions beside, by which the answer is judged. Without sessions nothing is hoped for.
 */
export function hopedUntil(spec: BarSpec, asOf: number, listed: Listed): number {
  return endOf(spec, asOf, listed, maySettle)
}

/** Whether the close of a dated bar of this product may be its settlement, hours after its session. */
export function settles(spec: BarSpec, secType: SecType): boolean {
  return isDated(spec) && SETTLED.has(secType)
}

type Settled = (date: number, asOf: number, listed: Listed) => boolean

function endOf(spec: BarSpec, asOf: number, listed: Listed, isOver: Settled): number {
  const { secType, timeZoneId, sessions } = listed
  if (!isDated(spec)) {
    const grid = gridSec(spec)
    const nominal = Math.floor((asOf - REVISED_SEC - barSize(spec).sec) / grid) * grid + grid
    return sessions
      ? Math.max(nominal, Math.floor(closedBy(asOf - REVISED_SEC, nominal, sessions) / grid) * grid)
      : nominal
  }
  const today = localDateSec(asOf, timeZoneId)
  if (!settles(spec, secType)) return periodStart(spec, today)
  return periodStart(spec, isOver(today - DAY_SEC, asOf, listed) ? today : today - DAY_SEC)
}

/** The latest instant from `from` to `sec` by which every bar that starts before it has closed, because its session has. */
function closedBy(sec: number, from: number, { known, sessions }: KnownSessions): number {
  const last = sessions.findLast((session) => session.start < sec)
  if (last && last.end > sec) return Math.max(from, last.start)
  const within = known.find((one) => one.start <= from && from < one.end)
  const proven = within ? Math.min(within.end, sec) : from
  return Math.max(from, proven, last?.end ?? from)
}

/** Whether the sessions of a date, 00:00 UTC, that is over at the venue are known and settled. */
function isSettled(date: number, asOf: number, { sessions }: Listed): boolean {
  if (isFriday(date)) return false
  const booked = bookedOn(date, sessions)
  return booked.length > 0 && booked.every(({ end }) => end + SETTLED_SEC <= asOf)
}

/** Whether a date's sessions are settled, or not known: none is booked, and the schedule was not heard since the date was over. */
function maySettle(date: number, asOf: number, listed: Listed): boolean {
  const { sessions, timeZoneId } = listed
  if (isFriday(date) || !sessions) return false
  if (bookedOn(date, sessions).length > 0) return isSettled(date, asOf, listed)
  const heardUntil = Math.max(sessions.known.at(-1)?.end ?? 0, sessions.presumed?.end ?? 0)
  return heardUntil < dayStartSec(date + DAY_SEC, timeZoneId)
}

function isFriday(date: number): boolean {
  return new Date(date * 1000).getUTCDay() === FRIDAY
}

function bookedOn(date: number, sessions: KnownSessions | undefined): readonly Window[] {
  return sessions?.sessions.filter((session) => dateOf(session).start === date) ?? []
}

/** Start of the period of a dated spec that holds this date: the date itself, its Monday, the first of its month. */
export function periodStart(spec: BarSpec, dateSec: number): number {
  if (spec.unit === 'DAY') return dateSec
  if (spec.unit === 'WEEK') return Math.floor((dateSec - MONDAY_SEC) / (7 * DAY_SEC)) * 7 * DAY_SEC + MONDAY_SEC
  const date = new Date(dateSec * 1000)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / 1000
}

/**
 * The part of a chunk's window that an answer settles for good, or undefined.
 * Up to its last bar an answer is contiguous and proves itself, and up to where the next bar can start. Silence behind that
 * counts only once it is old, unless IBKR's schedule says that the market was closed.
 * `lastBar` is the start of the answer's last bar, forming or not, if any. All in epoch seconds.
 */
export function settledPart(
  window: Window,
  spec: BarSpec,
  answer: Listed & { readonly asOf: number; readonly lastBar: number | undefined },
): Window | undefined {
  const { asOf, lastBar, sessions } = answer
  const final = finalUntil(spec, asOf, answer)
  const believed = final - (isDated(spec) ? TRUST_SILENCE_SEC.dated : TRUST_SILENCE_SEC.timed)
  const shown = Math.max(believed, window.start, lastBar === undefined ? believed : nextAfter(lastBar, spec, sessions))
  const proven = sessions ? closedUntil(shown, spec, sessions) : shown
  const end = Math.min(window.end, final, proven)
  return end > window.start ? { start: window.start, end } : undefined
}

function nextAfter(sec: number, spec: BarSpec, sessions: KnownSessions | undefined): number {
  const session = sessions?.sessions.find((one) => one.start <= sec && sec < one.end)
  return nextStart(sec, spec, session)
}
