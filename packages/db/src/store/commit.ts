import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { Store } from '../store.ts'
import { arrayOf, at } from './sql.ts'

/**
 * The one statement that stores a chunk's answer: rows, what they changed, their coverage, the chunk's end and the outbox,
 * all or nothing and only under the chunk's fence. One statement, so that it is as safe over Neon's HTTP as over TCP.
 */
export function commitTo(database: Database): Store['commit'] {
  return async ({ chunkId, fence }, { bars, state, covered }, now) => {
    const window = covered
      ? sql`tstzmultirange(tstzrange(${at(covered.start)}, ${at(covered.end)}))`
      : sql`null::tstzmultirange`
    const [row] = await database.rows<{ held: number; written: number; restated: number }>(sql`
      with held as (
        update chunks set state = 'done', lease_until = null, error = null, finished_at = ${at(now)}, rows = ${bars.t.length}::int
        where id = ${chunkId}::bigint and fence = ${fence}::int and state = 'leased'
        returning id, series_id
      ), incoming as (
        select h.series_id, to_timestamp(u.t) as ts, u.o, u.h, u.l, u.c, u.v, u.w, u.n
        from held h, unnest(
          ${arrayOf(bars.t, 'float8')}, ${arrayOf(bars.o, 'float8')}, ${arrayOf(bars.h, 'float8')}, ${arrayOf(bars.l, 'float8')},
          ${arrayOf(bars.c, 'float8')}, ${arrayOf(bars.v, 'float8')}, ${arrayOf(bars.w, 'float8')}, ${arrayOf(bars.n, 'int8')}
        ) as u(t, o, h, l, c, v, w, n)
      ), changed as (
        insert into restatements (series_id, ts, old, new, at)
        select b.series_id, b.ts, array[b.open, b.high, b.low, b.close], array[i.o, i.h, i.l, i.c], ${at(now)}
        from bars b join incoming i using (series_id, ts)
        where (b.open, b.high, b.low, b.close) is distinct from (i.o, i.h, i.l, i.c)
        returning 1
      ), put as (
        insert into bars (series_id, ts, open, high, low, close, volume, wap, count)
        select series_id, ts, o, h, l, c, v, w, n from incoming
        on conflict (series_id, ts) do update set open = excluded.open, high = excluded.high, low = excluded.low,
          close = excluded.close, volume = excluded.volume, wap = excluded.wap, count = excluded.count
        where (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.wap, bars.count)
          is distinct from (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume, excluded.wap, excluded.count)
        returning 1
      ), covered as (
        insert into coverage (series_id, state, windows)
        select series_id, ${state}::text, ${window} from held where ${window} is not null
        on conflict (series_id, state) do update set windows = coverage.windows + excluded.windows
        returning 1
      ), uncovered as (
        update coverage c set windows = c.windows - ${window}
        from held h where c.series_id = h.series_id and c.state <> ${state}::text and ${window} is not null
        returning 1
      ), noted as (
        insert into outbox (kind, chunk_id) select 'chunk-settled', id from held returning 1
      )
      select (select count(*) from held)::int as held, (select count(*) from put)::int as written,
        (select count(*) from changed)::int as restated`)
    return { held: row?.held === 1, written: row?.written ?? 0, restated: row?.restated ?? 0 }
  }
}
