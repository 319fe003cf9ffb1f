CREATE TABLE "adjustments" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "adjustments_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"series_id" integer NOT NULL,
	"ratio" double precision NOT NULL,
	"before" timestamp with time zone NOT NULL,
	"state" text DEFAULT 'collecting' NOT NULL,
	"found_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "adjustments_open" UNIQUE("series_id","before")
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"scopes" text[] NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "api_keys_hash" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "calendars" (
	"calendar" text NOT NULL,
	"hours" text NOT NULL,
	"zone" text NOT NULL,
	"known" "tstzmultirange" NOT NULL,
	"asked_at" timestamp with time zone NOT NULL,
	CONSTRAINT "calendars_pkey" PRIMARY KEY("calendar","hours")
);
--> statement-breakpoint
CREATE TABLE "dataset_instruments" (
	"dataset" text NOT NULL,
	"name" text NOT NULL,
	"instrument_id" text,
	"error" jsonb,
	"asked_at" timestamp with time zone,
	CONSTRAINT "dataset_instruments_pkey" PRIMARY KEY("dataset","name")
);
--> statement-breakpoint
CREATE TABLE "dataset_series" (
	"dataset" text NOT NULL,
	"series_id" integer NOT NULL,
	"since" timestamp with time zone NOT NULL,
	CONSTRAINT "dataset_series_pkey" PRIMARY KEY("dataset","series_id")
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"webhook_id" text NOT NULL,
	"type" text NOT NULL,
	"body" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"not_before" timestamp with time zone NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"ended_at" timestamp with time zone,
	"error" text
);
--> statement-breakpoint
CREATE TABLE "flagged_bars" (
	"series_id" integer NOT NULL,
	"ts" timestamp with time zone NOT NULL,
	"why" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "flagged_bars_pkey" PRIMARY KEY("series_id","ts")
);
--> statement-breakpoint
CREATE TABLE "hook_calls" (
	"hook" text NOT NULL,
	"call_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "hook_calls_pkey" PRIMARY KEY("hook","call_id")
);
--> statement-breakpoint
CREATE TABLE "hooks" (
	"name" text PRIMARY KEY NOT NULL,
	"dataset" text NOT NULL,
	"secret" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "notices" (
	"kind" text PRIMARY KEY NOT NULL,
	"since" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"calendar" text NOT NULL,
	"hours" text NOT NULL,
	"date" date NOT NULL,
	"opens" timestamp with time zone NOT NULL,
	"closes" timestamp with time zone NOT NULL,
	CONSTRAINT "sessions_pkey" PRIMARY KEY("calendar","hours","opens")
);
--> statement-breakpoint
CREATE TABLE "spans" (
	"spec" text NOT NULL,
	"sec_type" text NOT NULL,
	"hours" text NOT NULL,
	"span_sec" integer NOT NULL,
	"learned_at" timestamp with time zone NOT NULL,
	CONSTRAINT "spans_pkey" PRIMARY KEY("spec","sec_type","hours")
);
--> statement-breakpoint
CREATE TABLE "staged_bars" (
	"adjustment_id" bigint NOT NULL,
	"ts" timestamp with time zone NOT NULL,
	"open" double precision NOT NULL,
	"high" double precision NOT NULL,
	"low" double precision NOT NULL,
	"close" double precision NOT NULL,
	"volume" double precision,
	"wap" double precision,
	"count" bigint,
	CONSTRAINT "staged_bars_pkey" PRIMARY KEY("adjustment_id","ts")
);
--> statement-breakpoint
CREATE TABLE "webhooks" (
	"id" text PRIMARY KEY NOT NULL,
	"url" text NOT NULL,
	"secret" text NOT NULL,
	"events" text[] NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "outbox" ALTER COLUMN "chunk_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "chunks" ADD COLUMN "doubts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "chunks" ADD COLUMN "adjustment_id" bigint;--> statement-breakpoint
ALTER TABLE "instruments" ADD COLUMN "calendar" text;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "event" jsonb;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "restatements" ADD COLUMN "adjustment_id" bigint;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "dataset" text;--> statement-breakpoint
ALTER TABLE "series" ADD COLUMN "head" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "series" ADD COLUMN "head_asked_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "adjustments" ADD CONSTRAINT "adjustments_series_id_series_id_fk" FOREIGN KEY ("series_id") REFERENCES "public"."series"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dataset_instruments" ADD CONSTRAINT "dataset_instruments_dataset_datasets_name_fk" FOREIGN KEY ("dataset") REFERENCES "public"."datasets"("name") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dataset_instruments" ADD CONSTRAINT "dataset_instruments_instrument_id_instruments_id_fk" FOREIGN KEY ("instrument_id") REFERENCES "public"."instruments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dataset_series" ADD CONSTRAINT "dataset_series_dataset_datasets_name_fk" FOREIGN KEY ("dataset") REFERENCES "public"."datasets"("name") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dataset_series" ADD CONSTRAINT "dataset_series_series_id_series_id_fk" FOREIGN KEY ("series_id") REFERENCES "public"."series"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_webhook_id_webhooks_id_fk" FOREIGN KEY ("webhook_id") REFERENCES "public"."webhooks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "flagged_bars" ADD CONSTRAINT "flagged_bars_series_id_series_id_fk" FOREIGN KEY ("series_id") REFERENCES "public"."series"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hook_calls" ADD CONSTRAINT "hook_calls_hook_hooks_name_fk" FOREIGN KEY ("hook") REFERENCES "public"."hooks"("name") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hooks" ADD CONSTRAINT "hooks_dataset_datasets_name_fk" FOREIGN KEY ("dataset") REFERENCES "public"."datasets"("name") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "staged_bars" ADD CONSTRAINT "staged_bars_adjustment_id_adjustments_id_fk" FOREIGN KEY ("adjustment_id") REFERENCES "public"."adjustments"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "dataset_series_series" ON "dataset_series" USING btree ("series_id");--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" USING btree ("not_before") WHERE state = 'waiting';--> statement-breakpoint
ALTER TABLE "chunks" ADD CONSTRAINT "chunks_adjustment_id_adjustments_id_fk" FOREIGN KEY ("adjustment_id") REFERENCES "public"."adjustments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_dataset_datasets_name_fk" FOREIGN KEY ("dataset") REFERENCES "public"."datasets"("name") ON DELETE set null ON UPDATE no action;