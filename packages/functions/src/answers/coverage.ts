import { formatInstant, type Hours, parseSpec, shareOf, subtract, unavailableFor, type Window } from '@tidegate/core'
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
  /** The datasets that want it. */
  readonly datasets: readonly string[]
  /** Whether it counts: a dataset wants it, or nothing is declared at all. */
  readonly wanted: boolean
  /**
   * What was judged: from `start`, or what is declared, or of what no dataset wants what was asked or answered first, to `end` or
   * as far as bars are final. Null where nothing was asked, where the beginning is not known, and where nothing is due yet.
   */
  readonly window: WindowAnswer | null
  /** Nothing that is due is missing: IBKR has answered all of it that it has. Null where nothing is due yet. */
  readonly complete: boolean | null
  /**
   * Of a hundred sessions that are over and may be had so many are answered, and of days where no sessions are known; null where
   * there are none.
   */
  readonly percent: number | null
  /** How many sessions stand how; `open` ones are not over yet. */
  readonly sessions: Readonly<Record<SessionState | 'open', number>>
  /** The first 100 gaps that hold something due. */
  readonly missing: readonly WindowAnswer[]
  /** How many gaps there are. */
  readonly gaps: number
  /** What IBKR never has of it, with the reasons. */
  readonly unavailable: readonly { readonly windows: readonly WindowAnswer[]; readonly why: string }[]
  /** What is due and of which no sessions are known: it counts by its days. */
  readonly unknown: readonly WindowAnswer[]
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

/** `nowSec` says what IBKR has no more. */
export function completenessAnswer(
  series: JudgedSeries,
  { sessions, missing, gaps, unavailable, unknown, share, flagged }: Omit<SeriesCompleteness, 'seriesId'>,
  nowSec: number,
): CompletenessAnswer {
  const { instrumentId, spec, hours, datasets, wanted, window } = series
  const due = window && window.start < window.end ? window : undefined
  const part = shareOf([{ share, gaps }])
  return {
    instrumentId,
    spec,
    hours,
    datasets,
    wanted,
    window: due ? windowAnswer(due) : null,
    complete: window && !due ? null : due !== undefined && gaps === 0,
    // Rounded down, so that only what is complete is 100.
    percent: due && part !== undefined ? Math.floor(part * 1000 + 1e-6) / 10 : null,
    sessions,
    missing: missing.map(windowAnswer),
    gaps,
    unavailable: whyNever(series, unavailable, nowSec).map(({ windows, why }) => ({
      windows: windows.map(windowAnswer),
      why,
    })),
    unknown: unknown.map(windowAnswer),
    flagged,
  }
}

/** What is covered as unavailable, by IBKR's rules; one that has changed since is not named any more. */
function whyNever({ spec, secType, hours, expires }: JudgedSeries, windows: readonly Window[], nowSec: number) {
  const [first, last] = [windows[0], windows.at(-1)]
  if (!first || !last) return []
  const rules = unavailableFor(
    { spec: parseSpec(spec), secType, hours, expires },
    { start: first.start, end: last.end },
    nowSec,
  )
  const told = rules.map((rule) => ({ why: rule.why, windows: subtract(windows, subtract(windows, rule.windows)) }))
  const rest = subtract(
    windows,
    told.flatMap((one) => one.windows),
  )
  return [...told, { why: 'IBKR had it no more when it was asked for', windows: rest }].filter(
    (one) => one.windows.length > 0,
  )
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
