ALTER TABLE "datasets" ADD COLUMN "definition" jsonb;--> statement-breakpoint
ALTER TABLE "datasets" ADD COLUMN "paused" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "datasets" ADD COLUMN "linked" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "datasets" ADD COLUMN "due_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "datasets" ADD COLUMN "created_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "datasets" ADD COLUMN "updated_at" timestamp with time zone;--> statement-breakpoint
-- What datasets were before, said in the words of now: their series as instruments and specs, their period as a schedule.
UPDATE "datasets" d SET due_at = now(), created_at = now(), updated_at = now(), definition = jsonb_build_object(
  'name', d.name,
  'instruments', coalesce((SELECT jsonb_agg(DISTINCT w->>'instrumentId') FROM jsonb_array_elements(d.wants) w), '[]'),
  'specs', coalesce((SELECT jsonb_agg(DISTINCT w->>'spec') FROM jsonb_array_elements(d.wants) w), '[]'),
  'since', to_char(d.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'hours', coalesce(d.wants->0->>'hours', 'regular'),
  'schedule', jsonb_build_object('every', greatest(1, d.every_sec / 60) || 'm')
);--> statement-breakpoint
INSERT INTO "dataset_instruments" (dataset, name)
  SELECT d.name, n FROM "datasets" d, jsonb_array_elements_text(d.definition->'instruments') n;--> statement-breakpoint
ALTER TABLE "datasets" ALTER COLUMN "definition" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "datasets" ALTER COLUMN "due_at" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "datasets" ALTER COLUMN "created_at" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "datasets" ALTER COLUMN "updated_at" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "datasets" ALTER COLUMN "since" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "datasets" DROP COLUMN "wants";--> statement-breakpoint
ALTER TABLE "datasets" DROP COLUMN "every_sec";--> statement-breakpoint
ALTER TABLE "dataset_series" ALTER COLUMN "since" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "series" ADD COLUMN "head_error" jsonb;
--> statement-breakpoint
CREATE INDEX "runs_dataset" ON "runs" USING btree ("dataset","created_at");--> statement-breakpoint
ALTER TABLE "instruments" ADD COLUMN "sec_type" text GENERATED ALWAYS AS (details->'contract'->>'secType') STORED;--> statement-breakpoint
ALTER TABLE "instruments" ADD COLUMN "time_zone_id" text GENERATED ALWAYS AS (details->>'timeZoneId') STORED;
