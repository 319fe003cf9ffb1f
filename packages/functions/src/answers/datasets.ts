import { type DatasetDefinition, formatInstant, type Window } from '@tidegate/core'
import type { RunState } from '@tidegate/db'
import type { DatasetStatus, Problem } from '@tidegate/ingest'
import type { WindowAnswer } from '../answers.ts'

/** A dataset of `GET /v1/datasets`. */
export interface DatasetSummary {
  readonly name: string
  readonly definition: DatasetDefinition
  /** What the definition's `since` meant when it was declared; null for IBKR's head timestamp. */
  readonly since: string | null
  readonly paused: boolean
  /** When it is brought up to date next. */
  readonly dueAt: string
  readonly createdAt: string
  readonly updatedAt: string
  /** How many series it comes to so far. */
  readonly seriesCount: number
  /** The share that is had of the sessions that are over and may be had, 0 to 1, as `GET /v1/coverage` has it; null where none is due yet. */
  readonly complete: number | null
  readonly lastRun: {
    readonly id: string
    readonly source: string
    readonly state: RunState
    readonly createdAt: string
    readonly finishedAt: string | null
  } | null
  /** How many of its instruments IBKR has not been asked for yet: of thousands a tick asks for a hundred. */
  readonly unasked: number
  /** What can't be had as it stands, beside the rest that can. */
  readonly problems: readonly Problem[]
}

/** `GET /v1/datasets`. */
export interface DatasetsAnswer {
  readonly datasets: readonly DatasetSummary[]
}

/** `GET /v1/datasets/:name`, and what `POST` and `PATCH` answer. */
export interface DatasetAnswer extends DatasetSummary {
  readonly series: readonly {
    readonly instrumentId: string
    readonly spec: string
    /** What is wanted of it and final by now; null while nothing is, or while its beginning is not known. */
    readonly wanted: WindowAnswer | null
    readonly complete: number | null
    /** What of that is not covered. */
    readonly gaps: readonly WindowAnswer[]
  }[]
}

/** `DELETE /v1/datasets/:name`. */
export interface RemovedAnswer {
  readonly removed: string
  readonly data: 'keep' | 'drop'
}

export function datasetSummary(status: DatasetStatus): DatasetSummary {
  const { name, definition, since, paused, dueAt, createdAt, updatedAt, series, complete, lastRun, unasked, problems } =
    status
  return {
    name,
    definition,
    since: instantOrNull(since),
    paused,
    dueAt: formatInstant(dueAt),
    createdAt: formatInstant(createdAt),
    updatedAt: formatInstant(updatedAt),
    seriesCount: series.length,
    complete: complete ?? null,
    lastRun: lastRun
      ? { ...lastRun, createdAt: formatInstant(lastRun.createdAt), finishedAt: instantOrNull(lastRun.finishedAt) }
      : null,
    unasked,
    problems,
  }
}

export function datasetAnswer(status: DatasetStatus): DatasetAnswer {
  return {
    ...datasetSummary(status),
    series: status.series.map(({ instrumentId, spec, wanted, complete, gaps }) => ({
      instrumentId,
      spec,
      wanted: wanted ? windowAnswer(wanted) : null,
      complete: complete ?? null,
      gaps: gaps.map(windowAnswer),
    })),
  }
}

function windowAnswer({ start, end }: Window): WindowAnswer {
  return { start: formatInstant(start), end: formatInstant(end) }
}

function instantOrNull(sec: number | undefined): string | null {
  return sec === undefined ? null : formatInstant(sec)
}
