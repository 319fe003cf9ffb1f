import type { ContractDetails, ErrorBody } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import { integer, jsonb, pgTable, text, unique } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

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
