-- For people: only what was wanted, or has come. A calendar's sessions begin with the series that asked for the oldest; those
-- before what datasets declare of a series or, earlier, before what is covered of it were never asked for and are not missing.
CREATE OR REPLACE VIEW "completeness" AS
  SELECT c.series_id, c.instrument_id, c.spec, c.hours, c.date, c.opens, c.closes, c.expected, c.stored, c.covered,
    CASE WHEN c.ends > now() THEN 'open' ELSE c.state END AS state, c.flagged
  FROM session_coverage c JOIN (
    SELECT x.series_id, min(x.since) AS since
    FROM (SELECT series_id, since FROM dataset_series UNION ALL SELECT series_id, lower(windows) FROM coverage) x
    GROUP BY x.series_id
  ) w ON w.series_id = c.series_id AND c.starts >= w.since;
