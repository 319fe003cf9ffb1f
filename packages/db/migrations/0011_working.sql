CREATE INDEX "chunks_logged_out" ON "chunks" USING btree ("finished_at") WHERE state = 'parked' and error->>'kind' = 'login-required';--> statement-breakpoint
CREATE INDEX "outbox_delivered" ON "outbox" USING btree ("delivered_at") WHERE delivered_at is not null;--> statement-breakpoint
CREATE INDEX "runs_state" ON "runs" USING btree ("state","created_at");--> statement-breakpoint
CREATE INDEX "runs_newest" ON "runs" USING btree ("created_at","id");