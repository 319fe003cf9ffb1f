import type { BarColumns, Window } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { SeriesKey } from '../store.ts'
import { columnsOf } from './columns.ts'
import { at, epoch } from './sql.ts'

/** What is stored around a window, for its answer to be compared with. */
export interface Nearby {
  /**
   * The start of the `count`-th stored bar from `sec` on, or of the furthest there is, within `withinSec`; undefined where there
   * is none.
   */
  furthestFrom(
    seriesId: number,
    sec: number,
    reach: { readonly count: number; readonly withinSec: number },
  ): Promise<number | undefined>
  /**
   * Stored bars outside of the window, however far away: at most `count` before and as many behind it, the nearest, in order. Only
   * those from `from` on that are of the series' one scale (`scaleSince`).
   */
  nearest(
    seriesId: number,
    window: Window,
    reach: { readonly count: number; readonly from: number },
  ): Promise<BarColumns>
  /**
   * From where on the stored bars are of one scale, epoch seconds: what is older could not be collected again after a split, or
   * was left as it was. Undefined: all of them.
   */
  scaleSince(seriesId: number): Promise<number | undefined>
  /**
   * The series of this key, and the newest adjustment of it that is in place: 0 where there is none. It changes when stored bars
   * change their scale, and the id when all of it was dropped and asked for anew. Undefined where nothing is stored under the key.
   */
  standing(key: SeriesKey): Promise<{ readonly seriesId: number; readonly adjustment: number } | undefined>
}

export function nearbyIn(database: Database): Nearby {
  return {
    async furthestFrom(seriesId, sec, { count, withinSec }) {
      const [row] = await database.rows<{ ts: number | null }>(sql`
        select ${epoch(sql`max(ts)`)} as ts from (
          select ts from bars where series_id = ${seriesId}::int and ts >= ${at(sec)} and ts < ${at(sec + withinSec)}
          order by ts limit ${count}::int
        ) x`)
      return row?.ts ?? undefined
    },

    async nearest(seriesId, { start, end }, { count, from }) {
      const own = sql`series_id = ${seriesId}::int and ts >= ${at(from)} and ts >= coalesce(${scaleStart(seriesId)}, '-infinity')`
      return columnsOf(
        database,
        sql`(select * from bars where ${own} and ts < ${at(start)} order by ts desc limit ${count}::int)
          union all (select * from bars where ${own} and ts >= ${at(end)} order by ts limit ${count}::int) order by ts`,
      )
    },

    async scaleSince(seriesId) {
      const [row] = await database.rows<{ since: number | null }>(sql`select ${epoch(scaleStart(seriesId))} as since`)
      return row?.since ?? undefined
    },

    async standing({ instrumentId, spec, hours }) {
      const [row] = await database.rows<{ seriesId: number; adjustment: number }>(sql`
        select s.id as "seriesId", coalesce((
            select max(a.id) from adjustments a where a.series_id = s.id and a.state = 'applied'
          ), 0)::float8 as adjustment
        from series s where s.instrument_id = ${instrumentId} and s.spec = ${spec} and s.hours = ${hours}`)
      return row
    },
  }
}

/** An adjustment that was abandoned with nothing left to collect has its `since` at its end: all before was left as it was. */
function scaleStart(seriesId: number) {
  return sql`(
      select max(a.since) from adjustments a
      where a.series_id = ${seriesId}::int and (a.state = 'applied' or a.state = 'abandoned' and a.since = a.before)
    )`
}
