import type { DatasetDefinition, ErrorBody } from '@tidegate/core'
import { boolean, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'
import { instruments, series } from './instruments.ts'

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
