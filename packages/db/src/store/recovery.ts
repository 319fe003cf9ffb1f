import type { ErrorBody, ErrorKind } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { AWAITS_LOGIN } from './endings.ts'
import { at, textsOf } from './sql.ts'

/** How long a chunk that is parked again and again is left alone: at first not at all, then 4 minutes, twice as long each time, up to an hour. */
const AGAIN = { firstSec: 60, mostDoublings: 6 }

/** More runs than a minute brings, so that they are forgotten no slower than they come. */
const RUNS_AT_ONCE = 1000

/** What goes round again, and what does not any more. */
export interface Recovery {
  /**
   * Ends a chunk whose message was given up by the queue: `failed`, with its last error, or with this one where it has
   * none. Its window is a gap again. False, and nothing changes, where the chunk is in a worker's hands, waits for its
   * time, or has ended: then it is not this message that it hangs on.
   */
  bury(chunkId: string, error: ErrorBody, now: number): Promise<boolean>
  /** Whether any chunk is parked until somebody logs in at the gateway, or is queued until later after a failure of these kinds. */
  isAnyHeld(kinds: readonly ErrorKind[], now: number): Promise<boolean>
  /**
   * Queues the chunks that were parked for want of a login, at most `limit`, and opens their runs again: somebody has
   * logged in. What was answered since, or is asked for by another chunk, stays where it is; what is parked again and
   * again waits longer each time. How many there were.
   */
  resume(now: number, limit: number): Promise<number>
  /** Makes the chunks that wait for their time after a failure of these kinds due at once. How many there were. */
  hasten(kinds: readonly ErrorKind[], now: number): Promise<number>
  /** Notes that the gateway can't be asked. */
  noteAway(now: number): Promise<void>
  /** The gateway can be asked. Whether it was noted before that it could not: of several who find out at once one is told so. */
  clearAway(): Promise<boolean>
  /**
   * Deletes the chunks of runs that ended before this instant, at most `limit`, the oldest first, and the runs that have none
   * left. How many chunks. What a split under way was collected by stays until it is in place.
   */
  forgetRuns(before: number, limit: number): Promise<number>
}

export function recoveryIn(database: Database): Recovery {
  return {
    async bury(chunkId, error, now) {
      const rows = await database.rows(sql`
        with dead as (
          update chunks set state = 'failed', lease_until = null, finished_at = ${at(now)}, fence = fence + 1,
            error = coalesce(error, ${JSON.stringify(error)}::jsonb)
          where id = ${chunkId}::bigint
            and (state = 'queued' and not_before <= ${at(now)} or state = 'leased' and lease_until <= ${at(now)})
          returning id
        ), noted as (
          insert into outbox (kind, chunk_id) select 'chunk-settled', id from dead
        )
        select id from dead`)
      return rows.length === 1
    },

    async isAnyHeld(kinds, now) {
      const [row] = await database.rows<{ any: boolean }>(sql`
        select exists (select 1 from chunks where state = 'parked' and error->>'kind' = 'login-required')
          or exists (select 1 from chunks where ${held(kinds, now)}) as any`)
      return row?.any ?? false
    },

    async resume(now, limit) {
      // Of parked chunks that overlap only the newest: two open ones of a series may not. Runs before chunks, as whoever cancels
      // one takes them.
      const [row] = await database.rows<{ resumed: number }>(sql`
        with mine as (
          select r.id from runs r where r.state in ('open', 'failed')
            and exists (select 1 from chunks c where c.run_id = r.id and ${AWAITS_LOGIN}) order by r.id for no key update of r
        ), waiting as (
          select k.id, k.run_id from chunks k join mine on mine.id = k.run_id
          where k.state = 'parked' and k.error->>'kind' = 'login-required'
            and (k.failures < 2 or k.finished_at <= ${at(now)} - make_interval(secs => ${AGAIN.firstSec} * 2 ^ least(k.failures, ${AGAIN.mostDoublings})))
            and not exists (
              select 1 from chunks o where o.series_id = k.series_id and o.state in ('queued', 'leased') and o.win && k.win
            ) and not exists (
              select 1 from chunks o
              where o.series_id = k.series_id and o.state in ('failed', 'parked') and o.id > k.id and o.win && k.win
            ) and (k.adjustment_id is not null or not coalesce(
              (select range_agg(v.windows) @> k.win from coverage v where v.series_id = k.series_id), false
            ))
          order by k.id limit ${limit}::int for update of k
        ), again as (
          update chunks c set state = 'queued', not_before = ${at(now)}, finished_at = null
          from waiting w where c.id = w.id returning c.id, c.run_id
        ), reopened as (
          update runs set state = 'open', finished_at = null
          where id in (select run_id from again) and state = 'failed'
        ), noted as (
          insert into outbox (kind, chunk_id) select 'chunk-queued', id from again order by id
        )
        select count(*)::int as resumed from again`)
      return row?.resumed ?? 0
    },

    async hasten(kinds, now) {
      const [row] = await database.rows<{ freed: number }>(sql`
        with freed as (
          update chunks set not_before = ${at(now)} where ${held(kinds, now)} returning id
        ), noted as (
          insert into outbox (kind, chunk_id) select 'chunk-queued', id from freed order by id
        )
        select count(*)::int as freed from freed`)
      return row?.freed ?? 0
    },

    async noteAway(now) {
      await database.rows(sql`
        insert into notices (kind, since) values ('gateway-away', ${at(now)}) on conflict (kind) do nothing`)
    },

    async clearAway() {
      const rows = await database.rows(sql`delete from notices where kind = 'gateway-away' returning 1 as found`)
      return rows.length === 1
    },

    async forgetRuns(before, limit) {
      // A run goes one call after its chunks: a statement does not see what it deletes itself. One that was opened again
      // while this waited for it stays, and so do its chunks.
      const rows = await database.rows(sql`
        with old as materialized (
          select id from runs where created_at < ${at(before)} and state <> 'open' and finished_at < ${at(before)}
          order by created_at, id limit ${RUNS_AT_ONCE}::int
        ), emptied as (
          delete from runs r using old where r.id = old.id and r.state <> 'open'
            and not exists (select 1 from chunks c where c.run_id = r.id)
        )
        delete from chunks where state not in ('queued', 'leased') and id in (
          select c.id from old join chunks c on c.run_id = old.id
          where not exists (select 1 from adjustments a where a.id = c.adjustment_id and a.state = 'collecting')
          limit ${limit}::int
        ) returning 1 as gone`)
      return rows.length
    },
  }
}

/** Chunks that wait for their time, because they failed with one of these kinds. */
function held(kinds: readonly ErrorKind[], now: number): SQL {
  return sql`state in ('queued', 'leased') and state = 'queued' and not_before > ${at(now)} and error->>'kind' = any(${textsOf(kinds)})`
}
