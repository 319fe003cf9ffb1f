import type { ErrorBody, Priority } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { ChunkState, RunState } from '../store.ts'
import { AWAITS_LOGIN, endSteps } from './endings.ts'
import { at, epoch } from './sql.ts'

/** A run as a list shows it. */
export interface RunSummary {
  readonly id: string
  /** What opened it: `fetch`, `tick`, `hook`, … */
  readonly source: string
  /** The dataset it was opened for; undefined for one by hand. It may have been removed since. */
  readonly dataset: string | undefined
  readonly priority: Priority
  readonly state: RunState
  readonly createdAt: number
  readonly finishedAt: number | undefined
  readonly chunks: Readonly<Record<ChunkState, number>>
  /** Bars that its chunks brought. */
  readonly bars: number
  /** The newest failure of its chunks. */
  readonly error: ErrorBody | undefined
}

export interface Runs {
  /** The newest runs, at most `limit`, of all or of this state and dataset. */
  runs(filter: { readonly limit: number; readonly state?: RunState; readonly dataset?: string }): Promise<RunSummary[]>
  /**
   * Ends an open run: what is queued is cancelled, what is leased loses its fence, so that its answer is dropped when it
   * comes; the event `run.cancelled` is noted. What is parked until somebody logs in is cancelled too, and of a run that has failed
   * with such chunks, which would go on then, the same becomes. Any other run that has ended stays as it is. `stopped` counts the
   * chunks that this call ended: a chunk halved at the same instant is only found by a second call. Undefined where there is no
   * such run.
   */
  cancelRun(id: string, now: number): Promise<{ readonly state: RunState; readonly stopped: number } | undefined>
}

const STATES: readonly ChunkState[] = ['queued', 'leased', 'done', 'failed', 'parked', 'cancelled']

/** Runs as a whole: listed, and stopped. */
export function runsIn(database: Database): Runs {
  return {
    async runs({ limit, state, dataset }) {
      const filters: SQL[] = [sql`true`]
      if (state !== undefined) filters.push(sql`r.state = ${state}`)
      if (dataset !== undefined) filters.push(sql`r.dataset = ${dataset}`)
      const rows = await database.rows<SummaryRow>(sql`
        select r.id, r.source, r.dataset, r.priority, r.state, ${epoch(sql`r.created_at`)} as "createdAt",
          ${epoch(sql`r.finished_at`)} as "finishedAt", c.*
        from (
          select * from runs r where ${sql.join(filters, sql` and `)} order by r.created_at desc, r.id desc limit ${limit}::int
        ) r cross join lateral (
          select coalesce(sum(k.rows), 0)::float8 as bars,
            (array_agg(k.error order by k.id desc) filter (where k.error is not null and k.state <> 'cancelled'))[1] as error,
            ${sql.join(
              STATES.map((one) => sql`count(*) filter (where k.state = ${one})::int as ${sql.identifier(one)}`),
              sql`, `,
            )}
          from chunks k where k.run_id = r.id
        ) c
        order by r.created_at desc, r.id desc`)
      return rows.map(summary)
    },

    async cancelRun(id, now) {
      // Without the key's lock: who halves a chunk of this run at the same time refers to the run while it holds the chunk.
      const [row] = await database.rows<{ state: RunState; stopped: number }>(sql`
        with run as (
          select id, state from runs where id = ${id} for no key update
        ), stopped as (
          update chunks c set state = 'cancelled', lease_until = null, finished_at = ${at(now)}, fence = c.fence + 1
          from run where c.run_id = run.id
            and (run.state in ('open', 'cancelled') and c.state in ('queued', 'leased') or ${AWAITS_LOGIN})
          returning 1
        ), ended as (
          update runs r set state = 'cancelled', finished_at = ${at(now)} from run
          where r.id = run.id and (run.state = 'open' or run.state = 'failed' and exists (table stopped))
          returning r.*
        ), ${endSteps(now)}
        select coalesce((select state from ended), run.state) as state, (select count(*) from stopped)::int as stopped from run`)
      return row
    },
  }
}

interface SummaryRow extends Record<ChunkState, number> {
  readonly id: string
  readonly source: string
  readonly dataset: string | null
  readonly priority: Priority
  readonly state: RunState
  readonly createdAt: number
  readonly finishedAt: number | null
  readonly bars: number
  readonly error: ErrorBody | null
}

function summary({ id, source, dataset, priority, state, createdAt, finishedAt, bars, error, ...chunks }: SummaryRow) {
  return {
    ...{ id, source, priority, state, createdAt, chunks, bars },
    dataset: dataset ?? undefined,
    finishedAt: finishedAt ?? undefined,
    error: error ?? undefined,
  }
}
