import type { Database } from '@tidegate/db'
import { sql } from 'drizzle-orm'

const HOLES = 10

/** Covers ten years of every series less the last month, and less a day here and there, elsewhere for each. */
export async function coverAllButHoles(database: Database): Promise<void> {
  await database.rows(sql`
    insert into coverage (series_id, state, windows)
    select s.id, 'filled', tstzmultirange(tstzrange('2016-04-08Z', '2026-03-08Z')) - (
      select range_agg(tstzrange(day, day + interval '1 day')) from (
        select timestamptz '2016-05-01Z' + make_interval(days => (s.id * 37 + k * 353) % 3500) as day from generate_series(1, ${HOLES}::int) k
      ) hole)
    from series s`)
  await database.rows(sql`analyze`)
}
