import type { ErrorBody, SecType, Window } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { ChunkPlan, SeriesKey } from '../store.ts'
import { arrayOf, at, epoch, textsOf } from './sql.ts'

/** What planning needs of a stored instrument. */
export interface Listing {
  /** As it was asked for: an id or an alias. */
  readonly name: string
  readonly instrumentId: string
  readonly secType: SecType
  readonly timeZoneId: string
  /** IBKR's own text of the last trade date; undefined for what does not expire. */
  readonly expires: string | undefined
}

/** A refusal by IBKR that stands: what was asked is not covered to this day. */
export interface Refusal {
  readonly instrumentId: string
  readonly spec: string
  readonly error: ErrorBody
  /** Epoch seconds. */
  readonly at: number
}

/** Why a series that IBKR answers up to now only is not to be asked whole: it is being asked, was given up lately, or was answered lately. */
export type WholeState = 'open' | 'given-up' | 'answered'

/** What plans are made of. Windows are `[start, end)`, epoch seconds. */
export interface Planning {
  /**
   * For each want its gaps: the window less coverage of any state, less what queued or leased chunks already ask for,
   * less what chunks that failed or were parked at or after `givenUpSince` asked for.
   */
  gaps(
    wants: readonly ChunkPlan[],
    options?: { readonly givenUpSince?: number },
  ): Promise<{ readonly seriesId: number; readonly windows: Window[] }[]>
  /** For each want what of its window is not covered, in whichever state, whoever is asking for it; all of it where there is no such series. */
  uncovered(wants: readonly { readonly key: SeriesKey; readonly window: Window }[]): Promise<Window[][]>
  /**
   * Covers these windows as unavailable, as far as they are not covered and no open chunk asks for them: what was once
   * answered stays so.
   */
  markUnavailable(marks: readonly ChunkPlan[]): Promise<void>
  /** The stored instruments of these names; a name that is none of a stored one is left out. */
  listings(names: readonly string[]): Promise<Listing[]>
  /** The calendars of these instruments, in their order (`calendarOf` in core); undefined where there is none. */
  calendars(instrumentIds: readonly string[]): Promise<(string | undefined)[]>
  /** For each series of these instruments the newest `no-permission` that ended a chunk of it, unless its window was answered since. */
  refusals(instrumentIds: readonly string[]): Promise<Refusal[]>
  /**
   * For each series that is answered up to now only: whether a chunk of it is open, one was given up at or after
   * `givenUpSince`, or one from `start` or before was answered at or after `answeredSince`; undefined otherwise.
   */
  wholes(
    wants: readonly { readonly seriesId: number; readonly start: number }[],
    options: { readonly answeredSince: number; readonly givenUpSince?: number | undefined },
  ): Promise<(WholeState | undefined)[]>
}

interface GapRow {
  readonly n: number
  readonly start: number
  readonly end: number
}

/**
 * Planning over a database. Open chunks are gathered in one pass over the few there are, for no index finds them by their
 * series; thousands of series are one hash join.
 */
export function planningIn(database: Database): Planning {
  return {
    async gaps(wants, { givenUpSince } = {}) {
      const rows = await database.rows<GapRow>(sql`
        with w as materialized (${wantedRows(wants)}), asked as materialized (
          select series_id, range_agg(win) as windows from (${openChunks()} union all ${givenUpChunks(givenUpSince)}) k group by series_id
        ), held as materialized (${coveredWindows()})
        select w.n::int as n, ${epoch(sql`lower(gap)`)} as start, ${epoch(sql`upper(gap)`)} as "end"
        from w left join held using (series_id) left join asked using (series_id)
        cross join lateral unnest(tstzmultirange(w.win) - coalesce(held.windows, '{}') - coalesce(asked.windows, '{}')) as gap
        order by w.n, gap`)
      const windows = byWant(wants.length, rows)
      return wants.map(({ seriesId }, i) => ({ seriesId, windows: windows[i] ?? [] }))
    },

    async uncovered(wants) {
      const key = (name: 'instrumentId' | 'spec' | 'hours') => textsOf(wants.map((want) => want.key[name]))
      const rows = await database.rows<GapRow>(sql`
        with k as materialized (
          select k.n, s.id as series_id, tstzrange(to_timestamp(k.start), to_timestamp(k.until)) as win
          from unnest(${key('instrumentId')}, ${key('spec')}, ${key('hours')}, ${edges(wants, 'start')}, ${edges(wants, 'end')})
            with ordinality as k(instrument_id, spec, hours, start, until, n)
          left join series s using (instrument_id, spec, hours)
        ), w as materialized (select * from k where series_id is not null), held as materialized (${coveredWindows()})
        select k.n::int as n, ${epoch(sql`lower(gap)`)} as start, ${epoch(sql`upper(gap)`)} as "end"
        from k left join held using (series_id)
        cross join lateral unnest(tstzmultirange(k.win) - coalesce(held.windows, '{}')) as gap
        order by k.n, gap`)
      return byWant(wants.length, rows)
    },

    async markUnavailable(marks) {
      if (marks.length === 0) return
      // In the order of the series, so that two plans at once wait for each other rather than deadlock.
      await database.rows(sql`
        with m as (${wantedRows(marks)}), w as materialized (
          select series_id, range_agg(win) as windows from m group by series_id
        ), asked as materialized (
          select series_id, range_agg(win) as windows from (${openChunks()}) k group by series_id
        ), held as materialized (${coveredWindows()}), fresh as (
          select series_id, w.windows - coalesce(held.windows, '{}') - coalesce(asked.windows, '{}') as windows
          from w left join held using (series_id) left join asked using (series_id)
        )
        insert into coverage (series_id, state, windows)
        select series_id, 'unavailable', windows from fresh where not isempty(windows) order by series_id
        on conflict (series_id, state) do update set windows = coverage.windows + excluded.windows`)
    },

    async listings(names) {
      const rows = await database.rows<Omit<Listing, 'expires'> & { readonly expires: string | null }>(sql`
        select distinct on (k.n) k.name, i.id as "instrumentId", i.details->'contract'->>'secType' as "secType",
          i.details->>'timeZoneId' as "timeZoneId",
          greatest(nullif(i.details->>'realExpirationDate', ''), nullif(i.details->'contract'->>'lastTradeDateOrContractMonth', '')) as expires
        from unnest(${textsOf(names)}) with ordinality as k(name, n)
        left join instrument_aliases a on a.alias = k.name
        join instruments i on i.id = k.name or i.id = a.instrument_id
        order by k.n, (i.id = k.name) desc`)
      return rows.map(({ expires, ...listing }) => ({ ...listing, expires: expires ?? undefined }))
    },

    async calendars(instrumentIds) {
      const rows = await database.rows<{ calendar: string | null }>(sql`
        select i.calendar from unnest(${textsOf(instrumentIds)}) with ordinality as k(id, n)
        left join instruments i using (id) order by k.n`)
      return rows.map((row) => row.calendar ?? undefined)
    },

    async refusals(instrumentIds) {
      return database.rows<Refusal>(sql`
        select s.instrument_id as "instrumentId", s.spec, k.error, ${epoch(sql`k.finished_at`)} as at
        from (
          select distinct on (series_id) series_id, win, error, finished_at from chunks
          where state = 'parked' and error->>'kind' = 'no-permission'
          order by series_id, finished_at desc
        ) k join series s on s.id = k.series_id
        where s.instrument_id = any(${textsOf(instrumentIds)})
          and not exists (select 1 from coverage c where c.series_id = k.series_id and c.windows && k.win)
        order by k.finished_at desc, s.id`)
    },

    async wholes(wants, { answeredSince, givenUpSince }) {
      const rows = await database.rows<{ state: WholeState | null }>(sql`
        with w as materialized (
          select * from unnest(${arrayOf(
            wants.map((want) => want.seriesId),
            'int4',
          )}, ${arrayOf(
            wants.map((want) => want.start),
            'float8',
          )}) with ordinality as w(series_id, start, n)
        ), asked as materialized (${openChunks()}), given_up as materialized (${givenUpChunks(givenUpSince)})
        select case
          when exists (select 1 from asked k where k.series_id = w.series_id) then 'open'
          when exists (select 1 from given_up k where k.series_id = w.series_id) then 'given-up'
          when exists (select 1 from chunks k where k.series_id = w.series_id and k.state = 'done'
            and k.finished_at >= ${at(answeredSince)} and lower(k.win) <= to_timestamp(w.start)) then 'answered'
        end as state
        from w order by w.n`)
      return rows.map((row) => row.state ?? undefined)
    },
  }
}

/** Series ids and windows as rows, numbered in their order. */
function wantedRows(wants: readonly ChunkPlan[]): SQL {
  const ids = arrayOf(
    wants.map((want) => want.seriesId),
    'int4',
  )
  return sql`select series_id, tstzrange(to_timestamp(s), to_timestamp(e)) as win, n
    from unnest(${ids}, ${edges(wants, 'start')}, ${edges(wants, 'end')}) with ordinality as w(series_id, s, e, n)`
}

function edges(wants: readonly { readonly window: Window }[], edge: 'start' | 'end'): SQL {
  return arrayOf(
    wants.map((want) => want.window[edge]),
    'float8',
  )
}

/** All that is covered of the series in `w`, one row a series. */
function coveredWindows(): SQL {
  return sql`select series_id, range_agg(c.windows) as windows from coverage c
    where series_id in (select series_id from w) group by series_id`
}

function openChunks(): SQL {
  return sql`select series_id, win from chunks where state in ('queued', 'leased') and series_id in (select series_id from w)`
}

function givenUpChunks(since: number | undefined): SQL {
  return sql`select series_id, win from chunks where state in ('failed', 'parked')
    and series_id in (select series_id from w) and finished_at >= to_timestamp(${since ?? null}::float8)`
}

/** Rows numbered by their want, from 1, as a list for each. */
function byWant(count: number, rows: readonly GapRow[]): Window[][] {
  const found = Array.from({ length: count }, (): Window[] => [])
  for (const { n, start, end } of rows) found[n - 1]?.push({ start, end })
  return found
}
