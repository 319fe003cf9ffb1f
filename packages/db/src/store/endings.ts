import { type SQL, sql } from 'drizzle-orm'
import { iso, noteEvents } from './events.ts'

/** True for a chunk `c` that goes on once somebody logs in. */
export const AWAITS_LOGIN: SQL = sql`(c.state = 'parked' and c.error->>'kind' = 'login-required')`

/**
 * Steps of a statement that note, for every run in its step `ended` (rows of `runs` as they are from now on), the one event
 * that tells how it ended: `run.finished`, `run.failed` or `run.cancelled`. What of a run is still open counts as cancelled,
 * for then it is this statement that stops it, and so does what waits for a login where the run is.
 */
export function endSteps(now: number): SQL {
  const data = sql`jsonb_build_object('run', e.id, 'dataset', e.dataset, 'source', e.source, 'createdAt', ${iso(sql`e.created_at`)},
    'finishedAt', ${iso(sql`e.finished_at`)}, 'bars', n.bars, 'chunks',
    jsonb_build_object('done', n.done, 'failed', n.failed, 'parked', n.parked, 'cancelled', n.cancelled))`
  return sql`told as (
      select e.state, ${data} as data, n.error
      from ended e cross join lateral (
        select coalesce(sum(k.rows), 0) as bars, count(*) filter (where k.state = 'done')::int as done,
          count(*) filter (where k.state = 'failed')::int as failed, count(*) filter (where k.state = 'parked')::int as parked,
          count(*) filter (where k.state in ('cancelled', 'queued', 'leased'))::int as cancelled,
          (array_agg(k.error order by k.finished_at, k.id) filter (where k.state in ('failed', 'parked')))[1] as error
        from (
          select c.id, c.rows, c.error, c.finished_at, case when e.state = 'cancelled' and ${AWAITS_LOGIN} then 'cancelled' else c.state end as state
          from chunks c where c.run_id = e.id
        ) k
      ) n
    ), told_finished as (
      ${noteEvents('run.finished', sql`told.data`, sql`from told where state = 'done'`, now)}
    ), told_failed as (
      ${noteEvents('run.failed', sql`told.data || jsonb_build_object('error', told.error)`, sql`from told where state = 'failed'`, now)}
    ), told_cancelled as (
      ${noteEvents('run.cancelled', sql`told.data`, sql`from told where state = 'cancelled'`, now)}
    )`
}
