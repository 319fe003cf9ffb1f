import { formatInstant, type Hours } from '@tidegate/core'
import type { JudgedSeries, SeriesCompleteness, SessionRow, SessionState } from '@tidegate/db'
import { type WindowAnswer, windowAnswer } from '../answers.ts'

/** `GET /v1/coverage`. */
export interface CoverageAnswer {
  readonly series: readonly CompletenessAnswer[]
  /** The `after` that asks for the next page of series; null on the last one. */
  readonly next: number | null
}

export interface CompletenessAnswer {
  readonly instrumentId: string
  readonly spec: string
  readonly hours: Hours
  /** What was judged: from `start`, or what is declared or covered first, to `end` or as far as bars are final. Null where nothing is. */
  readonly window: WindowAnswer | null
  /** Nothing that is due is missing: IBKR has answered all of it. */
  readonly complete: boolean
  /** Sessions that are over, of a hundred so many are answered; null where no sessions are known. */
  readonly percent: number | null
  /** How many sessions stand how; `open` ones are not over yet. */
  readonly sessions: Readonly<Record<SessionState | 'open', number>>
  /** The first 100 gaps that hold something due. */
  readonly missing: readonly WindowAnswer[]
  /** How many gaps there are. */
  readonly gaps: number
  /** Bars that do not look right; they are stored as they came. */
  readonly flagged: number
}

/** `GET /v1/coverage?detail=sessions`. */
export interface SessionsAnswer {
  readonly instrumentId: string
  readonly spec: string
  readonly hours: Hours
  readonly sessions: readonly {
    readonly date: string
    readonly opens: string
    readonly closes: string
    /** Bars that can start in it, and those that are stored: minutes without a trade have none. */
    readonly expected: number
    readonly stored: number
    /** Whether IBKR has answered all of it: this, and not the count of bars, says that nothing is missing. */
    readonly covered: boolean
    readonly state: SessionState | 'open'
    readonly flagged: number
  }[]
  /** The `start` that asks for the next page; null on the last one. */
  readonly next: string | null
}

type Key = Pick<JudgedSeries, 'instrumentId' | 'spec' | 'hours'>

export function completenessAnswer(
  { instrumentId, spec, hours }: Key,
  window: { readonly start: number; readonly end: number } | undefined,
  { sessions, missing, gaps, flagged }: Omit<SeriesCompleteness, 'seriesId'>,
): CompletenessAnswer {
  return {
    instrumentId,
    spec,
    hours,
    window: window ? windowAnswer(window) : null,
    complete: window !== undefined && gaps === 0,
    percent: percentOf(sessions, gaps),
    sessions,
    missing: missing.map(windowAnswer),
    gaps,
    flagged,
  }
}

/** To a tenth, rounded down, so that only what is complete is 100. */
function percentOf(sessions: SeriesCompleteness['sessions'], gaps: number): number | null {
  const answered = sessions.complete + sessions.empty + sessions.unavailable
  const due = answered + sessions.partial + sessions.missing
  if (due === 0) return null
  const percent = Math.floor((1000 * answered) / due) / 10
  return gaps > 0 ? Math.min(percent, 99.9) : percent
}

export function sessionsAnswer(
  { instrumentId, spec, hours }: Key,
  rows: readonly SessionRow[],
  next: number | undefined,
): SessionsAnswer {
  return {
    instrumentId,
    spec,
    hours,
    sessions: rows.map(({ opens, closes, starts: _starts, ends: _ends, ...row }) => ({
      ...row,
      opens: formatInstant(opens),
      closes: formatInstant(closes),
    })),
    next: next === undefined ? null : formatInstant(next),
  }
}
