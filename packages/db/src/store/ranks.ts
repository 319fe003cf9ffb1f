import { type SQL, sql } from 'drizzle-orm'

/**
 * Sessions counted by rank. A series' sessions of ten years are 2,500, and a page has hundreds of series: held against the
 * coverage one by one they take seconds. But sessions do not overlap, and those of a calendar are the same for all of its
 * series: ordered once, how many lie within a window is the difference of two ranks, found by halving.
 *
 * In what is counted `w` is a series with its `span`, `k` a row of `rankedSessions`, or null where no sessions are known, and
 * `b` the row of `bounds`. What is counted are the rows of the function `judged_sessions`.
 */

/** Just before: windows and sessions hold their starts and not their ends. */
const TICK = sql`interval '1 microsecond'`

/**
 * Of each calendar, hours and unit that `wanted` selects, what is known of it, and in order when its sessions (days, weeks,
 * months) start and end, and by which date the first in each counts.
 */
export function rankedSessions(wanted: SQL): SQL {
  return sql`
    select z.*, known_time(z.calendar, z.hours, z.unit) as known, r.* from (${wanted}) z join calendars c on c.calendar = z.calendar and c.hours = z.hours cross join lateral (
      select array_agg(starts order by starts) as starts, array_agg(ends order by ends) as ends, array_agg(date order by date) as dates
      from (
        select p.starts, min(x.date) as date, case z.unit
          when 'session' then max(x.closes)
          else (p.starts at time zone 'UTC' + ('1 ' || z.unit)::interval) at time zone 'UTC' end as ends
        from sessions x cross join lateral (
          select case z.unit when 'session' then x.opens
            else date_trunc(z.unit, x.date::timestamp) at time zone 'UTC' end as starts
        ) p
        where x.calendar = z.calendar and x.hours = z.hours
        group by p.starts
      ) y
    ) r`
}

/**
 * The ranks before the `first` and of the `last` session that count for the series `w`: not those over when its span begins,
 * nor those after its last trading date.
 * (`offset 0`, here and where it is counted: put together with what uses it, it would be found anew for each use.)
 */
export const bounds = sql`
  select coalesce(width_bucket(lower(w.span), k.ends), 0) as first,
    coalesce(width_bucket(w.expiry, k.dates), cardinality(k.dates), 0) as last offset 0`

/** How many sessions lie within the windows, each in one of them. */
export function within(windows: SQL): SQL {
  return counted(windows, sql`width_bucket(upper(r), k.ends)`)
}

/** How many sessions start in the windows. */
export function begunIn(windows: SQL): SQL {
  return counted(windows, sql`width_bucket(upper(r) - ${TICK}, k.starts)`)
}

/** Whether a session that is over by `until` has time in the window. */
export function touches(window: SQL, until: SQL): SQL {
  return sql`least(width_bucket(upper(${window}) - ${TICK}, k.starts), width_bucket(${until}, k.ends), b.last)
    > greatest(width_bucket(lower(${window}), k.ends), b.first)`
}

/** From the first that starts in a window `r` of the span, or is under way when both begin, up to that of the rank `last`. */
function counted(windows: SQL, last: SQL): SQL {
  return sql`coalesce((
    select sum(greatest(least(${last}, b.last) - case
      when lower(r) = lower(w.span) then b.first else greatest(width_bucket(lower(r) - ${TICK}, k.starts), b.first) end, 0))
    from unnest(${windows}) r), 0)::int`
}
