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
  /** Whether its chunk is still to be worked on: it may have been cancelled since, or been answered. */
  readonly isOpen: boolean
}

export interface Outbox {
  /**
   * What is for the queue, and which chunks have settled, not yet delivered, the oldest first; `delivered` marks it. Of the
   * chunks of one run and bar specification only so many that 500 are with the queue at most; not counted are those that wait
   * for a second look.
   */
  outbox(limit: number): Promise<OutboxEntry[]>
  delivered(ids: readonly number[], now: number): Promise<void>
  /** Deletes the entries that were delivered before this instant, at most `limit`, the oldest first. How many. */
  forgetDelivered(before: number, limit: number): Promise<number>
}

export function outboxIn(database: Database): Outbox {
  return {
    async outbox(limit) {
      return database.rows<OutboxEntry>(sql`
        with waiting as (
          select o.id, o.chunk_id, c.run_id, s.spec, row_number() over (partition by c.run_id, s.spec order by o.id) as place
          from outbox o join chunks c on c.id = o.chunk_id and c.state in ('queued', 'leased') join series s on s.id = c.series_id
          where o.delivered_at is null and o.kind = 'chunk-queued'
        ), sent as (
          select c.run_id, s.spec, count(*) as chunks
          from chunks c join series s on s.id = c.series_id
          where c.state in ('queued', 'leased') and c.doubts = 0 and c.error->>'kind' is distinct from 'not-found'
            and (c.run_id, s.spec) in (select run_id, spec from waiting) and c.id not in (select chunk_id from waiting)
          group by c.run_id, s.spec
        )
        select o.id::float8 as id, o.kind, o.chunk_id::text as "chunkId", w.id is not null as "isOpen"
        from outbox o left join waiting w on w.id = o.id left join sent on sent.run_id = w.run_id and sent.spec = w.spec
        where o.delivered_at is null and o.kind <> 'event'
          and (w.id is null or w.place + coalesce(sent.chunks, 0) <= ${MOST_WITH_QUEUE}::int)
        order by o.id limit ${limit}::int`)
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

/** True for a chunk `c` that is not with the queue: its turn to be sent there has not come. */
export const UNSENT: SQL = sql`c.id in (select o.chunk_id from outbox o where o.delivered_at is null and o.kind = 'chunk-queued')`
