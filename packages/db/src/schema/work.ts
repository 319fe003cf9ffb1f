import type { ErrorBody, Priority } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import { bigint, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { ChunkState, RunState } from '../store.ts'
import { identity, instant, tstzrange } from './columns.ts'
import { series } from './instruments.ts'
import { adjustments } from './restatements.ts'

export const runs = pgTable(
  'runs',
  {
    id: text('id').primaryKey(),
    source: text('source').notNull(),
    priority: text('priority').$type<Priority>().notNull().default('scheduled'),
    /** The dataset it was opened for, which may have been removed since; null for one by hand. */
    dataset: text('dataset'),
    state: text('state').$type<RunState>().notNull().default('open'),
    createdAt: instant('created_at').notNull(),
    finishedAt: instant('finished_at'),
  },
  (t) => [
    index('runs_dataset').on(t.dataset, t.createdAt),
    index('runs_state').on(t.state, t.createdAt),
    index('runs_newest').on(t.createdAt, t.id),
  ],
)

/** The migrations `0001_open_chunks` and `0013_open_adjustments` add what keeps open chunks of one series from overlapping. */
export const chunks = pgTable(
  'chunks',
  {
    id: identity('id'),
    runId: text('run_id')
      .notNull()
      .references(() => runs.id),
    seriesId: integer('series_id')
      .notNull()
      .references(() => series.id),
    win: tstzrange('win').notNull(),
    state: text('state').$type<ChunkState>().notNull().default('queued'),
    attempt: integer('attempt').notNull().default(0),
    /** How often in a row it failed with the kind that `error` holds. */
    failures: integer('failures').notNull().default(0),
    /** How often IBKR said "no data" where its sessions say the market was open. */
    doubts: integer('doubts').notNull().default(0),
    /** Set for a chunk that collects again what a split restated: its rows go to `staged_bars`. */
    adjustmentId: bigint('adjustment_id', { mode: 'number' }).references(() => adjustments.id),
    fence: integer('fence').notNull().default(0),
    leaseUntil: instant('lease_until'),
    notBefore: instant('not_before').notNull(),
    finishedAt: instant('finished_at'),
    rows: integer('rows').notNull().default(0),
    error: jsonb('error').$type<ErrorBody>(),
  },
  (t) => [
    index('chunks_run').on(t.runId),
    /** A series that is dropped must be referred to by none. */
    index('chunks_series').on(t.seriesId),
    index('chunks_due').on(t.notBefore).where(sql`state in ('queued', 'leased')`),
    index('chunks_given_up').on(t.seriesId).where(sql`state in ('failed', 'parked')`),
    index('chunks_answered').on(t.seriesId, t.finishedAt).where(sql`state = 'done'`),
    index('chunks_adjustment').on(t.adjustmentId).where(sql`adjustment_id is not null`),
    index('chunks_logged_out').on(t.finishedAt).where(sql`state = 'parked' and error->>'kind' = 'login-required'`),
  ],
)

/** How long the chunks of a bar size may be: shortened each time a window of it timed out. */
export const spans = pgTable(
  'spans',
  {
    spec: text('spec').notNull(),
    secType: text('sec_type').notNull(),
    hours: text('hours').$type<'regular' | 'all'>().notNull(),
    spanSec: integer('span_sec').notNull(),
    learnedAt: instant('learned_at').notNull(),
  },
  (t) => [primaryKey({ name: 'spans_pkey', columns: [t.spec, t.secType, t.hours] })],
)

/** What is to be passed on: chunks to the queue, settled chunks to their runs' end, events to webhooks. */
export const outbox = pgTable(
  'outbox',
  {
    id: identity('id'),
    kind: text('kind').$type<'chunk-queued' | 'chunk-settled' | 'event'>().notNull(),
    /** Null for an event. */
    chunkId: bigint('chunk_id', { mode: 'number' }),
    /** An event's type and data; null for a chunk. */
    event: jsonb('event').$type<{ readonly type: string; readonly data: object }>(),
    /** When it was noted; null for a chunk. */
    at: instant('at'),
    deliveredAt: instant('delivered_at'),
  },
  (t) => [
    index('outbox_open').on(t.id).where(sql`delivered_at is null`),
    index('outbox_delivered').on(t.deliveredAt).where(sql`delivered_at is not null`),
  ],
)
