import { type ErrorBody, formatInstant, type Priority } from '@tidegate/core'
import type { ChunkState, RunState, RunSummary } from '@tidegate/db'

/** A run of `GET /v1/runs`. */
export interface RunAnswer {
  readonly id: string
  /** What opened it: `fetch`, `tick`, `dataset`, `hook`, … */
  readonly source: string
  readonly dataset: string | null
  readonly priority: Priority
  readonly state: RunState
  readonly createdAt: string
  readonly finishedAt: string | null
  readonly chunks: Readonly<Record<ChunkState, number>>
  readonly bars: number
  /** The newest failure of its chunks; one that is tried again leaves it here until it is answered. */
  readonly error: ErrorBody | null
}

/** `GET /v1/runs`. */
export interface RunsAnswer {
  /** The newest first. */
  readonly runs: readonly RunAnswer[]
}

export function runsAnswer(runs: readonly RunSummary[]): RunsAnswer {
  return {
    runs: runs.map(({ dataset, createdAt, finishedAt, error, ...run }) => ({
      ...run,
      dataset: dataset ?? null,
      createdAt: formatInstant(createdAt),
      finishedAt: finishedAt === undefined ? null : formatInstant(finishedAt),
      error: error ?? null,
    })),
  }
}
