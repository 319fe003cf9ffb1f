import type { ContractDetails, ErrorBody, Priority } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import {
  bigint,
  customType,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
} from 'drizzle-orm/pg-core'
import type { ChunkState, CoverageState, RunState, Want } from './store.ts'

/** Half-open `[start, end)` by Postgres' own canonical form. */
const tstzrange = customType<{ data: string }>({ dataType: () => 'tstzrange' })
const tstzmultirange = customType<{ data: string }>({ dataType: () => 'tstzmultirange' })
const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'string' })
const identity = (name: string) => bigint(name, { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity()

export const instruments = pgTable('instruments', {
  id: text('id').primaryKey(),
  details: jsonb('details').$type<ContractDetails>().notNull(),
  updatedAt: instant('updated_at').notNull(),
})

/** Other names an instrument was asked for by: `AAPL` for `AAPL.NASDAQ`. */
export const instrumentAliases = pgTable('instrument_aliases', {
  alias: text('alias').primaryKey(),
  instrumentId: text('instrument_id')
    .notNull()
    .references(() => instruments.id),
})

export const series = pgTable(
  'series',
  {
    id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
    instrumentId: text('instrument_id')
      .notNull()
      .references(() => instruments.id),
    spec: text('spec').notNull(),
    hours: text('hours').$type<'regular' | 'all'>().notNull(),
  },
  (t) => [unique('series_key').on(t.instrumentId, t.spec, t.hours)],
)

/** `ts` is a bar's start; doubles as IBKR sent them; null where IBKR has none. */
export const bars = pgTable(
  'bars',
  {
    seriesId: integer('series_id')
      .notNull()
      .references(() => series.id),
    ts: instant('ts').notNull(),
    open: doublePrecision('open').notNull(),
    high: doublePrecision('high').notNull(),
    low: doublePrecision('low').notNull(),
    close: doublePrecision('close').notNull(),
    volume: doublePrecision('volume'),
    wap: doublePrecision('wap'),
    count: bigint('count', { mode: 'number' }),
  },
  (t) => [primaryKey({ name: 'bars_pkey', columns: [t.seriesId, t.ts] })],
)

/** The windows of a series that IBKR has fully answered. Written only by the statement that writes their rows. */
export const coverage = pgTable(
  'coverage',
  {
    seriesId: integer('series_id')
      .notNull()
      .references(() => series.id),
    state: text('state').$type<CoverageState>().notNull(),
    windows: tstzmultirange('windows').notNull(),
  },
  (t) => [primaryKey({ name: 'coverage_pkey', columns: [t.seriesId, t.state] })],
)

export const datasets = pgTable('datasets', {
  name: text('name').primaryKey(),
  wants: jsonb('wants').$type<readonly Want[]>().notNull(),
  since: instant('since').notNull(),
  everySec: integer('every_sec').notNull(),
})

export const runs = pgTable('runs', {
  id: text('id').primaryKey(),
  source: text('source').notNull(),
  priority: text('priority').$type<Priority>().notNull().default('scheduled'),
  state: text('state').$type<RunState>().notNull().default('open'),
  createdAt: instant('created_at').notNull(),
  finishedAt: instant('finished_at'),
})

/** The migration `0001_open_chunks` adds what keeps open chunks of one series from overlapping. */
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
    fence: integer('fence').notNull().default(0),
    leaseUntil: instant('lease_until'),
    notBefore: instant('not_before').notNull(),
    finishedAt: instant('finished_at'),
    rows: integer('rows').notNull().default(0),
    error: jsonb('error').$type<ErrorBody>(),
  },
  (t) => [
    index('chunks_run').on(t.runId),
    index('chunks_due').on(t.notBefore).where(sql`state in ('queued', 'leased')`),
    index('chunks_given_up').on(t.seriesId).where(sql`state in ('failed', 'parked')`),
  ],
)

/** Rows that a later answer changed: prices open, high, low, close before and after. */
export const restatements = pgTable(
  'restatements',
  {
    id: identity('id'),
    seriesId: integer('series_id').notNull(),
    ts: instant('ts').notNull(),
    old: doublePrecision('old').array().notNull(),
    new: doublePrecision('new').array().notNull(),
    at: instant('at').notNull(),
  },
  (t) => [index('restatements_bar').on(t.seriesId, t.ts)],
)

export const outbox = pgTable(
  'outbox',
  {
    id: identity('id'),
    kind: text('kind').$type<'chunk-queued' | 'chunk-settled'>().notNull(),
    chunkId: bigint('chunk_id', { mode: 'number' }).notNull(),
    deliveredAt: instant('delivered_at'),
  },
  (t) => [index('outbox_open').on(t.id).where(sql`delivered_at is null`)],
)

/** One row at most: whether what is stored is real or made up. */
export const origin = pgTable('origin', {
  one: integer('one').primaryKey().default(1),
  origin: text('origin').$type<'simulated' | 'gateway'>().notNull(),
})
