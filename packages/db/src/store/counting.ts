import { type SQL, sql } from 'drizzle-orm'
import { begunIn, bounds, rankedSessions, touches, within } from './ranks.ts'
import { at } from './sql.ts'

/** Windows of a kind that are told one by one of one series; how many gaps there are is always told. */
const MOST_WINDOWS = 100
/** Time of which no sessions are known is due a day later than time of which they are. */
const UNKNOWN_SEC = 86_400

type WindowRow = readonly [start: number, end: number]

/** A row of `countedIn`. */
export interface CountedRow extends Record<'complete' | 'empty' | 'unavailable' | 'partial' | 'none' | 'open', number> {
  readonly seriesId: number
  readonly dataset: string | null
  readonly flagged: number
  readonly gaps: number
  readonly missing: readonly WindowRow[]
  readonly unavailable_windows: readonly WindowRow[]
  readonly unknown: readonly WindowRow[]
  readonly unknownSec: number
  readonly unknownMissingSec: number
}

/**
 * How complete the series are that `judged` selects: rows `n`, `dataset`, `series_id`, `starts` and `until`, in the order of
 * `n`. Series that differ in nothing that matters are counted once: of thousands that are covered up to now there are few.
 */
export function countedIn(judged: SQL, now: number): SQL {
  return sql`
    with w as materialized (
      select u.n, u.dataset, u.series_id, v.span, j.calendar, j.hours, j.expiry, c.answered, c.empty, c.unavailable,
        case when j.size_sec is null then j.unit else 'session' end as unit
      from (${judged}) u join judged_series(${at(now)}) j on j.series_id = u.series_id
      cross join lateral (select tstzmultirange(tstzrange(u.starts, greatest(u.starts, u.until))) as span) v
      cross join lateral (
        select coalesce(range_agg(x.windows), '{}') * v.span as answered,
          coalesce(range_agg(x.windows) filter (where x.state = 'empty'), '{}') * v.span as empty,
          coalesce(range_agg(x.windows) filter (where x.state = 'unavailable'), '{}') * v.span as unavailable
        from coverage x where x.series_id = u.series_id
      ) c
    ), ranked as materialized (${rankedSessions(sql`select distinct calendar, hours, unit from w`)}), kinds as materialized (
      select array_agg(n) as ns, array_agg(dataset) as datasets, array_agg(series_id) as ids, calendar, hours, unit, expiry,
        span, answered, empty, unavailable, span - answered as gaps, least(upper(span), ${at(now - UNKNOWN_SEC)}) as old
      from w group by calendar, hours, unit, expiry, span, answered, empty, unavailable
    ), counts as materialized (
      select w.ns, w.datasets, w.ids, w.span, t.answered - t.empty - t.unavailable as complete, t.empty, t.unavailable,
        t.due - t.answered - t.missing as partial, t.missing as none, t.started - t.due as open, g.gaps, g.windows as missing,
        ${windowsOf(sql`w.unavailable`)} as unavailable_windows,
        ${windowsOf(sql`x.unknown - w.answered * tstzmultirange(tstzrange(coalesce(upper(k.known), 'infinity'), null))`)} as unknown,
        ${secOf(sql`x.unknown`)} as unknown_sec, ${secOf(sql`x.unknown * w.gaps`)} as unknown_missing_sec
      from kinds w left join ranked k on k.calendar = w.calendar and k.hours = w.hours and k.unit = w.unit
      cross join lateral (${bounds}) b
      cross join lateral (
        select ${within(sql`w.span`)} as due, ${within(sql`w.answered`)} as answered, ${within(sql`w.empty`)} as empty,
          ${within(sql`w.unavailable`)} as unavailable, ${within(sql`w.gaps`)} as missing, ${begunIn(sql`w.span`)} as started offset 0
      ) t cross join lateral (
        select w.span * tstzmultirange(tstzrange(null, w.old)) - coalesce(k.known, '{}') - w.unavailable as unknown offset 0
      ) x cross join lateral (
        select count(*)::int as gaps, coalesce(jsonb_agg(
          jsonb_build_array(extract(epoch from lower(r)), extract(epoch from upper(r))) order by nth
        ) filter (where nth <= ${MOST_WINDOWS}::int), '[]') as windows
        from (
          select r, row_number() over (order by r) as nth from unnest(w.gaps) r
          where lower(r) < w.old and not (r * tstzrange(null, w.old) <@ coalesce(k.known, '{}')) or ${touches(sql`r`, sql`upper(w.span)`)}
        ) r
      ) g
    )
    select i.id as "seriesId", i.dataset, c.complete, c.empty, c.unavailable, c.partial, c.none, c.open, c.gaps, c.missing,
      c.unavailable_windows, c.unknown, c.unknown_sec as "unknownSec", c.unknown_missing_sec as "unknownMissingSec",
      (select count(*)::int from flagged_bars f
        where f.series_id = i.id and f.ts >= lower(c.span) and f.ts < upper(c.span)) as flagged
    from counts c cross join lateral unnest(c.ns, c.datasets, c.ids) as i(n, dataset, id) order by i.n`
}

/** The first windows of a multirange, epoch seconds. */
function windowsOf(windows: SQL): SQL {
  return sql`(select coalesce(jsonb_agg(jsonb_build_array(extract(epoch from lower(r)), extract(epoch from upper(r))) order by r), '[]')
    from (select r from unnest(${windows}) r order by r limit ${MOST_WINDOWS}::int) r)`
}

function secOf(windows: SQL): SQL {
  return sql`(select coalesce(sum(extract(epoch from upper(r) - lower(r))), 0)::float8 from unnest(${windows}) r)`
}
