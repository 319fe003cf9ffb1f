-- The view of 0006 once more, with the same answers: a series' coverage is put together once, not once for every session.
-- What is computed beside an aggregate is computed with it, so its unit and last date are too.
CREATE OR REPLACE VIEW "session_coverage" AS
  WITH sized AS NOT MATERIALIZED (
    SELECT s.id, s.instrument_id, s.spec, s.hours, s.head, i.calendar, c.unit, c.size_sec, c.expiry, c.answered, c.empty, c.unavailable
    FROM series s JOIN instruments i ON i.id = s.instrument_id CROSS JOIN LATERAL (
      SELECT lower(split_part(s.spec, '-', 2)) AS unit,
        substring(s.spec FROM '^[0-9]+')::int
          * CASE split_part(s.spec, '-', 2) WHEN 'SECOND' THEN 1 WHEN 'MINUTE' THEN 60 WHEN 'HOUR' THEN 3600 END AS size_sec,
        CASE WHEN i.details->'contract'->>'secType' IN ('FUT', 'FOP', 'OPT')
          THEN to_date(substring(i.details->'contract'->>'lastTradeDateOrContractMonth' FROM '^[0-9]{8}$'), 'YYYYMMDD') END AS expiry,
        coalesce(range_agg(v.windows), '{}'::tstzmultirange) AS answered,
        coalesce(range_agg(v.windows) FILTER (WHERE v.state = 'empty'), '{}'::tstzmultirange) AS empty,
        coalesce(range_agg(v.windows) FILTER (WHERE v.state = 'unavailable'), '{}'::tstzmultirange) AS unavailable
      FROM coverage v WHERE v.series_id = s.id
    ) c
    WHERE s.spec ~ '^[0-9]+-(SECOND|MINUTE|HOUR|DAY|WEEK|MONTH)-'
  ), parts AS (
    SELECT z.id, z.instrument_id, z.spec, z.hours, x.date, x.opens, x.closes, x.opens AS starts, x.closes AS ends,
      (ceil((extract(epoch FROM x.closes) + x.offset_sec) / z.size_sec)
        - floor((extract(epoch FROM x.opens) + x.offset_sec) / z.size_sec))::int AS expected, z.answered, z.empty, z.unavailable
    FROM sized z JOIN sessions x ON x.calendar = z.calendar AND x.hours = z.hours
    WHERE z.size_sec IS NOT NULL AND (z.expiry IS NULL OR x.date <= z.expiry) AND (z.head IS NULL OR x.closes > z.head)
    UNION ALL
    SELECT z.id, z.instrument_id, z.spec, z.hours, p.date, p.opens, p.closes, p.starts, p.ends, 1, z.answered, z.empty, z.unavailable
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
    tstzrange(p.starts, p.ends) <@ p.answered AS covered,
    CASE
      WHEN tstzrange(p.starts, p.ends) <@ p.empty THEN 'empty'
      WHEN tstzrange(p.starts, p.ends) <@ p.unavailable THEN 'unavailable'
      WHEN tstzrange(p.starts, p.ends) <@ p.answered THEN 'complete'
      WHEN tstzrange(p.starts, p.ends) && p.answered THEN 'partial'
      ELSE 'missing'
    END AS state
  FROM parts p;
