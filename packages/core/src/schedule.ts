import { Cron } from 'croner'
import { TidegateError } from './errors.ts'
import { resetsAround } from './resets.ts'
import { merge, type Window } from './window.ts'
import { zoneOffsetSec } from './zone.ts'

/** A length of time: `20m`, `1h`, `1d`. */
export type Duration = `${number}m` | `${number}h` | `${number}d`

/**
 * When a dataset is brought up to date: by a cron pattern on the clocks of a zone; so long after each close of its
 * instruments' own sessions; or again and again, all day or while a session is open and once after its close.
 */
export type Schedule =
  | { readonly cron: string; readonly zone: string }
  | { readonly afterClose: Duration }
  | { readonly every: Duration; readonly during?: 'session' }

const DURATION = /^(\d{1,4})(m|h|d)$/
const UNIT_SEC = { m: 60, h: 3600, d: 86_400 } as const
/** A session's last bar is final by then. */
const CLOSED_SEC = 60
/** Without known sessions: US stocks have closed an hour ago, futures and currencies end their day (17:00 in New York). */
const ASSUMED_CLOSE = { pattern: '0 17 * * 1-5', zone: 'America/New_York' } as const

/** Seconds of `20m`, `1h`, `2d`. Throws `invalid` on anything else, and on nothing at all. */
export function durationSec(text: string): number {
  const [, count, unit] = DURATION.exec(text) ?? []
  const sec = count && unit ? Number(count) * UNIT_SEC[unit as keyof typeof UNIT_SEC] : 0
  if (sec === 0) throw new TidegateError('invalid', `"${text}" is no duration: expected one such as 5m, 1h or 1d.`)
  return sec
}

/** Checks what a schedule's texts say. Throws `invalid` for a cron pattern, zone or duration that is none. */
export function checkSchedule(schedule: Schedule): void {
  if ('cron' in schedule) checkCron(schedule)
  else durationSec('every' in schedule ? schedule.every : schedule.afterClose)
}

/** Whether the schedule hangs on sessions: `nextDue` then needs them. */
export function followsSessions(schedule: Schedule): boolean {
  return 'afterClose' in schedule || ('every' in schedule && schedule.during === 'session')
}

/**
 * The first instant after `afterSec` at which a schedule is due, epoch seconds.
 *
 * `sessions` are those of the dataset's instruments, `[opens, closes)`, in any order. `afterClose` is due so long after
 * the close of each; `during: 'session'` at every multiple of `every` from a session's opening on, sessions that overlap
 * counting as one, and a minute after its close. Where no known session makes it due any more, `afterClose` counts from
 * 17:00 in New York, Monday to Friday, and `during` is left out of account.
 *
 * What falls in a reset of IBKR's servers is due once that is over. A fixed time of a cron pattern that the clocks skip is
 * due as soon as they have, one that they show twice the first time; a pattern with wildcards goes by the hours that are.
 */
export function nextDue(schedule: Schedule, afterSec: number, sessions: readonly Window[] | undefined): number {
  // Within a reset, what it has held back already is still to come.
  const held = resetsAround(afterSec)
  const due = next(schedule, held ? held.start - 1 : afterSec, sessions ?? [])
  return resetsAround(due)?.end ?? due
}

function next(schedule: Schedule, afterSec: number, sessions: readonly Window[]): number {
  if ('cron' in schedule) return nextCron(schedule, afterSec)
  if ('afterClose' in schedule) return nextClose(durationSec(schedule.afterClose), afterSec, sessions)
  const everySec = durationSec(schedule.every)
  const within = schedule.during === 'session' ? nextWithin(everySec, afterSec, sessions) : undefined
  return within ?? (Math.floor(afterSec / everySec) + 1) * everySec
}

function nextClose(laterSec: number, afterSec: number, sessions: readonly Window[]): number {
  const due = sessions.map(({ end }) => end + laterSec).filter((sec) => sec > afterSec)
  if (due.length > 0) return Math.min(...due)
  return nextCron({ cron: ASSUMED_CLOSE.pattern, zone: ASSUMED_CLOSE.zone }, afterSec - laterSec) + laterSec
}

function nextWithin(everySec: number, afterSec: number, sessions: readonly Window[]): number | undefined {
  const session = merge(sessions).find(({ end }) => end + CLOSED_SEC > afterSec)
  if (!session) return undefined
  const past = Math.max(0, Math.floor((afterSec - session.start) / everySec))
  const due = session.start + (past + 1) * everySec
  return due < session.end ? due : session.end + CLOSED_SEC
}

/** Croner takes more than five fields of a zone: `@daily`, a date, and no zone at all, which is the machine's own. */
function checkCron({ cron, zone }: { readonly cron: string; readonly zone: string }): void {
  if (cron.trim().split(/\s+/).length !== 5) {
    throw new TidegateError('invalid', `"${cron}" is no cron pattern: expected five fields such as "30 17 * * 1-5".`)
  }
  try {
    zoneOffsetSec(0, zone)
  } catch (cause) {
    throw new TidegateError('invalid', `"${zone}" is no zone: expected one such as America/New_York or UTC.`, { cause })
  }
  nextCron({ cron, zone }, 0)
}

/** Croner's own rules where clocks change, lists of hours and minutes counting as fixed times. */
function nextCron({ cron, zone }: { readonly cron: string; readonly zone: string }, afterSec: number): number {
  let found: Date | null
  try {
    const options = { timezone: zone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true } as const
    found = new Cron(cron, options).nextRun(new Date(afterSec * 1000))
  } catch (cause) {
    throw new TidegateError(
      'invalid',
      `"${cron}" in "${zone}" is no schedule: expected five fields such as "30 17 * * 1-5" and a zone such as ` +
        `America/New_York. ${cause instanceof Error ? cause.message.replace(/^Cron\w+: /, '') : String(cause)}`,
      { cause },
    )
  }
  if (!found) throw new TidegateError('invalid', `"${cron}" in "${zone}" never comes.`)
  return found.getTime() / 1000
}
