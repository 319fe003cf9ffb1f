import type { ErrorKind, Hours, Priority } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { ChunkPlan, Store } from '../store.ts'
import { WAITS } from './adjustments.ts'
import { loginSteps } from './events.ts'
import { UNSENT } from './outbox.ts'
import { arrayOf, at, epoch } from './sql.ts'

/** What is said of a chunk whose lease ran out. */
const LOST = {
  kind: 'internal',
  message: 'Whoever worked on it ended without a word: killed, or cut off from the database.',
} as const

/** No chunk is ever made to wait longer, and no lease is longer: what is later still was written by a clock that was ahead. */
const MOST_AHEAD_SEC = { queued: 86_400, leased: 3600 }

type Chunks = Pick<Store, 'createRun' | 'claim' | 'requeue' | 'giveUp' | 'due'>

/** The life of a chunk, each step one statement. */
export function chunksIn(database: Database): Chunks {
  return {
    async createRun({ id, source, dataset, priority = 'scheduled', adjustmentId, chunks, now }) {
      // In a fixed order, so that two planners at once wait for each other rather than deadlock; newest first.
      const rows = await database.rows<{ id: string }>(sql`
        with run as (
          insert into runs (id, source, dataset, priority, created_at)
          values (${id}, ${source}, (select name from datasets where name = ${dataset ?? null}::text), ${priority}, ${at(now)})
          on conflict (id) do nothing returning id
        ), put as (
          insert into chunks (run_id, series_id, win, not_before, adjustment_id)
          select run.id, u.series_id, tstzrange(to_timestamp(u.s), to_timestamp(u.e)), ${at(now)}, ${adjustmentId ?? null}::bigint
          from run, unnest(${arrayOf(column(chunks, 'seriesId'), 'int4')}, ${arrayOf(column(chunks, 'start'), 'float8')},
            ${arrayOf(column(chunks, 'end'), 'float8')}) as u(series_id, s, e)
          order by u.series_id, u.s desc
          on conflict do nothing
          returning id
        ), noted as (
          insert into outbox (kind, chunk_id) select 'chunk-queued', id from put order by id
        )
        select id::text as id from put order by put.id`)
      return { chunkIds: rows.map((row) => row.id) }
    },

    async claim(chunkId, { now, leaseSec }) {
      const [row] = await database.rows<ClaimRow>(sql`
        with held as (
          update chunks c set state = 'leased', fence = fence + 1, attempt = attempt + 1, lease_until = ${at(now + leaseSec)},
            failures = case when state = 'queued' then failures when error->>'kind' = ${LOST.kind}::text then failures + 1 else 1 end,
            error = case when state = 'queued' then error else ${JSON.stringify(LOST)}::jsonb end
          where id = ${chunkId}::bigint
            and (state = 'queued' and ${isPast('not_before', now)} or state = 'leased' and ${isPast('lease_until', now)})
            and not ${WAITS}
          returning *
        )
        select held.run_id as "runId", r.priority, held.fence, held.attempt, held.doubts, held.adjustment_id::float8 as "adjustmentId", ${epoch(sql`s.head`)} as head,
          held.failures, held.error->>'kind' as "failedKind", ${epoch(sql`lower(held.win)`)} as start,
          ${epoch(sql`upper(held.win)`)} as "end", s.id as "seriesId", s.spec, s.hours, i.id as "instrumentId", i.details,
          ${epoch(sql`i.updated_at`)} as "updatedAt"
        from held join runs r on r.id = held.run_id join series s on s.id = held.series_id
          join instruments i on i.id = s.instrument_id`)
      if (!row) return undefined
      const {
        runId,
        priority,
        fence,
        attempt,
        doubts,
        adjustmentId,
        head,
        failures,
        failedKind,
        start,
        end,
        seriesId,
        spec,
        hours,
        instrumentId,
        details,
        updatedAt,
      } = row
      return {
        chunkId,
        runId,
        priority,
        fence,
        attempt,
        doubts,
        adjustmentId: adjustmentId ?? undefined,
        head: head ?? undefined,
        failed: failedKind === null ? undefined : { kind: failedKind, times: failures },
        window: { start, end },
        series: { id: seriesId, instrumentId, spec, hours },
        instrument: { id: instrumentId, details, updatedAt },
      }
    },

    async requeue({ chunkId, fence }, error, notBefore) {
      const rows = await database.rows(sql`
        update chunks set state = 'queued', lease_until = null, not_before = ${at(notBefore)}, error = ${JSON.stringify(error)}::jsonb,
          failures = case when error->>'kind' = ${error.kind}::text then failures + 1 else 1 end
        where id = ${chunkId}::bigint and fence = ${fence}::int and state = 'leased' returning 1 as held`)
      return rows.length === 1
    },

    async giveUp({ chunkId, fence }, state, error, now) {
      const login =
        error.kind === 'login-required' ? sql`, ${loginSteps(sql`${error.message}::text`, sql`from held`, now)}` : sql``
      const rows = await database.rows(sql`
        with held as (
          update chunks set state = ${state}::text, lease_until = null, finished_at = ${at(now)}, error = ${JSON.stringify(error)}::jsonb,
            failures = case when error->>'kind' = ${error.kind}::text then failures + 1 else 1 end
          where id = ${chunkId}::bigint and fence = ${fence}::int and state = 'leased' returning id
        ), noted as (
          insert into outbox (kind, chunk_id) select 'chunk-settled', id from held
        )${login}
        select id from held`)
      return rows.length === 1
    },

    async due(now, limit, graceSec = 0) {
      const rows = await database.rows<{ id: string }>(sql`
        select id::text as id from chunks c
        where (
            state = 'queued' and ${isPast('not_before', now, graceSec)} and (${graceSec}::int = 0 or not ${UNSENT})
            or state = 'leased' and ${isPast('lease_until', now)}
          ) and not ${WAITS}
        order by not_before, c.id limit ${limit}::int`)
      return rows.map((row) => row.id)
    },
  }
}

/** Whether a chunk's time has come, or lies further ahead than a right clock would have put it. */
function isPast(column: 'not_before' | 'lease_until', now: number, graceSec = 0): SQL {
  const most = column === 'not_before' ? MOST_AHEAD_SEC.queued : MOST_AHEAD_SEC.leased
  const name = sql.identifier(column)
  return sql`(${name} <= ${at(now - graceSec)} or ${name} > ${at(now + most)})`
}

interface ClaimRow {
  readonly runId: string
  readonly priority: Priority
  readonly fence: number
  readonly attempt: number
  readonly doubts: number
  readonly adjustmentId: number | null
  readonly head: number | null
  readonly failures: number
  readonly failedKind: ErrorKind | null
  readonly start: number
  readonly end: number
  readonly seriesId: number
  readonly spec: string
  readonly hours: Hours
  readonly instrumentId: string
  readonly details: NonNullable<Awaited<ReturnType<Store['claim']>>>['instrument']['details']
  readonly updatedAt: number
}

function column(plans: readonly ChunkPlan[], name: 'seriesId' | 'start' | 'end'): number[] {
  return plans.map((plan) => (name === 'seriesId' ? plan.seriesId : plan.window[name]))
}
