ALTER TABLE "sessions" ADD COLUMN "offset_sec" integer NOT NULL;--> statement-breakpoint
-- Every series against the sessions of its venue: what each session should hold, what of it is answered, what is stored.
-- A session counts from `starts` to `ends`: its hours, or its day, week or month for bars of those. `expected` counts the
-- bars that start in it by the venue's clocks, the short first one included; minutes without a trade have none, so that
-- `covered` alone says whether all of it is there. Sessions before the first data or after the expiry are not counted.
CREATE VIEW "session_coverage" AS
  WITH sized AS (
    SELECT s.id, s.instrument_id, s.spec, s.hours, s.head, i.calendar, lower(split_part(s.spec, '-', 2)) AS unit,
      substring(s.spec FROM '^[0-9]+')::int
        * CASE split_part(s.spec, '-', 2) WHEN 'SECOND' THEN 1 WHEN 'MINUTE' THEN 60 WHEN 'HOUR' THEN 3600 END AS size_sec,
      CASE WHEN i.details->'contract'->>'secType' IN ('FUT', 'FOP', 'OPT')
        THEN to_date(substring(i.details->'contract'->>'lastTradeDateOrContractMonth' FROM '^[0-9]{8}$'), 'YYYYMMDD') END AS expiry
    FROM series s JOIN instruments i ON i.id = s.instrument_id
    WHERE s.spec ~ '^[0-9]+-(SECOND|MINUTE|HOUR|DAY|WEEK|MONTH)-'
  ), parts AS (
    SELECT z.id, z.instrument_id, z.spec, z.hours, x.date, x.opens, x.closes, x.opens AS starts, x.closes AS ends,
      (ceil((extract(epoch FROM x.closes) + x.offset_sec) / z.size_sec)
        - floor((extract(epoch FROM x.opens) + x.offset_sec) / z.size_sec))::int AS expected
    FROM sized z JOIN sessions x ON x.calendar = z.calendar AND x.hours = z.hours
    WHERE z.size_sec IS NOT NULL AND (z.expiry IS NULL OR x.date <= z.expiry) AND (z.head IS NULL OR x.closes > z.head)
    UNION ALL
    SELECT z.id, z.instrument_id, z.spec, z.hours, p.date, p.opens, p.closes, p.starts, p.ends, 1
    FROM sized z JOIN LATERAL (
      SELECT max(x.date) AS date, min(x.opens) AS opens, max(x.closes) AS closes,
        date_trunc(z.unit, x.date::timestamp) AT TIME ZONE 'UTC' AS starts,
        (date_trunc(z.unit, x.date::timestamp) + ('1 ' || z.unit)::interval) AT TIME ZONE 'UTC' AS ends
      FROM sessions x
      WHERE x.calendar = z.calendar AND x.hours = z.hours
        AND (z.expiry IS NULL OR x.date <= z.expiry) AND (z.head IS NULL OR x.closes > z.head)
      GROUP BY date_trunc(z.unit, x.date::timestamp)
    ) p ON true
    WHERE z.size_sec IS NULL
  )
  SELECT p.id AS series_id, p.instrument_id, p.spec, p.hours, p.date, p.opens, p.closes, p.starts, p.ends, p.expected,
    (SELECT count(*) FROM bars b WHERE b.series_id = p.id AND b.ts >= p.starts AND b.ts < p.ends)::int AS stored,
    (SELECT count(*) FROM flagged_bars f WHERE f.series_id = p.id AND f.ts >= p.starts AND f.ts < p.ends)::int AS flagged,
    tstzrange(p.starts, p.ends) <@ c.answered AS covered,
    CASE
      WHEN tstzrange(p.starts, p.ends) <@ c.empty THEN 'empty'
      WHEN tstzrange(p.starts, p.ends) <@ c.unavailable THEN 'unavailable'
      WHEN tstzrange(p.starts, p.ends) <@ c.answered THEN 'complete'
      WHEN tstzrange(p.starts, p.ends) && c.answered THEN 'partial'
      ELSE 'missing'
    END AS state
  FROM parts p CROSS JOIN LATERAL (
    SELECT coalesce(range_agg(v.windows), '{}'::tstzmultirange) AS answered,
      coalesce(range_agg(v.windows) FILTER (WHERE v.state = 'empty'), '{}'::tstzmultirange) AS empty,
      coalesce(range_agg(v.windows) FILTER (WHERE v.state = 'unavailable'), '{}'::tstzmultirange) AS unavailable
    FROM coverage v WHERE v.series_id = p.id
  ) c;
--> statement-breakpoint
-- The same for people: a session that is not over yet is open, whatever of it is there.
CREATE VIEW "completeness" AS
  SELECT series_id, instrument_id, spec, hours, date, opens, closes, expected, stored, covered,
    CASE WHEN ends > now() THEN 'open' ELSE state END AS state, flagged
  FROM session_coverage;
