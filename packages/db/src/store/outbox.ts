import type { Priority } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { at } from './sql.ts'

/**
 * How many chunks of one run and bar specification may be with the queue at once. What IBKR lets through slowly (bars of 30 s
 * and shorter) would else go round in thousands, each refused as `busy` again and again, and stand before what is asked later.
 */
const MOST_WITH_QUEUE = 500

export interface OutboxEntry {
  readonly id: number
  readonly kind: 'chunk-queued' | 'chunk-settled'
  readonly chunkId: string
  /** Of a chunk that is still to be worked on: its run's priority, and about how many of the run come before it. */
  readonly open: { readonly priority: Priority; readonly place: number } | undefined
}

export interface Outbox {
  /**
   * What is for the queue, and which chunks have settled, not yet delivered, the oldest first; `delivered` marks it. Of the
   * chunks of one run and bar specification only the first `most` that have not ended (default 500); not counted are those that
   * wait for a second look.
   */
  outbox(limit: number, most?: number): Promise<OutboxEntry[]>
  delivered(ids: readonly number[], now: number): Promise<void>
  /** Deletes the entries that were delivered before this instant, at most `limit`, the oldest first. How many. */
  forgetDelivered(before: number, limit: number): Promise<number>
}

export function outboxIn(database: Database): Outbox {
  return {
    async outbox(limit, most = MOST_WITH_QUEUE) {
      const rows = await database.rows<EntryRow>(sql`
        with entries as (
          select o.id, o.kind, o.chunk_id, c.id is not null as open, c.run_id, s.spec
          from outbox o
          left join chunks c on c.id = o.chunk_id and o.kind = 'chunk-queued' and c.state in ('queued', 'leased')
          left join series s on s.id = c.series_id
          where o.delivered_at is null and o.kind <> 'event'
        ), groups as (
          select distinct run_id, spec from entries where open
        ), bounds as materialized (
          select g.run_id, g.spec, r.priority, (select min(c.id) from chunks c where c.run_id = g.run_id) as first, (
            select c.id from chunks c join series s on s.id = c.series_id
            where c.run_id = g.run_id and s.spec = g.spec and c.state in ('queued', 'leased')
              and c.doubts = 0 and c.error->>'kind' is distinct from 'not-found'
            order by c.id offset ${most - 1}::int limit 1
          ) as last from groups g join runs r on r.id = g.run_id
        )
        select e.id::float8 as id, e.kind, e.chunk_id::text as "chunkId", b.priority, (e.chunk_id - b.first)::float8 as place
        from entries e left join bounds b on e.open and b.run_id = e.run_id and b.spec = e.spec
        where b.last is null or e.chunk_id <= b.last
        order by e.id limit ${limit}::int`)
      return rows.map(({ id, kind, chunkId, priority, place }) => {
        return { id, kind, chunkId, open: priority === null ? undefined : { priority, place } }
      })
    },

    async delivered(ids, now) {
      await database.rows(sql`
        update outbox set delivered_at = ${at(now)}
        where id in (select value::bigint from jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`)
    },

    async forgetDelivered(before, limit) {
      const rows = await database.rows(sql`
        delete from outbox where id in (
          select id from outbox where delivered_at < ${at(before)} order by delivered_at limit ${limit}::int
        ) returning 1 as gone`)
      return rows.length
    },
  }
}

interface EntryRow extends Pick<OutboxEntry, 'id' | 'kind' | 'chunkId'> {
  readonly priority: Priority | null
  readonly place: number
}

/** True for a chunk `c` that is not with the queue: its turn to be sent there has not come. */
export const UNSENT: SQL = sql`c.id in (select o.chunk_id from outbox o where o.delivered_at is null and o.kind = 'chunk-queued')`
