import { pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'
import { datasets } from './datasets.ts'

/** Keys of the HTTP interface. `hash` is SHA-256, hex, of the whole key. */
export const apiKeys = pgTable('api_keys', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  hash: text('hash').notNull().unique('api_keys_hash'),
  scopes: text('scopes').array().notNull(),
  createdAt: instant('created_at').notNull(),
  revokedAt: instant('revoked_at'),
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

/** Calls whose run somebody set out to open at `at`; whether one has been opened, `runs` knows. */
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
