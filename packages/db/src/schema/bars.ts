import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { CoverageState } from '../store.ts'
import { barColumns, instant, tstzmultirange } from './columns.ts'
import { series } from './instruments.ts'

export const bars = pgTable(
  'bars',
  {
    seriesId: integer('series_id')
      .notNull()
      .references(() => series.id),
    ...barColumns,
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

/** One row at most: whether what is stored is real or made up. */
export const origin = pgTable('origin', {
  one: integer('one').primaryKey().default(1),
  origin: text('origin').$type<'simulated' | 'gateway'>().notNull(),
})
