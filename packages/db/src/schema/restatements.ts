import { sql } from 'drizzle-orm'
import { bigint, doublePrecision, index, integer, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { barColumns, identity, instant } from './columns.ts'
import { series } from './instruments.ts'

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
    ...barColumns,
  },
  (t) => [primaryKey({ name: 'staged_bars_pkey', columns: [t.adjustmentId, t.ts] })],
)
