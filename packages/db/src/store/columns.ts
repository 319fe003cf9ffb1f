import { type BarColumns, emptyBars } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { epoch } from './sql.ts'

/** The bars of a query over rows of `bars`, in its order, as columns. */
export async function columnsOf(database: Database, rows: SQL): Promise<BarColumns> {
  const [row] = await database.rows<BarColumns>(sql`
    select coalesce(array_agg(t), '{}') as t, coalesce(array_agg(open), '{}') as o, coalesce(array_agg(high), '{}') as h,
      coalesce(array_agg(low), '{}') as l, coalesce(array_agg(close), '{}') as c, coalesce(array_agg(volume), '{}') as v,
      coalesce(array_agg(wap), '{}') as w, coalesce(array_agg(count), '{}') as n
    from (
      select ${epoch(sql`ts`)} as t, open, high, low, close, volume, wap, count::float8 as count from (${rows}) found
    ) page`)
  return row ?? emptyBars()
}
