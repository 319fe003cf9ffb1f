-- What is collected again after a split was covered before: its chunks lie beside those that ask for what is missing, and are
-- disjoint among themselves.
ALTER TABLE "chunks" DROP CONSTRAINT "chunks_open_disjoint";
--> statement-breakpoint
ALTER TABLE "chunks" ADD CONSTRAINT "chunks_open_disjoint" EXCLUDE USING gist (
  int8range(series_id, series_id, '[]') WITH &&,
  int8range(coalesce(adjustment_id, 0), coalesce(adjustment_id, 0), '[]') WITH &&,
  win WITH &&
) WHERE (state IN ('queued', 'leased'));
