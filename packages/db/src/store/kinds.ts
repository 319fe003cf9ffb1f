import type { ErrorBody, Hours, SecType, Window } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { DatasetSeries } from './due.ts'
import { at } from './sql.ts'

/**
 * As `wanted`, one row a dataset of `d`: its series, each with what of `[since, now)` neither coverage nor `asked` takes
 * away. Series that differ in nothing but their instruments are one kind: of thousands that are covered up to now there are
 * few, and thousands of small JSON texts would take longer than all else.
 */
export function seriesOf(now: number, asked: SQL): SQL {
  return sql`own as materialized (
      select x.dataset, x.since, s.id, s.instrument_id, s.spec, s.hours, s.head_asked_at, s.head_error,
        i.sec_type, i.time_zone_id, i.expires
      from d join dataset_series x on x.dataset = d.name join series s on s.id = x.series_id join instruments i on i.id = s.instrument_id
    ), asked as materialized (${asked}), held as materialized (
      select series_id, range_agg(windows) as windows from coverage where series_id in (select id from own) group by series_id
    ), kind as (
      select own.dataset, own.spec, own.hours, own.sec_type, own.time_zone_id, own.expires, own.since, own.head_asked_at, own.head_error,
        case when own.since < ${at(now)} then tstzmultirange(tstzrange(own.since, ${at(now)}))
          - coalesce(held.windows, '{}') - coalesce(asked.windows, '{}') end as gaps,
        json_agg(own.id) as ids, json_agg(own.instrument_id) as names
      from own left join held on held.series_id = own.id left join asked on asked.series_id = own.id
      group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    ), wanted as (
      select dataset, json_agg(json_build_array(spec, hours, sec_type, time_zone_id, expires, extract(epoch from since),
        extract(epoch from head_asked_at), head_error, (
          select json_agg(json_build_array(extract(epoch from lower(gap)), extract(epoch from upper(gap)))) from unnest(gaps) as gap
        ), ids, names)) as series
      from kind group by dataset
    )`
}

/** What open chunks of the series in `own` ask for, and those that were given up at or after an instant, by a right clock. */
export function openChunks(givenUpSince: number | undefined, now: number): SQL {
  return sql`
      select series_id, range_agg(win) as windows from chunks
      where (state in ('queued', 'leased') or state in ('failed', 'parked') and finished_at between ${at(givenUpSince)} and ${at(now + AHEAD_SEC)})
        and series_id in (select id from own) group by series_id`
}

/** Clocks of several machines differ by less, as a rule: what lies further ahead was written by one that was wrong. */
export const AHEAD_SEC = 300

/** No chunk counts. */
export const NO_CHUNKS = sql`select null::int as series_id, null::tstzmultirange as windows where false`

/** Series of one kind. */
export type KindRow = readonly [
  spec: string,
  hours: Hours,
  secType: SecType,
  timeZoneId: string | null,
  expires: string | null,
  since: number | null,
  headAskedAt: number | null,
  headError: ErrorBody | null,
  gaps: readonly WindowRow[] | null,
  ids: readonly number[],
  instrumentIds: readonly string[],
]
export type WindowRow = readonly [start: number, end: number]

/** A dataset's series in the order they were made. Those of a kind share their gaps, the array itself. */
export function seriesIn(kinds: readonly KindRow[]): DatasetSeries[] {
  return kinds.flatMap(seriesOfKind).sort((a, b) => a.id - b.id)
}

function seriesOfKind(kind: KindRow): DatasetSeries[] {
  const [spec, hours, secType, zone, expires, since, headAskedAt, headError, gaps, ids, names] = kind
  const shared = {
    ...{ spec, hours, secType, timeZoneId: zone ?? '', expires: expires ?? undefined, since: since ?? undefined },
    ...{ headAskedAt: headAskedAt ?? undefined, headError: headError ?? undefined, gaps: (gaps ?? []).map(windowOf) },
  }
  return ids.map((id, i) => ({ id, instrumentId: names[i] ?? '', ...shared }))
}

export function windowOf([start, end]: WindowRow): Window {
  return { start, end }
}
