import { type SQL, sql } from 'drizzle-orm'
import { iso, noteEvents } from './events.ts'

/**
 * Steps of a statement that note, for every run in its step `ended` (rows of `runs` as they are from now on), the one event
 * that tells how it ended: `run.finished`, `run.failed` or `run.cancelled`. What of a run is still open counts as cancelled,
 * for then it is this statement that stops it.
 */
export function endSteps(now: number): SQL {
  const data = sql`jsonb_build_object('run', e.id, 'dataset', e.dataset, 'source', e.source, 'createdAt', ${iso(sql`e.created_at`)},
    'finishedAt', ${iso(sql`e.finished_at`)}, 'bars', c.bars, 'chunks',
    jsonb_build_object('done', c.done, 'failed', c.failed, 'parked', c.parked, 'cancelled', c.cancelled))`
  return sql`told as (
      select e.state, ${data} as data, c.error
      from ended e cross join lateral (
        select coalesce(sum(k.rows), 0) as bars, count(*) filter (where k.state = 'done')::int as done,
          count(*) filter (where k.state = 'failed')::int as failed, count(*) filter (where k.state = 'parked')::int as parked,
          count(*) filter (where k.state in ('cancelled', 'queued', 'leased'))::int as cancelled,
          (array_agg(k.error order by k.finished_at, k.id) filter (where k.state in ('failed', 'parked')))[1] as error
        from chunks k where k.run_id = e.id
      ) c
    ), told_finished as (
      ${noteEvents('run.finished', sql`told.data`, sql`from told where state = 'done'`, now)}
    ), told_failed as (
      ${noteEvents('run.failed', sql`told.data || jsonb_build_object('error', told.error)`, sql`from told where state = 'failed'`, now)}
    ), told_cancelled as (
      ${noteEvents('run.cancelled', sql`told.data`, sql`from told where state = 'cancelled'`, now)}
    )`
}
