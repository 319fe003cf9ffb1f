import type { ErrorBody, Hours } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { ChunkState, RunState, SeriesProgress, SeriesSummary, Store } from '../store.ts'
import { columnsOf } from './columns.ts'
import { endSteps } from './endings.ts'
import { at, epoch, textsOf } from './sql.ts'

type Progress = Pick<Store, 'run' | 'closeRuns' | 'series' | 'bars'>

interface RunRow {
  readonly id: string
  readonly state: RunState
  readonly createdAt: number
  readonly finishedAt: number | null
}

interface ProgressRow extends Record<ChunkState, number> {
  readonly seriesId: number
  readonly instrumentId: string
  readonly spec: string
  readonly hours: Hours
  readonly bars: number
  readonly error: ErrorBody | null
}

const STATES: readonly ChunkState[] = ['queued', 'leased', 'done', 'failed', 'parked', 'cancelled']

/** What has come of runs, and what is stored. */
export function progressIn(database: Database): Progress {
  return {
    async run(id) {
      const [run] = await database.rows<RunRow>(sql`
        select id, state, ${epoch(sql`created_at`)} as "createdAt", ${epoch(sql`finished_at`)} as "finishedAt" from runs where id = ${id}`)
      if (!run) return undefined
      const rows = await database.rows<ProgressRow>(sql`
        select s.id as "seriesId", s.instrument_id as "instrumentId", s.spec, s.hours, sum(c.rows)::float8 as bars, ${counts('c', STATES)},
          (array_agg(c.error order by c.id desc) filter (where c.error is not null and c.state <> 'cancelled'))[1] as error
        from chunks c join series s on s.id = c.series_id where c.run_id = ${id} group by s.id order by s.id`)
      const total = (state: ChunkState) => rows.reduce((sum, row) => sum + row[state], 0)
      return {
        ...run,
        finishedAt: run.finishedAt ?? undefined,
        chunks: Object.fromEntries(STATES.map((state) => [state, total(state)])) as Record<ChunkState, number>,
        bars: rows.reduce((sum, row) => sum + row.bars, 0),
        series: rows.map(seriesProgress),
      }
    },

    async closeRuns(now) {
      const rows = await database.rows<{ id: string }>(sql`
        with ended as (
          update runs r set finished_at = ${at(now)}, state = case
            when exists (select 1 from chunks c where c.run_id = r.id and c.state in ('failed', 'parked')) then 'failed'
            when exists (select 1 from chunks c where c.run_id = r.id and c.state = 'cancelled') then 'cancelled'
            else 'done' end
          where r.state = 'open' and not exists (select 1 from chunks c where c.run_id = r.id and c.state in ('queued', 'leased'))
          returning r.*
        ), ${endSteps(now)}
        select id from ended`)
      return rows.map((row) => row.id)
    },

    async series({ instrumentIds, specs } = {}) {
      const ids = instrumentIds ? sql`s.instrument_id = any(${textsOf(instrumentIds)})` : sql`true`
      const named = specs ? sql`s.spec = any(${textsOf(specs)})` : sql`true`
      const rows = await database.rows<SummaryRow>(sql`
        select s.id, s.instrument_id as "instrumentId", s.spec, s.hours, b.bars, b.from, b.to,
          coalesce((select jsonb_agg(jsonb_build_array(extract(epoch from lower(w)), extract(epoch from upper(w))) order by w)
            from unnest((select range_agg(c.windows) from coverage c where c.series_id = s.id)) w), '[]') as covered
        from series s
        left join lateral (
          select count(*)::float8 as bars, ${epoch(sql`min(x.ts)`)} as "from", ${epoch(sql`max(x.ts)`)} as "to" from bars x where x.series_id = s.id
        ) b on true
        where ${ids} and ${named} order by s.instrument_id, s.spec, s.hours`)
      return rows.map(summary)
    },

    async bars(seriesId, { start, end }, limit) {
      return columnsOf(
        database,
        sql`select * from bars where series_id = ${seriesId}::int and ts >= ${at(start)} and ts < ${at(end)}
          order by ts limit ${limit}::int`,
      )
    },
  }
}

interface SummaryRow extends Omit<SeriesSummary, 'from' | 'to' | 'covered'> {
  readonly from: number | null
  readonly to: number | null
  readonly covered: readonly (readonly [number, number])[]
}

/** How many of the chunks `alias` are in each state, a column of its name for each. */
function counts(alias: string, states: readonly ChunkState[]): SQL {
  const columns = states.map(
    (state) => sql`count(*) filter (where ${sql.identifier(alias)}.state = ${state})::int as ${sql.identifier(state)}`,
  )
  return sql.join(columns, sql`, `)
}

function summary({ from, to, covered, ...row }: SummaryRow): SeriesSummary {
  return {
    ...row,
    from: from ?? undefined,
    to: to ?? undefined,
    covered: covered.map(([start, end]) => ({ start, end })),
  }
}

function seriesProgress(row: ProgressRow): SeriesProgress {
  const { seriesId, instrumentId, spec, hours, bars, error } = row
  const settled = row.done + row.failed + row.parked + row.cancelled
  return {
    seriesId,
    instrumentId,
    spec,
    hours,
    bars,
    settled,
    total: settled + row.queued + row.leased,
    error: error ?? undefined,
  }
}
