import { toTidegateError } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { Datasets } from './datasets.ts'
import { AWAITS_LOGIN, endSteps } from './endings.ts'
import { at } from './sql.ts'

/** A row that refers to a series and was put there meanwhile; two that wait for each other's rows. */
const MEANWHILE = new Set(['23503', '40P01'])
const MOST_TRIES = 5

/**
 * What takes a dataset away, with its data or without. One statement; before data are dropped another one, which takes what is
 * open of them out of its workers' hands, so that no answer comes in between. Where one has all the same, or a run or another dataset,
 * the series is still referred to, nothing has changed, and both are made once more.
 */
export function removalIn(database: Database): Pick<Datasets, 'removeDataset'> {
  /** The series that no other dataset wants, of the dataset in `gone`. */
  const own = (gone: SQL) => sql`select x.series_id as id from dataset_series x join ${gone} on gone.name = x.dataset
        where not exists (select 1 from dataset_series o where o.series_id = x.series_id and o.dataset <> x.dataset)`

  async function stop(name: string, now: number): Promise<void> {
    await database.rows(sql`
      with mine as (
        select c.id from chunks c where c.state in ('queued', 'leased') and c.series_id in (
          ${own(sql`(select name from datasets where name = ${name}) gone`)}
        ) order by c.id for update
      )
      update chunks c set state = 'cancelled', fence = c.fence + 1, lease_until = null, finished_at = ${at(now)}
      from mine where c.id = mine.id`)
  }

  async function remove(name: string, dropData: boolean, now: number): Promise<boolean> {
    // Runs before chunks, as whoever cancels a run takes them, and without the key's lock, which a chunk being halved shares.
    const rows = await database.rows(sql`
      with gone as (
        delete from datasets where name = ${name} returning name
      ), mine as (
        select r.id, r.state from runs r join gone on gone.name = r.dataset for no key update of r
      ), dropped as (
        select id from (${own(sql`gone`)}) own where ${dropData}::boolean
      ), cancelled as (
        update chunks c set state = 'cancelled', fence = c.fence + 1, lease_until = null, finished_at = ${at(now)}
        from mine where c.run_id = mine.id and (c.state in ('queued', 'leased') or ${AWAITS_LOGIN})
          and c.series_id not in (select id from dropped)
        returning c.id, c.run_id
      ), no_chunks as (
        delete from chunks where series_id in (select id from dropped) returning id, run_id
      ), cleared as materialized (
        -- Chunks before all else that is of a series, as whoever stores an answer takes them.
        select d.id from dropped d where (select count(*) from no_chunks) >= 0
      ), noted as (
        insert into outbox (kind, chunk_id) select 'chunk-settled', id from (table cancelled union all table no_chunks) settled
      ), ended as (
        update runs r set state = 'cancelled', finished_at = ${at(now)} from mine
        where r.id = mine.id and (mine.state = 'open' or mine.state = 'failed' and mine.id in (select run_id from cancelled))
        returning r.*
      ), ${endSteps(now)}, no_bars as (
        delete from bars where series_id in (select id from cleared)
      ), no_coverage as (
        delete from coverage where series_id in (select id from cleared)
      ), no_flags as (
        delete from flagged_bars where series_id in (select id from cleared)
      ), no_restatements as (
        delete from restatements where series_id in (select id from cleared)
      ), old as (
        delete from adjustments where series_id in (select id from cleared) returning id
      ), no_staged as (
        delete from staged_bars where adjustment_id in (select id from old)
      ), no_links as (
        delete from dataset_series where series_id in (select id from cleared)
      ), no_series as (
        delete from series where id in (select id from cleared)
      )
      select name from gone`)
    return rows.length === 1
  }

  return {
    async removeDataset(name, { dropData }, now) {
      for (let tries = 1; ; tries++) {
        try {
          if (dropData) await stop(name, now)
          return await remove(name, dropData, now)
        } catch (cause) {
          const { code } = (toTidegateError(cause).cause ?? {}) as { readonly code?: unknown }
          if (tries >= MOST_TRIES || typeof code !== 'string' || !MEANWHILE.has(code)) throw cause
        }
      }
    },
  }
}
