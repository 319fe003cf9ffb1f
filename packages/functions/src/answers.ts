import { type BarColumns, type ErrorBody, formatInstant, type Hours, type Window } from '@tidegate/core'
import type { ChunkState, RunProgress, RunState, Series, SeriesProgress, SeriesSummary } from '@tidegate/db'
import type { Problem, Started } from '@tidegate/ingest'
import type { RelayStatus } from '@tidegate/relay'

/** What the HTTP interface answers, as JSON. Instants are ISO texts in UTC, windows half-open `[start, end)`. */

export interface WindowAnswer {
  readonly start: string
  readonly end: string
}

/** `POST /v1/runs`. */
export interface StartedAnswer {
  readonly id: string
  readonly chunks: number
  /** Requests that one run does not hold: the same request again, once this run is done, goes on with them. */
  readonly remaining: number
  readonly series: readonly Series[]
  /** What of the request can't be done, beside the rest that is under way. */
  readonly problems: readonly Problem[]
}

/** `GET /v1/runs/:id`. */
export interface ProgressAnswer {
  readonly id: string
  readonly state: RunState
  readonly createdAt: string
  readonly finishedAt: string | null
  readonly chunks: Readonly<Record<ChunkState, number>>
  readonly bars: number
  readonly series: readonly SeriesProgress[]
}

/** `GET /v1/bars`: columns, as bars have them everywhere; `t` in epoch seconds. */
export interface BarsAnswer {
  readonly instrumentId: string
  readonly spec: string
  readonly hours: Hours
  readonly bars: BarColumns
  /** The `start` that asks for the next page; null on the last one. */
  readonly next: string | null
  /** The newest adjustment of the series, 0 for none: asked for with it, the next page is of the same scale, or refused. */
  readonly adjustment: number
}

/** `GET /v1/series`. */
export interface SeriesAnswer {
  readonly series: readonly {
    readonly instrumentId: string
    readonly spec: string
    readonly hours: Hours
    readonly bars: number
    /** First and last bar; null while there is none. */
    readonly from: string | null
    readonly to: string | null
    readonly covered: readonly WindowAnswer[]
  }[]
}

/** `GET /v1/status`. */
export interface StatusAnswer {
  readonly database: { readonly ok: true } | { readonly ok: false; readonly error: ErrorBody }
  readonly bridge: ({ readonly ok: true } & RelayStatus) | { readonly ok: false; readonly error: ErrorBody }
}

/** What every refused or failed request answers. */
export interface ErrorAnswer {
  readonly error: ErrorBody
}

export function startedAnswer({ runId, chunks, remaining, series, problems }: Started): StartedAnswer {
  return { id: runId, chunks, remaining, series, problems }
}

export function progressAnswer(run: RunProgress): ProgressAnswer {
  return { ...run, createdAt: formatInstant(run.createdAt), finishedAt: instantOrNull(run.finishedAt) }
}

export function seriesAnswer(series: readonly SeriesSummary[]): SeriesAnswer {
  return {
    series: series.map(({ instrumentId, spec, hours, bars, from, to, covered }) => ({
      instrumentId,
      spec,
      hours,
      bars,
      from: instantOrNull(from),
      to: instantOrNull(to),
      covered: covered.map(windowAnswer),
    })),
  }
}

export function windowAnswer({ start, end }: Window): WindowAnswer {
  return { start: formatInstant(start), end: formatInstant(end) }
}

function instantOrNull(sec: number | undefined): string | null {
  return sec === undefined ? null : formatInstant(sec)
}
