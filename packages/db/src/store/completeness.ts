import type { SecType, Share, Window } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { SeriesKey } from '../store.ts'
import { type CountedRow, countedIn } from './counting.ts'

import { arrayOf, at, epoch, textsOf } from './sql.ts'

/** How a session stands that is over. */
export type SessionState = 'complete' | 'empty' | 'unavailable' | 'partial' | 'missing'

/** A series as it may be judged: the rows of the function `judged_series`. */
export interface JudgedSeries extends SeriesKey {
  readonly id: number
  readonly secType: SecType
  /** IBKR's text of the last trade date; undefined for what does not expire. */
  readonly expires: string | undefined
  /** The datasets that want it. */
  readonly datasets: readonly string[]
  /** Whether it counts: a dataset wants it, or nothing is declared at all. */
  readonly wanted: boolean
  /**
   * What is judged of it, epoch seconds: from what was asked for, else what datasets declare or, of what none wants, what was
   * asked or answered first; up to what was asked for or is final by now. Undefined where nothing was asked yet, or the
   * beginning is not known. Where it ends before it starts nothing of it is due yet.
   */
  readonly window: Window | undefined
  /** Up to where its bars are final, epoch seconds. */
  readonly until: number
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
  /** What IBKR never has of it, at most 100 windows. */
  readonly unavailable: readonly Window[]
  /** What is due, and of which no sessions are known, at most 100 windows. What was answered since the newest session that is known is not told. */
  readonly unknown: readonly Window[]
  readonly share: Share
  /** Bars in the window that do not look right. */
  readonly flagged: number
}

/** A series of a dataset, as it is wanted there. */
export interface DatasetCompleteness extends SeriesCompleteness {
  readonly dataset: string
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

/** Which series: of the given instruments, specs and hours, and those that a dataset wants, since it wants them. */
export interface SeriesFilter {
  readonly instrumentIds?: readonly string[] | undefined
  readonly specs?: readonly string[] | undefined
  readonly hours?: string | undefined
  readonly dataset?: string | undefined
}

/** How complete what is stored is, by IBKR's own sessions. `now`, epoch seconds, says what is final. */
export interface Completeness {
  /** Series by their ids, those after `after`, at most `limit`. `start` and `end` say what of them is judged, where that is not all. */
  judgedSeries(
    filter: SeriesFilter,
    page: { readonly after: number; readonly limit: number },
    when: { readonly now: number; readonly start?: number | undefined; readonly end?: number | undefined },
  ): Promise<JudgedSeries[]>
  /** Of each series how complete it is, in the order asked. Time of which no sessions are known is due a day later. */
  completeness(judged: readonly Judged[], now: number): Promise<SeriesCompleteness[]>
  /** How complete the series of all datasets are, or of one: each as its dataset wants it. Those whose beginning is not known are not there. */
  datasetCompleteness(now: number, dataset?: string): Promise<DatasetCompleteness[]>
  /** The sessions of a series that are not over by its start and begin before `end`, oldest first, at most `limit`; those that end after `until` are open. */
  sessionRows(judged: Judged, end: number, limit: number): Promise<SessionRow[]>
  /** Of each series what is covered as unavailable, in the order asked; nothing of one that is not stored. */
  unavailable(series: readonly SeriesKey[]): Promise<(readonly Window[])[]>
}

const DAY_SEC = 86_400

export function completenessIn(database: Database): Completeness {
  async function counted(judged: SQL, now: number): Promise<(SeriesCompleteness & { dataset: string | null })[]> {
    return (await database.rows<CountedRow>(countedIn(judged, now))).map(completenessOf)
  }

  return {
    async judgedSeries({ instrumentIds, specs, hours, dataset }, { after, limit }, { now, start, end }) {
      const ids = instrumentIds ? sql`j.instrument_id = any(${textsOf(instrumentIds)})` : sql`true`
      const named = specs ? sql`j.spec = any(${textsOf(specs)})` : sql`true`
      const timed = hours ? sql`j.hours = ${hours}` : sql`true`
      const of =
        dataset === undefined
          ? sql`left join dataset_series d on false`
          : sql`join dataset_series d on d.series_id = j.series_id and d.dataset = ${dataset}`
      const since = dataset === undefined ? sql`j.since` : OWN_SINCE
      const from = start === undefined ? since : sql`greatest(j.head, on_grid(${at(start)}, j.grid_sec))`
      const rows = await database.rows<JudgedRow>(sql`
        select j.series_id as id, j.instrument_id as "instrumentId", j.spec, j.hours, i.sec_type as "secType", i.expires, j.datasets,
          j.wanted, ${epoch(from)} as start, ${epoch(sql`j.until`)} as until
        from judged_series(${at(now)}) j join instruments i on i.id = j.instrument_id ${of}
        where j.series_id > ${after}::int and ${ids} and ${named} and ${timed} order by j.series_id limit ${limit}::int`)
      return rows.map(({ start: begin, expires, ...row }) => ({
        ...row,
        expires: expires ?? undefined,
        window: begin === null ? undefined : { start: begin, end: Math.min(end ?? row.until, row.until) },
      }))
    },

    async completeness(judged, now) {
      const rows = await counted(
        sql`select n, null::text as dataset, id as series_id, to_timestamp(s) as starts, to_timestamp(e) as until
          from unnest(${arrayOf(column(judged, 'seriesId'), 'int4')}, ${arrayOf(column(judged, 'start'), 'float8')},
            ${arrayOf(column(judged, 'until'), 'float8')}) with ordinality as u(id, s, e, n)`,
        now,
      )
      return rows.map(({ dataset: _, ...row }) => row)
    },

    async datasetCompleteness(now, dataset) {
      const of = dataset === undefined ? sql`true` : sql`d.dataset = ${dataset}`
      const rows = await counted(
        sql`select row_number() over (order by d.dataset, d.series_id) as n, d.dataset, d.series_id, ${OWN_SINCE} as starts, j.until
          from dataset_series d join judged_series(${at(now)}) j on j.series_id = d.series_id where d.since is not null and ${of}`,
        now,
      )
      return rows.map((row) => ({ ...row, dataset: row.dataset ?? '' }))
    },

    async sessionRows({ seriesId, start, until }, end, limit) {
      return database.rows<SessionRow>(sql`
        select to_char(p.date, 'YYYY-MM-DD') as date, ${epoch(sql`p.opens`)} as opens, ${epoch(sql`p.closes`)} as closes, p.expected,
          p.stored, p.covered, p.state, p.flagged, ${epoch(sql`p.starts`)} as starts, ${epoch(sql`p.ends`)} as ends
        from judged_sessions(${seriesId}::int, ${at(start)}, ${at(until)}) p
        where p.starts < ${at(end)} order by p.starts limit ${limit}::int`)
    },

    async unavailable(series) {
      const key = (name: keyof SeriesKey) => textsOf(series.map((one) => one[name]))
      const rows = await database.rows<{ windows: readonly (readonly [number, number])[] }>(sql`
        select coalesce((select jsonb_agg(jsonb_build_array(extract(epoch from lower(r)), extract(epoch from upper(r))) order by r)
          from unnest(c.windows) r), '[]') as windows
        from unnest(${key('instrumentId')}, ${key('spec')}, ${key('hours')}) with ordinality as k(instrument_id, spec, hours, n)
        left join series s using (instrument_id, spec, hours)
        left join coverage c on c.series_id = s.id and c.state = 'unavailable' order by k.n`)
      return rows.map(({ windows }) => windows.map(windowOf))
    },
  }
}

/** Since when the dataset of the row `d` wants a series, as `judged_series` has it for all together. */
const OWN_SINCE = sql`case when d.since is not null then greatest(j.head, on_grid(d.since, j.grid_sec)) end`

type JudgedRow = Omit<JudgedSeries, 'window' | 'expires'> & {
  readonly start: number | null
  readonly expires: string | null
}

function completenessOf(row: CountedRow): SeriesCompleteness & { dataset: string | null } {
  const { seriesId, dataset, gaps, flagged, unknownSec, unknownMissingSec } = row
  const { complete, empty, unavailable, partial, none: missing, open } = row
  const had = complete + empty
  return {
    seriesId,
    dataset,
    sessions: { complete, empty, unavailable, partial, missing, open },
    missing: row.missing.map(windowOf),
    gaps,
    unavailable: row.unavailable_windows.map(windowOf),
    unknown: row.unknown.map(windowOf),
    share: {
      had: had + (unknownSec - unknownMissingSec) / DAY_SEC,
      due: had + partial + missing + unknownSec / DAY_SEC,
    },
    flagged,
  }
}

function windowOf([start, end]: readonly [number, number]): Window {
  return { start, end }
}

function column(judged: readonly Judged[], name: keyof Judged): number[] {
  return judged.map((one) => one[name])
}
