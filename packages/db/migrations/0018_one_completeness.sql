-- One definition of what is judged, for the view, the API and the command. A grid: whole days, minutes, or a bar's own seconds.
CREATE FUNCTION "on_grid"("at" timestamptz, "grid_sec" integer) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT to_timestamp(floor(extract(epoch FROM $1) / $2) * $2)
$$;
--> statement-breakpoint
-- Each series as it stands at an instant: judged from `since` on, by what is due before `until`.
-- `since`: what the datasets that want it declare, the earliest; null while IBKR's head timestamp is to tell. Of what no dataset
-- wants, what was asked or answered first. Never before the head timestamp, and where the first bar may stand that counts.
-- `until`: every bar that starts before it is final, as `finalUntil` in core has it without the schedule. A date is over by the
-- venue's clocks as its newest session has them, else when it is over everywhere; a future's is settled a day later.
-- `wanted`: whether it counts: a dataset wants it, or nothing is declared at all.
CREATE FUNCTION "judged_series"("at" timestamptz) RETURNS TABLE (
  "series_id" integer, "instrument_id" text, "spec" text, "hours" text, "calendar" text, "datasets" text[], "wanted" boolean,
  "unit" text, "size_sec" integer, "grid_sec" integer, "head" timestamptz, "expiry" date, "since" timestamptz, "until" timestamptz
) LANGUAGE sql STABLE AS $$
  SELECT s.id, s.instrument_id, s.spec, s.hours, i.calendar, d.names, d.names <> '{}' OR NOT EXISTS (SELECT 1 FROM datasets),
    z.unit, z.size_sec, z.grid_sec, h.head, e.expiry,
    CASE WHEN b.since IS NOT NULL THEN greatest(h.head, on_grid(b.since, z.grid_sec)) END,
    least((e.expiry + 3)::timestamp AT TIME ZONE 'UTC', CASE WHEN z.size_sec IS NOT NULL
      THEN on_grid($1 - make_interval(secs => 15 + z.size_sec), z.grid_sec) + make_interval(secs => z.grid_sec)
      ELSE date_trunc(z.unit, $1 AT TIME ZONE 'UTC' - CASE WHEN i.sec_type IN ('FUT', 'CONTFUT', 'FOP') THEN interval '1 day' ELSE interval '0' END
        + make_interval(secs => coalesce(
          (SELECT x.offset_sec FROM sessions x WHERE x.calendar = i.calendar AND x.hours = s.hours AND x.opens <= $1 ORDER BY x.opens DESC LIMIT 1),
          -43200))) AT TIME ZONE 'UTC'
      END)
  FROM series s JOIN instruments i ON i.id = s.instrument_id
  CROSS JOIN LATERAL (
    SELECT u.unit, u.size_sec, CASE WHEN u.size_sec IS NULL THEN 86400 ELSE least(60, u.size_sec) END AS grid_sec FROM (
      SELECT lower(split_part(s.spec, '-', 2)) AS unit, substring(s.spec FROM '^[0-9]+')::int
        * CASE split_part(s.spec, '-', 2) WHEN 'SECOND' THEN 1 WHEN 'MINUTE' THEN 60 WHEN 'HOUR' THEN 3600 END AS size_sec
    ) u
  ) z
  CROSS JOIN LATERAL (SELECT on_grid(s.head, z.grid_sec) AS head) h
  CROSS JOIN LATERAL (
    SELECT CASE WHEN i.sec_type IN ('FUT', 'FOP', 'OPT') THEN to_date(substring(i.expires FROM '^[0-9]{8}'), 'YYYYMMDD') END AS expiry
  ) e
  CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(w.dataset ORDER BY w.dataset), '{}') AS names, CASE WHEN bool_and(w.since IS NOT NULL) THEN min(w.since) END AS since
    FROM dataset_series w WHERE w.series_id = s.id
  ) d
  CROSS JOIN LATERAL (
    SELECT CASE WHEN d.names <> '{}' THEN d.since ELSE least(
      (SELECT min(lower(c.windows)) FROM coverage c WHERE c.series_id = s.id),
      (SELECT min(lower(k.win)) FROM chunks k WHERE k.series_id = s.id AND k.state <> 'cancelled')
    ) END AS since
  ) b
  WHERE s.spec ~ '^[0-9]+-(SECOND|MINUTE|HOUR|DAY|WEEK|MONTH)-'
$$;
--> statement-breakpoint
-- The sessions of a series that are not over by `since`, as far as they lie behind it: what each should hold, what of it is
-- answered, what is stored. One counts from `starts` to `ends`: its hours, or its day, week or month for bars of those.
-- `expected` counts the bars that start in that part by the venue's clocks, the short first one included; minutes without a trade have
-- none, so that `covered` alone says whether all of it is there. One that ends after `until` is open. None after the expiry.
CREATE FUNCTION "judged_sessions"("series_id" integer, "since" timestamptz, "until" timestamptz) RETURNS TABLE (
  "date" date, "opens" timestamptz, "closes" timestamptz, "starts" timestamptz, "ends" timestamptz,
  "expected" integer, "stored" integer, "flagged" integer, "covered" boolean, "state" text
) LANGUAGE sql STABLE AS $$
  WITH sized AS NOT MATERIALIZED (
    SELECT s.id, s.hours, i.calendar, c.unit, c.size_sec, c.expiry, c.answered, c.empty, c.unavailable
    FROM series s JOIN instruments i ON i.id = s.instrument_id CROSS JOIN LATERAL (
      SELECT lower(split_part(s.spec, '-', 2)) AS unit,
        substring(s.spec FROM '^[0-9]+')::int
          * CASE split_part(s.spec, '-', 2) WHEN 'SECOND' THEN 1 WHEN 'MINUTE' THEN 60 WHEN 'HOUR' THEN 3600 END AS size_sec,
        CASE WHEN i.sec_type IN ('FUT', 'FOP', 'OPT') THEN to_date(substring(i.expires FROM '^[0-9]{8}'), 'YYYYMMDD') END AS expiry,
        coalesce(range_agg(v.windows), '{}'::tstzmultirange) AS answered,
        coalesce(range_agg(v.windows) FILTER (WHERE v.state = 'empty'), '{}'::tstzmultirange) AS empty,
        coalesce(range_agg(v.windows) FILTER (WHERE v.state = 'unavailable'), '{}'::tstzmultirange) AS unavailable
      FROM coverage v WHERE v.series_id = s.id
    ) c
    WHERE s.id = $1 AND s.spec ~ '^[0-9]+-(SECOND|MINUTE|HOUR|DAY|WEEK|MONTH)-'
  ), parts AS (
    SELECT z.id, x.date, x.opens, x.closes, x.opens AS starts, x.closes AS ends, greatest(x.opens, $2) AS bars_from,
      (ceil((extract(epoch FROM x.closes) + x.offset_sec) / z.size_sec)
        - CASE WHEN x.opens < $2 THEN ceil((extract(epoch FROM $2) + x.offset_sec) / z.size_sec)
          ELSE floor((extract(epoch FROM x.opens) + x.offset_sec) / z.size_sec) END)::int AS expected, z.answered, z.empty, z.unavailable
    FROM sized z JOIN sessions x ON x.calendar = z.calendar AND x.hours = z.hours AND x.closes > $2
    WHERE z.size_sec IS NOT NULL AND (z.expiry IS NULL OR x.date <= z.expiry)
    UNION ALL
    SELECT z.id, p.date, p.opens, p.closes, p.starts, p.ends, p.starts, 1, z.answered, z.empty, z.unavailable
    FROM sized z JOIN LATERAL (
      SELECT max(x.date) AS date, min(x.opens) AS opens, max(x.closes) AS closes,
        date_trunc(z.unit, x.date::timestamp) AT TIME ZONE 'UTC' AS starts,
        (date_trunc(z.unit, x.date::timestamp) + ('1 ' || z.unit)::interval) AT TIME ZONE 'UTC' AS ends
      FROM sessions x
      WHERE x.calendar = z.calendar AND x.hours = z.hours AND (z.expiry IS NULL OR x.date <= z.expiry)
      GROUP BY date_trunc(z.unit, x.date::timestamp)
    ) p ON p.ends > $2
    WHERE z.size_sec IS NULL
  )
  SELECT p.date, p.opens, p.closes, p.starts, p.ends, p.expected,
    (SELECT count(*) FROM bars b WHERE b.series_id = p.id AND b.ts >= p.bars_from AND b.ts < p.ends)::int,
    (SELECT count(*) FROM flagged_bars f WHERE f.series_id = p.id AND f.ts >= p.bars_from AND f.ts < p.ends)::int,
    r.counts <@ p.answered,
    CASE
      WHEN p.ends > $3 THEN 'open'
      WHEN r.counts <@ p.empty THEN 'empty'
      WHEN r.counts <@ p.unavailable THEN 'unavailable'
      WHEN r.counts <@ p.answered THEN 'complete'
      WHEN r.counts && p.answered THEN 'partial'
      ELSE 'missing'
    END
  FROM parts p CROSS JOIN LATERAL (SELECT tstzrange(greatest(p.starts, $2), p.ends) AS counts) r
$$;
--> statement-breakpoint
-- The time of which a calendar's sessions are known. Bars of days and longer stand at the beginning of their dates: the first date
-- that has a session is known from there.
CREATE FUNCTION "known_time"("calendar" text, "hours" text, "unit" text) RETURNS tstzmultirange LANGUAGE sql STABLE AS $$
  SELECT coalesce((
    SELECT CASE WHEN $3 IN ('day', 'week', 'month') THEN c.known + tstzmultirange(tstzrange(least(lower(c.known), (
      SELECT x.date FROM sessions x WHERE x.calendar = $1 AND x.hours = $2 ORDER BY x.opens LIMIT 1
    )::timestamp AT TIME ZONE 'UTC'), lower(c.known))) ELSE c.known END
    FROM calendars c WHERE c.calendar = $1 AND c.hours = $2
  ), '{}')
$$;
--> statement-breakpoint
DROP VIEW "completeness";
--> statement-breakpoint
DROP VIEW "session_coverage";
--> statement-breakpoint
-- For people: every series' sessions as they stand now, and as `unknown` what is due, not answered, and of which no sessions are known.
-- (OFFSET 0: put together with what uses it, a series would be judged anew for each of its sessions.)
CREATE VIEW "completeness" AS
  SELECT j.series_id, j.instrument_id, j.spec, j.hours, j.datasets, j.wanted, x.date, x.opens, x.closes, x.expected, x.stored, x.covered,
    x.state, x.flagged
  FROM (SELECT * FROM judged_series(now()) OFFSET 0) j CROSS JOIN LATERAL judged_sessions(j.series_id, j.since, j.until) x
  WHERE x.starts < now()
  UNION ALL
  SELECT j.series_id, j.instrument_id, j.spec, j.hours, j.datasets, j.wanted, (lower(r) AT TIME ZONE 'UTC')::date, lower(r), upper(r), NULL, NULL, false,
    'unknown', NULL
  FROM (SELECT * FROM judged_series(now()) OFFSET 0) j
  CROSS JOIN LATERAL unnest(
    tstzmultirange(tstzrange(j.since, greatest(j.since, least(j.until, now() - interval '1 day'))))
      - known_time(j.calendar, j.hours, j.unit)
      - coalesce((SELECT range_agg(v.windows) FROM coverage v WHERE v.series_id = j.series_id), '{}')
  ) r
  WHERE j.since IS NOT NULL;
