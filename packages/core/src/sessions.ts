import { type BarSpec, isDated } from './spec.ts'
import { intersect, merge, type Window } from './window.ts'

const DAY_SEC = 86_400
/** Where on earth a date begins first, and ends last, against its 00:00 UTC; a session may open on the evening before its date. */
const DATE_BEGINS_SEC = -DAY_SEC
const DATE_ENDS_SEC = 1.5 * DAY_SEC
/** No market is closed for longer. */
const LONGEST_BREAK_SEC = 14 * DAY_SEC

/** One trading session `[start, end)`, epoch seconds UTC. */
export interface Session extends Window {
  /** `yyyy-mm-dd`, the date it counts for: its closing date where it crosses midnight. */
  readonly date: string
  /** How far the venue's clocks were ahead of UTC when it opened, seconds. */
  readonly offsetSec: number
}

/** What IBKR's own schedule says of a venue's hours, as far as it was asked. */
export interface KnownSessions {
  /** The windows it was asked about, ordered and apart: in them there are no sessions but these. */
  readonly known: readonly Window[]
  /**
   * Since the last session of the newest answer: it listed none that had begun by then. It is not said that it lists a
   * session under way, so that this proves nothing by itself.
   */
  readonly presumed: Window | undefined
  /** When the newest answer was asked for, epoch seconds; undefined where none was. Of what began since then it says nothing. */
  readonly askedAt?: number | undefined
  /** Some of what is not known was asked for in vain just now. */
  readonly isUnasked?: boolean
  /** Ordered. Some may lie outside of what is known: today's, whose end is not over. */
  readonly sessions: readonly Session[]
}

/** Whether the whole window is known. */
export function isKnown({ start, end }: Window, { known }: Pick<KnownSessions, 'known'>): boolean {
  return known.some((one) => one.start <= start && end <= one.end)
}

/** The sessions that touch the window. */
export function sessionsIn<S extends Window>(window: Window, { sessions }: { readonly sessions: readonly S[] }): S[] {
  return sessions.filter((session) => intersect(session, window) !== undefined)
}

/** Whether bars of this spec can't exist in the window: IBKR's schedule is known for all of it, and has no session there. */
export function isClosed(window: Window, spec: BarSpec, sessions: KnownSessions): boolean {
  const hours = hoursFor(spec, sessions)
  return isKnown(window, hours) && sessionsIn(window, hours).length === 0
}

/** Whether the schedule has a session in the window, so that bars of this spec may be missed there. */
export function isOpenIn(window: Window, spec: BarSpec, sessions: KnownSessions): boolean {
  return sessionsIn(window, hoursFor(spec, sessions)).length > 0
}

/** From `sec` on, until when no bar of this spec begins by the schedule: `sec` itself within a session or where nothing is known. */
export function closedUntil(sec: number, spec: BarSpec, sessions: KnownSessions): number {
  const { known, presumed, sessions: open } = hoursFor(spec, sessions)
  const within = merge([...known, ...(presumed ? [presumed] : [])]).find((one) => one.start <= sec && sec < one.end)
  if (!within || open.some((one) => one.start <= sec && sec < one.end)) return sec
  return Math.min(within.end, open.find((one) => one.start > sec)?.start ?? Number.POSITIVE_INFINITY)
}

/** The schedule in the time that bars of a spec stand in: by dates for those of a day and longer. */
function hoursFor(
  spec: BarSpec,
  { known, presumed, sessions }: KnownSessions,
): {
  readonly known: readonly Window[]
  readonly presumed: Window | undefined
  readonly sessions: readonly Window[]
} {
  if (!isDated(spec)) return { known, presumed, sessions }
  const dates = known.flatMap(({ start, end }) => {
    const first = Math.ceil((start - DATE_BEGINS_SEC) / DAY_SEC) * DAY_SEC
    const last = Math.floor((end - DATE_ENDS_SEC) / DAY_SEC) * DAY_SEC
    return first <= last ? [{ start: first, end: last + DAY_SEC }] : []
  })
  return { known: dates, presumed: undefined, sessions: sessions.map(dateOf) }
}

/** 00:00 UTC of a session's date, and a day from there. */
export function dateOf({ date }: Pick<Session, 'date'>): Window {
  const start = Date.parse(`${date}T00:00:00Z`) / 1000
  return { start, end: start + DAY_SEC }
}

/** What one answer of the schedule proves. */
export interface ProvenSessions<S> {
  readonly sessions: readonly S[]
  /** In it there are no sessions but these. */
  readonly known: Window
  /** Whether it listed the sessions up to `asked.end` as far as can be told: its last one is not long past, nor its contract's last. */
  readonly isCurrent: boolean
}

/**
 * What of a schedule's answer is taken for the calendar, undefined where nothing is. Its first session is not where it opens at
 * an hour at which none of the next does: it may be cut where the contract's history begins. Nor is one on or after the contract's last trading date (`expires`,
 * `yyyymmdd`), which may end early for it alone; nor, of a past end, one that reaches that end, which may cut it.
 * `end` is what was asked for, `isNow` whether that was the present.
 */
export function provenSessions<S extends Window & Pick<Session, 'date'>>(
  answered: readonly S[],
  { end, isNow, expires = '' }: { readonly end: number; readonly isNow: boolean; readonly expires?: string },
): ProvenSessions<S> | undefined {
  const ordered = answered.toSorted((a, b) => a.start - b.start)
  const lasts = /^\d{8}$/.test(expires) ? expires : '99999999'
  const sessions = ordered
    .slice(opensAsUsual(ordered) ? 0 : 1)
    .filter((one) => one.date.replaceAll('-', '') < lasts && (isNow || one.end < end) && one.start < one.end)
  const [first, last] = [sessions[0], sessions.at(-1)]
  if (!first || !last) return undefined
  const isCurrent = isNow && last === ordered.at(-1) && end - last.end <= LONGEST_BREAK_SEC
  return { sessions, known: { start: first.start, end: Math.max(first.start + 1, Math.min(last.end, end)) }, isCurrent }
}

/** Two weeks of a market that closes at noon. */
const NEXT = 20

/** Whether the first of these sessions opens at the hour of a later one. */
function opensAsUsual([first, ...rest]: readonly Window[]): boolean {
  return first !== undefined && rest.slice(0, NEXT).some(({ start }) => (start - first.start) % DAY_SEC === 0)
}
