import type { ContractDetails, DatasetDefinition, ErrorBody, Priority } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  boolean,
  customType,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import type { ChunkState, CoverageState, RunState } from './store.ts'

/** Half-open `[start, end)` by Postgres' own canonical form. */
const tstzrange = customType<{ data: string }>({ dataType: () => 'tstzrange' })
const tstzmultirange = customType<{ data: string }>({ dataType: () => 'tstzmultirange' })
const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'string' })
const identity = (name: string) => bigint(name, { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity()

/** `calendar` names the sessions it trades in; null until it was asked after (`calendarOf` in core). */
export const instruments = pgTable('instruments', {
  id: text('id').primaryKey(),
  details: jsonb('details').$type<ContractDetails>().notNull(),
  updatedAt: instant('updated_at').notNull(),
  calendar: text('calendar'),
  /** Out of `details`, which are long: planning reads thousands of them at once. */
  secType: text('sec_type').generatedAlwaysAs(sql`details->'contract'->>'secType'`),
  timeZoneId: text('time_zone_id').generatedAlwaysAs(sql`details->>'timeZoneId'`),
  /** The later of IBKR's two texts of the last trade date; null for what does not expire. */
  expires: text('expires').generatedAlwaysAs(
    sql`greatest(nullif(details->>'realExpirationDate', ''), nullif(details->'contract'->>'lastTradeDateOrContractMonth', ''))`,
  ),
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
    /** IBKR's head timestamp: the first data it has. Null until it was asked. */
    head: instant('head'),
    headAskedAt: instant('head_asked_at'),
    /** What came of asking, where it was no instant. */
    headError: jsonb('head_error').$type<ErrorBody>(),
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
  definition: jsonb('definition').$type<DatasetDefinition>().notNull(),
  /** What the definition's `since` meant when it was declared; null for IBKR's head timestamp. */
  since: instant('since'),
  paused: boolean('paused').notNull().default(false),
  /** Whether `dataset_series` holds what the definition and the instruments found so far come to. */
  linked: boolean('linked').notNull().default(false),
  dueAt: instant('due_at').notNull(),
  createdAt: instant('created_at').notNull(),
  updatedAt: instant('updated_at').notNull(),
})

/** The instruments a dataset names, as it names them, and what became of each. */
export const datasetInstruments = pgTable(
  'dataset_instruments',
  {
    dataset: text('dataset')
      .notNull()
      .references(() => datasets.name, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    instrumentId: text('instrument_id').references(() => instruments.id),
    error: jsonb('error').$type<ErrorBody>(),
    askedAt: instant('asked_at'),
  },
  (t) => [primaryKey({ name: 'dataset_instruments_pkey', columns: [t.dataset, t.name] })],
)

/** The series a dataset keeps complete, each from its own beginning: null while IBKR's head timestamp is not known. */
export const datasetSeries = pgTable(
  'dataset_series',
  {
    dataset: text('dataset')
      .notNull()
      .references(() => datasets.name, { onDelete: 'cascade' }),
    seriesId: integer('series_id')
      .notNull()
      .references(() => series.id),
    since: instant('since'),
  },
  (t) => [
    primaryKey({ name: 'dataset_series_pkey', columns: [t.dataset, t.seriesId] }),
    index('dataset_series_series').on(t.seriesId),
  ],
)

/** What IBKR's schedule says of a calendar: the range of time it was asked about, by its own sessions' dates. */
export const calendars = pgTable(
  'calendars',
  {
    calendar: text('calendar').notNull(),
    hours: text('hours').$type<'regular' | 'all'>().notNull(),
    zone: text('zone').notNull(),
    known: tstzmultirange('known').notNull(),
    askedAt: instant('asked_at').notNull(),
  },
  (t) => [primaryKey({ name: 'calendars_pkey', columns: [t.calendar, t.hours] })],
)

/**
 * One trading session `[opens, closes)`; `date` is the one it counts for: its closing date where it crosses midnight.
 * `offset_sec` is how far the venue's clocks were ahead of UTC when it opened: its bars stand on the hours of those clocks.
 */
export const sessions = pgTable(
  'sessions',
  {
    calendar: text('calendar').notNull(),
    hours: text('hours').$type<'regular' | 'all'>().notNull(),
    date: date('date', { mode: 'string' }).notNull(),
    opens: instant('opens').notNull(),
    closes: instant('closes').notNull(),
    offsetSec: integer('offset_sec').notNull(),
  },
  (t) => [primaryKey({ name: 'sessions_pkey', columns: [t.calendar, t.hours, t.opens] })],
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

export const runs = pgTable(
  'runs',
  {
    id: text('id').primaryKey(),
    source: text('source').notNull(),
    priority: text('priority').$type<Priority>().notNull().default('scheduled'),
    /** The dataset it was opened for; null for one by hand, or of a dataset since removed. */
    dataset: text('dataset').references(() => datasets.name, { onDelete: 'set null' }),
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
    adjustmentId: bigint('adjustment_id', { mode: 'number' }).references((): AnyPgColumn => adjustments.id),
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
    index('chunks_answered').on(t.seriesId, t.finishedAt).where(sql`state = 'done'`),
    index('chunks_adjustment').on(t.adjustmentId).where(sql`adjustment_id is not null`),
    index('chunks_logged_out').on(t.finishedAt).where(sql`state = 'parked' and error->>'kind' = 'login-required'`),
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
    adjustmentId: bigint('adjustment_id', { mode: 'number' }),
  },
  (t) => [index('restatements_bar').on(t.seriesId, t.ts), index('restatements_at').on(t.at, t.ts)],
)

/**
 * A split found in a series: everything from `since` to `before` is to be collected again at `ratio` (new price ÷ old).
 * `since` is null where all can be had. Until the last of it has come, readers see the series as it was.
 */
export const adjustments = pgTable(
  'adjustments',
  {
    id: identity('id'),
    seriesId: integer('series_id')
      .notNull()
      .references(() => series.id),
    ratio: doublePrecision('ratio').notNull(),
    since: instant('since'),
    before: instant('before').notNull(),
    state: text('state').$type<'collecting' | 'applied' | 'abandoned'>().notNull().default('collecting'),
    foundAt: instant('found_at').notNull(),
    endedAt: instant('ended_at'),
  },
  (t) => [uniqueIndex('adjustments_collecting').on(t.seriesId).where(sql`state = 'collecting'`)],
)

/** Bars collected again, until all of their adjustment's have come. */
export const stagedBars = pgTable(
  'staged_bars',
  {
    adjustmentId: bigint('adjustment_id', { mode: 'number' })
      .notNull()
      .references(() => adjustments.id, { onDelete: 'cascade' }),
    ts: instant('ts').notNull(),
    open: doublePrecision('open').notNull(),
    high: doublePrecision('high').notNull(),
    low: doublePrecision('low').notNull(),
    close: doublePrecision('close').notNull(),
    volume: doublePrecision('volume'),
    wap: doublePrecision('wap'),
    count: bigint('count', { mode: 'number' }),
  },
  (t) => [primaryKey({ name: 'staged_bars_pkey', columns: [t.adjustmentId, t.ts] })],
)

/** Bars that are stored as they came and do not look right: `high < open`, off the bar grid. */
export const flaggedBars = pgTable(
  'flagged_bars',
  {
    seriesId: integer('series_id')
      .notNull()
      .references(() => series.id),
    ts: instant('ts').notNull(),
    why: text('why').notNull(),
    at: instant('at').notNull(),
  },
  (t) => [primaryKey({ name: 'flagged_bars_pkey', columns: [t.seriesId, t.ts] })],
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

/** Who is told, where. `secret` signs: it can not be hashed. */
export const webhooks = pgTable('webhooks', {
  id: text('id').primaryKey(),
  url: text('url').notNull(),
  secret: text('secret').notNull(),
  events: text('events').array().notNull(),
  createdAt: instant('created_at').notNull(),
  /** Set once its address has answered that it is gone: it is told nothing more. */
  disabledAt: instant('disabled_at'),
})

/** One event for one webhook, until it was taken or given up. */
export const deliveries = pgTable(
  'deliveries',
  {
    id: text('id').primaryKey(),
    /** Their order: that of the events. */
    position: bigint('position', { mode: 'number' }).generatedAlwaysAsIdentity(),
    webhookId: text('webhook_id')
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    /** The event's id, which its body holds too: the same for every webhook that is told of it. */
    eventId: text('event_id').notNull(),
    type: text('type').notNull(),
    body: text('body').notNull(),
    createdAt: instant('created_at').notNull(),
    attempt: integer('attempt').notNull().default(0),
    notBefore: instant('not_before').notNull(),
    state: text('state').$type<'waiting' | 'delivered' | 'given-up'>().notNull().default('waiting'),
    endedAt: instant('ended_at'),
    error: text('error'),
  },
  (t) => [
    index('deliveries_due').on(t.notBefore).where(sql`state = 'waiting'`),
    index('deliveries_webhook').on(t.webhookId, t.position),
  ],
)

/** Conditions that are told once until they are over, such as a login that a person must renew. */
export const notices = pgTable('notices', {
  kind: text('kind').primaryKey(),
  since: instant('since').notNull(),
})

/** Inbound hooks: a signed call starts a run of the dataset. */
export const hooks = pgTable('hooks', {
  name: text('name').primaryKey(),
  dataset: text('dataset')
    .notNull()
    .references(() => datasets.name, { onDelete: 'cascade' }),
  secret: text('secret').notNull(),
  createdAt: instant('created_at').notNull(),
})

/** Calls that were taken, kept as long as their signature would be: none is taken twice. */
export const hookCalls = pgTable(
  'hook_calls',
  {
    hook: text('hook')
      .notNull()
      .references(() => hooks.name, { onDelete: 'cascade' }),
    callId: text('call_id').notNull(),
    at: instant('at').notNull(),
  },
  (t) => [primaryKey({ name: 'hook_calls_pkey', columns: [t.hook, t.callId] })],
)

/** Keys of the HTTP interface. `hash` is SHA-256, hex, of the whole key. */
export const apiKeys = pgTable('api_keys', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  hash: text('hash').notNull().unique('api_keys_hash'),
  scopes: text('scopes').array().notNull(),
  createdAt: instant('created_at').notNull(),
  revokedAt: instant('revoked_at'),
})

/** One row at most: whether what is stored is real or made up. */
export const origin = pgTable('origin', {
  one: integer('one').primaryKey().default(1),
  origin: text('origin').$type<'simulated' | 'gateway'>().notNull(),
})
