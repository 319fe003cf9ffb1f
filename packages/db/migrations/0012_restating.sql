ALTER TABLE "adjustments" DROP CONSTRAINT "adjustments_open";--> statement-breakpoint
ALTER TABLE "adjustments" ADD COLUMN "since" timestamp with time zone;--> statement-breakpoint
CREATE UNIQUE INDEX "adjustments_collecting" ON "adjustments" USING btree ("series_id") WHERE state = 'collecting';--> statement-breakpoint
CREATE INDEX "chunks_adjustment" ON "chunks" USING btree ("adjustment_id") WHERE adjustment_id is not null;