-- Two planners never ask for the same window: open chunks of one series do not overlap.
-- The series is compared as a one-element range, so that no extension (btree_gist) is needed.
ALTER TABLE "chunks" ADD CONSTRAINT "chunks_open_disjoint" EXCLUDE USING gist (
  int8range(series_id, series_id, '[]') WITH &&,
  win WITH &&
) WHERE (state IN ('queued', 'leased'));
--> statement-breakpoint
-- Plain bars with their instrument's id, for people and tools that want no joins.
CREATE VIEW "market_data" AS
  SELECT s.instrument_id, s.spec, s.hours, b.ts, b.open, b.high, b.low, b.close, b.volume, b.wap, b.count
  FROM bars b JOIN series s ON s.id = b.series_id;
