import { bigint, customType, doublePrecision, timestamp } from 'drizzle-orm/pg-core'

/** Half-open `[start, end)` by Postgres' own canonical form. */
export const tstzrange = customType<{ data: string }>({ dataType: () => 'tstzrange' })
export const tstzmultirange = customType<{ data: string }>({ dataType: () => 'tstzmultirange' })
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'string' })
export const identity = (name: string) => bigint(name, { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity()

/** A bar as it is stored, and as it is staged: `ts` is its start; doubles as IBKR sent them; null where IBKR has none. */
export const barColumns = {
  ts: instant('ts').notNull(),
  open: doublePrecision('open').notNull(),
  high: doublePrecision('high').notNull(),
  low: doublePrecision('low').notNull(),
  close: doublePrecision('close').notNull(),
  volume: doublePrecision('volume'),
  wap: doublePrecision('wap'),
  count: bigint('count', { mode: 'number' }),
}
