import type { SecType, Window } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { SeriesKey } from '../store.ts'
import { arrayOf, at, epoch, textsOf } from './sql.ts'

/** Gaps of one series that are told one by one; how many there are is always told. */
const MOST_GAPS = 100

/** How a session stands that is over. */
export type SessionState = 'complete' | 'empty' | 'unavailable' | 'partial' | 'missing'

/** A series that may be judged, and since when: what datasets declare of it or, earlier, what is covered. */
export interface JudgedSeries extends SeriesKey {
  readonly id: number
  readonly secType: SecType
  readonly timeZoneId: string
  /** Epoch seconds; undefined where nothing is declared or covered. */
  readonly since: number | undefined
}

/** A series' completeness is judged from `start` on, by what is due before `until`: by then every bar is final. Epoch seconds. */
export interface Judged {
  readonly seriesId: number
  readonly start: number
  readonly until: number
}

export interface SeriesCompleteness {
  readonly seriesId: number
  /** Sessions that are over, by how they stand; the rest of the window's are `open`. */
  readonly sessions: Readonly<Record<SessionState | 'open', number>>
  /** What is not covered although it is due, oldest first, at most 100: each holds a session that is over, or time of which no sessions are known. */
  readonly missing: readonly Window[]
  /** How many such gaps there are. */
  readonly gaps: number
  /** Bars in the window that do not look right. */
  readonly flagged: number
}

/** One session of a series; of bars of a day and longer, one day, week or month. */
export interface SessionRow {
  readonly date: string
  /** Epoch seconds `[opens, closes)`. */
  readonly opens: number
  readonly closes: number
  /** Bars that can start in it. Minutes without a trade have none, so that fewer are stored and none is missing. */
  readonly expected: number
  readonly stored: number
  readonly covered: boolean
  readonly state: SessionState | 'open'
  readonly flagged: number
  /** What it counts for, `[starts, ends)`: its hours, or its day, week or month. */
  readonly starts: number
  readonly ends: number
}

/** How complete what is stored is, by IBKR's own sessions. */
export interface Completeness {
  /** Series by their ids, those after `after`, at most `limit`, of the given instruments, specs and hours or of all. */
  judgedSeries(
    filter: { readonly instrumentIds?: readonly string[]; readonly specs?: readonly string[]; readonly hours?: string },
    page: { readonly after: number; readonly limit: number },
  ): Promise<JudgedSeries[]>
  /** Of each series how complete it is, in the order asked. `now` says which time without known sessions is due: a day later. */
  completeness(judged: readonly Judged[], now: number): Promise<SeriesCompleteness[]>
  /** The sessions of a series that start in `[start, end)`, oldest first, at most `limit`; those that end after `until` are open. */
  sessionRows(judged: Judged, end: number, limit: number): Promise<SessionRow[]>
}

interface SummaryRow extends Record<SessionState | 'open', number> {
  readonly seriesId: number
  readonly flagged: number
  readonly gaps: number
  readonly windows: readonly (readonly [number, number])[]
}

const STATES: readonly SessionState[] = ['complete', 'empty', 'unavailable', 'partial', 'missing']
/** Time of which no sessions are known is due a day later than time of which they are. */
const UNKNOWN_SEC = 86_400

/**
 * The sessions of a row `w` of series, `[starts, ends)`, as the view `session_coverage` has them; its columns that look at
 * every row of a series for every session would take a hundred times as long here.
 */
const SESSIONS = sql`
  select x.opens as starts, x.closes as ends from sessions x
  where w.unit in ('second', 'minute', 'hour') and x.calendar = w.calendar and x.hours = w.hours
    and (w.expiry is null or x.date <= w.expiry) and (w.head is null or x.closes > w.head)
  union all
  select date_trunc(w.unit, x.date::timestamp) at time zone 'UTC',
    (date_trunc(w.unit, x.date::timestamp) + ('1 ' || w.unit)::interval) at time zone 'UTC'
  from sessions x
  where w.unit in ('day', 'week', 'month') and x.calendar = w.calendar and x.hours = w.hours
    and (w.expiry is null or x.date <= w.expiry) and (w.head is null or x.closes > w.head)
  group by date_trunc(w.unit, x.date::timestamp)`

export function completenessIn(database: Database): Completeness {
  return {
    async judgedSeries({ instrumentIds, specs, hours }, { after, limit }) {
      const ids = instrumentIds ? sql`s.instrument_id = any(${textsOf(instrumentIds)})` : sql`true`
      const named = specs ? sql`s.spec = any(${textsOf(specs)})` : sql`true`
      const timed = hours ? sql`s.hours = ${hours}` : sql`true`
      const rows = await database.rows<Omit<JudgedSeries, 'since'> & { since: number | null }>(sql`
        select s.id, s.instrument_id as "instrumentId", s.spec, s.hours, i.details->'contract'->>'secType' as "secType",
          i.details->>'timeZoneId' as "timeZoneId",
          ${epoch(sql`least((select min(d.since) from dataset_series d where d.series_id = s.id),
            (select min(lower(c.windows)) from coverage c where c.series_id = s.id))`)} as since
        from series s join instruments i on i.id = s.instrument_id
        where s.id > ${after}::int and ${ids} and ${named} and ${timed} order by s.id limit ${limit}::int`)
      return rows.map((row) => ({ ...row, since: row.since ?? undefined }))
    },

    async completeness(judged, now) {
      const counts = sql.join(
        STATES.map(
          (state) =>
            sql`count(*) filter (where p.ends <= w.until and p.state = ${state}::text)::int as ${sql.identifier(state)}`,
        ),
        sql`, `,
      )
      const columns = sql.join(
        [...STATES, 'open' as const].map(
          (state) => sql`coalesce(t.${sql.identifier(state)}, 0) as ${sql.identifier(state)}`,
        ),
        sql`, `,
      )
      const rows = await database.rows<SummaryRow>(sql`
        with w as materialized (
          select u.n, u.series_id, to_timestamp(u.s) as start, to_timestamp(u.e) as until, s.hours, s.head, i.calendar, lower(split_part(s.spec, '-', 2)) as unit,
            case when i.details->'contract'->>'secType' in ('FUT', 'FOP', 'OPT') then to_date(
              substring(i.details->'contract'->>'lastTradeDateOrContractMonth' from '^[0-9]{8}$'), 'YYYYMMDD') end as expiry,
            least(to_timestamp(u.e), ${at(now - UNKNOWN_SEC)}) as old, c.answered, c.empty, c.unavailable,
            coalesce((select k.known from calendars k where k.calendar = i.calendar and k.hours = s.hours), '{}'::tstzmultirange) as known
          from unnest(${arrayOf(column(judged, 'seriesId'), 'int4')}, ${arrayOf(column(judged, 'start'), 'float8')},
            ${arrayOf(column(judged, 'until'), 'float8')}) with ordinality as u(series_id, s, e, n)
          join series s on s.id = u.series_id join instruments i on i.id = s.instrument_id
          cross join lateral (
            select coalesce(range_agg(v.windows), '{}'::tstzmultirange) as answered,
              coalesce(range_agg(v.windows) filter (where v.state = 'empty'), '{}'::tstzmultirange) as empty,
              coalesce(range_agg(v.windows) filter (where v.state = 'unavailable'), '{}'::tstzmultirange) as unavailable
            from coverage v where v.series_id = u.series_id
          ) c
          where u.s < u.e
        ), tally as (
          select w.n, ${counts}, count(*) filter (where p.ends > w.until)::int as open
          from w cross join lateral (
            select q.ends, case when q.win <@ w.empty then 'empty' when q.win <@ w.unavailable then 'unavailable'
              when q.win <@ w.answered then 'complete' when q.win && w.answered then 'partial' else 'missing' end as state
            from (select o.*, tstzrange(o.starts, o.ends) as win from (${SESSIONS}) o) q where q.starts >= w.start and q.starts < w.until
          ) p group by w.n
        ), gap as (
          select w.n, g, row_number() over (partition by w.n order by g) as nth
          from w cross join lateral unnest(tstzmultirange(tstzrange(w.start, w.until)) - w.answered) g
          where lower(g) < w.old and not (g * tstzrange(null, w.old) <@ w.known)
            or exists (select 1 from (${SESSIONS}) p where p.starts < upper(g) and p.ends > lower(g) and p.ends <= w.until)
        ), gaps as (
          select n, count(*)::int as gaps, jsonb_agg(jsonb_build_array(extract(epoch from lower(g)), extract(epoch from upper(g))) order by g)
            filter (where nth <= ${MOST_GAPS}::int) as windows
          from gap group by n
        )
        select a.id as "seriesId", ${columns}, coalesce(gaps.gaps, 0) as gaps, coalesce(gaps.windows, '[]') as windows,
          (select count(*)::int from flagged_bars f where f.series_id = w.series_id and f.ts >= w.start and f.ts < w.until) as flagged
        from unnest(${arrayOf(column(judged, 'seriesId'), 'int4')}) with ordinality as a(id, n)
        left join w on w.n = a.n left join tally t on t.n = a.n left join gaps on gaps.n = a.n order by a.n`)
      return rows.map(({ seriesId, windows, gaps, flagged, ...sessions }) => ({
        seriesId,
        sessions,
        missing: windows.map(([start, end]) => ({ start, end })),
        gaps,
        flagged,
      }))
    },

    async sessionRows({ seriesId, start, until }, end, limit) {
      return database.rows<SessionRow>(sql`
        select to_char(p.date, 'YYYY-MM-DD') as date, ${epoch(sql`p.opens`)} as opens, ${epoch(sql`p.closes`)} as closes, p.expected,
          p.stored, p.covered, case when p.ends > ${at(until)} then 'open' else p.state end as state, p.flagged,
          ${epoch(sql`p.starts`)} as starts, ${epoch(sql`p.ends`)} as ends
        from session_coverage p
        where p.series_id = ${seriesId}::int and p.starts >= ${at(start)} and p.starts < ${at(end)} order by p.starts limit ${limit}::int`)
    },
  }
}

function column(judged: readonly Judged[], name: keyof Judged): number[] {
  return judged.map((one) => one[name])
}
