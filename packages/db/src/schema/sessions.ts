import { date, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { instant, tstzmultirange } from './columns.ts'

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
