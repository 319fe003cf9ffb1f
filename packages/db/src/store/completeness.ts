import type { SecType, Window } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { SeriesKey } from '../store.ts'
import { begunIn, bounds, rankedSessions, touches, unitOf, within } from './ranks.ts'
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

/** Time of which no sessions are known is due a day later than time of which they are. */
const UNKNOWN_SEC = 86_400

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
      const rows = await database.rows<SummaryRow>(sql`
        with w as materialized (
          select u.n, u.series_id, v.span, s.head, i.calendar, s.hours, c.answered, c.empty, c.unavailable, v.span - c.answered as gaps,
            ${unitOf(sql`s.spec`)} as unit, case when i.details->'contract'->>'secType' in ('FUT', 'FOP', 'OPT') then to_date(
              substring(i.details->'contract'->>'lastTradeDateOrContractMonth' from '^[0-9]{8}$'), 'YYYYMMDD') end as expiry,
            least(to_timestamp(u.e), ${at(now - UNKNOWN_SEC)}) as old
          from unnest(${arrayOf(column(judged, 'seriesId'), 'int4')}, ${arrayOf(column(judged, 'start'), 'float8')},
            ${arrayOf(column(judged, 'until'), 'float8')}) with ordinality as u(series_id, s, e, n)
          join series s on s.id = u.series_id join instruments i on i.id = s.instrument_id
          cross join lateral (select tstzmultirange(tstzrange(to_timestamp(u.s), to_timestamp(greatest(u.s, u.e)))) as span) v
          cross join lateral (
            select coalesce(range_agg(x.windows), '{}') * v.span as answered,
              coalesce(range_agg(x.windows) filter (where x.state = 'empty'), '{}') * v.span as empty,
              coalesce(range_agg(x.windows) filter (where x.state = 'unavailable'), '{}') * v.span as unavailable
            from coverage x where x.series_id = u.series_id
          ) c
        ), ranked as materialized (${rankedSessions(sql`select distinct calendar, hours, unit from w`)})
        select w.series_id as "seriesId", t.answered - t.empty - t.unavailable as complete, t.empty, t.unavailable,
          t.due - t.answered - t.missing as partial, t.missing, t.started - t.due as open, g.gaps, g.windows,
          (select count(*)::int from flagged_bars f
            where f.series_id = w.series_id and f.ts >= lower(w.span) and f.ts < upper(w.span)) as flagged
        from w left join ranked k on k.calendar = w.calendar and k.hours = w.hours and k.unit = w.unit
        cross join lateral (${bounds}) b
        cross join lateral (
          select ${within(sql`w.span`)} as due, ${within(sql`w.answered`)} as answered, ${within(sql`w.empty`)} as empty,
            ${within(sql`w.unavailable`)} as unavailable, ${within(sql`w.gaps`)} as missing, ${begunIn(sql`w.span`)} as started offset 0
        ) t cross join lateral (
          select count(*)::int as gaps, coalesce(jsonb_agg(
            jsonb_build_array(extract(epoch from lower(r)), extract(epoch from upper(r))) order by nth
          ) filter (where nth <= ${MOST_GAPS}::int), '[]') as windows
          from (
            select r, row_number() over (order by r) as nth from unnest(w.gaps) r
            where lower(r) < w.old and not (r * tstzrange(null, w.old) <@ coalesce(k.known, '{}')) or ${touches(sql`r`, sql`upper(w.span)`)}
          ) r
        ) g
        order by w.n`)
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
