import { sql } from 'drizzle-orm'
import { bigint, index, integer, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

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
