import type { Window } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { Answer, Claim, Instrument, Series } from '../store.ts'
import { iso, noteEvents } from './events.ts'
import { arrayOf, at, epoch } from './sql.ts'

/** A split found: what is to be collected again. */
export interface FoundSplit {
  /** New price ÷ old. */
  readonly ratio: number
  /** Bars from here on, epoch seconds; undefined: all that are stored. What starts before can't be had any more. */
  readonly since: number | undefined
  /** Bars before, epoch seconds; undefined: up to the newest that is stored, whatever anybody's clock says. */
  readonly before: number | undefined
}

/** An adjustment that is being collected. */
export interface Collecting extends FoundSplit {
  readonly before: number
  readonly id: number
  readonly series: Series
  readonly instrument: Instrument
  /** What of it is stored, and was neither collected again, nor is asked for, nor was lately given up. */
  readonly missing: readonly Window[]
}

/**
 * How a series that IBKR tells anew is collected again: beside what readers see, and put in its place all at once. While a
 * series has an adjustment that collects, its other chunks wait (`claim`, `due`).
 */
export interface Adjustments {
  /**
   * Notes a split that the holder of this chunk has found, and puts the chunk back until it is over, with every other
   * leased chunk of the series: what they were told may be of before the split. Where one is being collected already, or was
   * put in place a minute ago or less, the chunk is put back all the same: it is found again by the next sweeps. `held` is false, and nothing changes, when the fence is no longer held.
   */
  openAdjustment(
    claim: Pick<Claim, 'chunkId' | 'fence' | 'series'>,
    found: FoundSplit,
    now: number,
  ): Promise<{ readonly held: boolean; readonly adjustmentId: number | undefined }>
  /** The adjustments that are being collected. What failed or was parked or cancelled since `givenUpSince` counts as asked for. */
  collecting(givenUpSince: number): Promise<Collecting[]>
  /** Those of the windows in which the series has bars. */
  holding(seriesId: number, windows: readonly Window[]): Promise<Window[]>
  /**
   * Puts bars that were collected again beside those that readers see, and closes the chunk. False, and nothing changes,
   * when the fence is no longer held or its adjustment is over.
   */
  stage(claim: Pick<Claim, 'chunkId' | 'fence'>, bars: Answer['bars'], now: number): Promise<boolean>
  /**
   * Puts in place, in one statement, every adjustment of which all has come: bars, `restatements`, the event; and lets go the
   * chunks that waited. How many adjustments there were.
   */
  applyAdjustments(now: number): Promise<number>
  /**
   * Takes out of an adjustment a window that can't be had again, and everything older with it: its chunks of this window have
   * failed so often (`rounds`), or IBKR had nothing of it so often. `since` moves behind the window; where nothing that is stored
   * is left behind it, the adjustment is abandoned, with all left as it was. Undefined, and nothing changes, where it has not
   * come to that, or is over.
   */
  narrowAdjustment(
    id: number,
    window: Window,
    rounds: { readonly failed: number; readonly refused: number },
    now: number,
  ): Promise<'narrowed' | 'abandoned' | undefined>
  /**
   * Drops an adjustment that is being collected, with what was collected, and lets go the chunks that waited. With `leaving`
   * what is stored stays as it was for good: nothing is compared with it any more. Without it the split is found again.
   */
  abandonAdjustment(id: number, now: number, how?: { readonly leaving: boolean }): Promise<boolean>
}

/** What did not help is not tried again at once: answers of before a split may still be on their way, seconds long. */
const AGAIN_SEC = 60

export function adjustmentsIn(database: Database): Adjustments {
  return {
    async openAdjustment({ chunkId, fence, series }, { ratio, since, before }, now) {
      const why = JSON.stringify({
        kind: 'busy',
        message: 'Waits until bars from before a split are collected again.',
      })
      const [row] = await database.rows<{ held: boolean; id: number | null }>(sql`
        with holder as (
          select id from chunks where id = ${chunkId}::bigint and fence = ${fence}::int and state = 'leased' for update
        ), opened as (
          insert into adjustments (series_id, ratio, since, before, found_at)
          select ${series.id}::int, ${ratio}::float8, ${at(since)}, coalesce(${at(before)}, (
              select greatest(${at(now)}, max(upper(v.windows))) from coverage v where v.series_id = ${series.id}::int
            )), ${at(now)} from holder
          where not exists (
            select 1 from adjustments p where p.series_id = ${series.id}::int and p.state = 'applied'
              and p.ended_at > ${at(now - AGAIN_SEC)}
          )
          on conflict do nothing returning id
        ), put_back as (
          update chunks c set state = 'queued', lease_until = null, fence = c.fence + 1, not_before = ${at(now)}, error = ${why}::jsonb,
            failures = 0
          from holder where c.series_id = ${series.id}::int and c.state = 'leased' and c.adjustment_id is null
        )
        select exists (select 1 from holder) as held, (select id::float8 from opened) as id`)
      return { held: row?.held ?? false, adjustmentId: row?.id ?? undefined }
    },

    async collecting(givenUpSince) {
      const rows = await database.rows<CollectingRow>(sql`
        select a.id::float8 as id, a.ratio, ${epoch(sql`a.since`)} as since, ${epoch(sql`a.before`)} as before, s.id as "seriesId",
          s.spec, s.hours, i.id as "instrumentId", i.details, ${epoch(sql`i.updated_at`)} as "updatedAt",
          coalesce((
            select jsonb_agg(jsonb_build_array(extract(epoch from lower(w)), extract(epoch from upper(w))) order by w)
            from unnest(${WANTED} - coalesce((
              select range_agg(c.win) from chunks c where c.adjustment_id = a.id
                and (c.state in ('done', 'queued', 'leased') or c.finished_at >= ${at(givenUpSince)})
            ), '{}')) w
          ), '[]') as missing
        from adjustments a join series s on s.id = a.series_id join instruments i on i.id = s.instrument_id
        where a.state = 'collecting' order by a.id`)
      return rows.map(
        ({ id, ratio, since, before, seriesId, spec, hours, instrumentId, details, updatedAt, missing }) => ({
          ...{ id, ratio, before },
          since: since ?? undefined,
          series: { id: seriesId, instrumentId, spec, hours },
          instrument: { id: instrumentId, details, updatedAt },
          missing: missing.map(([start, end]) => ({ start, end })),
        }),
      )
    },

    async holding(seriesId, windows) {
      const rows = await database.rows<Window>(sql`
        select w.s as start, w.e as "end" from unnest(
          ${arrayOf(
            windows.map(({ start }) => start),
            'float8',
          )}, ${arrayOf(
            windows.map(({ end }) => end),
            'float8',
          )}) as w(s, e)
        where exists (
          select 1 from bars b where b.series_id = ${seriesId}::int and b.ts >= to_timestamp(w.s) and b.ts < to_timestamp(w.e)
        ) order by w.s`)
      return rows
    },

    async stage({ chunkId, fence }, bars, now) {
      const rows = await database.rows(sql`
        with held as (
          update chunks c set state = 'done', lease_until = null, error = null, finished_at = ${at(now)}, rows = ${bars.t.length}::int
          from adjustments a
          where c.id = ${chunkId}::bigint and c.fence = ${fence}::int and c.state = 'leased'
            and a.id = c.adjustment_id and a.state = 'collecting'
          returning c.id, c.adjustment_id
        ), put as (
          insert into staged_bars (adjustment_id, ts, open, high, low, close, volume, wap, count)
          select h.adjustment_id, to_timestamp(u.t), u.o, u.h, u.l, u.c, u.v, u.w, u.n
          from held h, unnest(
            ${arrayOf(bars.t, 'float8')}, ${arrayOf(bars.o, 'float8')}, ${arrayOf(bars.h, 'float8')}, ${arrayOf(bars.l, 'float8')},
            ${arrayOf(bars.c, 'float8')}, ${arrayOf(bars.v, 'float8')}, ${arrayOf(bars.w, 'float8')}, ${arrayOf(bars.n, 'int8')}
          ) as u(t, o, h, l, c, v, w, n)
          on conflict (adjustment_id, ts) do update set open = excluded.open, high = excluded.high, low = excluded.low,
            close = excluded.close, volume = excluded.volume, wap = excluded.wap, count = excluded.count
        ), noted as (
          insert into outbox (kind, chunk_id) select 'chunk-settled', id from held
        )
        select id from held`)
      return rows.length === 1
    },

    async applyAdjustments(now) {
      // Bars in windows that were asked again and did not come again are gone: IBKR has them no more.
      const [row] = await database.rows<{ applied: number }>(sql`
        with ended as (
          update adjustments a set state = 'applied', ended_at = ${at(now)}
          where a.state = 'collecting'
            and not exists (select 1 from chunks c where c.adjustment_id = a.id and c.state in ('queued', 'leased'))
            and not exists (
              select 1 from unnest(${WANTED} - ${ASKED_AGAIN}) w
              where exists (select 1 from bars b where b.series_id = a.series_id and b.ts >= lower(w) and b.ts < upper(w))
            )
          returning a.id, a.series_id, a.ratio, a.since
        ), came as (
          select a.id, a.series_id, a.ratio, i.ts, i.open, i.high, i.low, i.close, i.volume, i.wap, i.count
          from ended a join staged_bars i on i.adjustment_id = a.id
        ), changed as (
          insert into restatements (series_id, ts, old, new, at, adjustment_id)
          select b.series_id, b.ts, array[b.open, b.high, b.low, b.close], array[i.open, i.high, i.low, i.close], ${at(now)}, i.id
          from came i join bars b on b.series_id = i.series_id and b.ts = i.ts
          where (b.open, b.high, b.low, b.close) is distinct from (i.open, i.high, i.low, i.close)
          returning series_id, ts, adjustment_id
        ), put as (
          insert into bars (series_id, ts, open, high, low, close, volume, wap, count)
          select series_id, ts, open, high, low, close, volume, wap, count from came order by series_id, ts
          on conflict (series_id, ts) do update set open = excluded.open, high = excluded.high, low = excluded.low,
            close = excluded.close, volume = excluded.volume, wap = excluded.wap, count = excluded.count
        ), gone as (
          delete from bars b using (
            select a.id, a.series_id, w from ended a, unnest(${ASKED_AGAIN}) w
          ) x where b.series_id = x.series_id and b.ts >= lower(x.w) and b.ts < upper(x.w)
            and not exists (select 1 from staged_bars i where i.adjustment_id = x.id and i.ts = b.ts)
        ), emptied as (
          delete from staged_bars using ended where adjustment_id = ended.id
        ), told as (
          ${noteEvents(
            'restatement',
            restatedData(sql`x.ratio`, sql`x`),
            sql`from (
              select a.id, a.series_id, a.ratio, count(*) as bars, min(k.ts) as first, max(k.ts) as last
              from ended a join changed k on k.adjustment_id = a.id group by a.id, a.series_id, a.ratio
            ) x join series s on s.id = x.series_id`,
            now,
          )}
        ), ${freed(now)}
        select count(*)::int as applied from ended`)
      return row?.applied ?? 0
    },

    async narrowAdjustment(id, { start, end }, { failed, refused }, now) {
      const window = sql`tstzrange(${at(start)}, ${at(end)})`
      const [row] = await database.rows<{ became: 'narrowed' | 'abandoned' }>(sql`
        with narrowed as (
          update adjustments a set since = case when ${isLeft(end)} then ${at(end)} else a.before end,
            state = case when ${isLeft(end)} then a.state else 'abandoned' end,
            ended_at = case when ${isLeft(end)} then null else ${at(now)} end
          where a.id = ${id}::bigint and a.state = 'collecting' and coalesce(a.since < ${at(end)}, true) and (
            select count(*) filter (where c.state = 'failed') >= ${failed}::int
              or count(*) filter (where c.state = 'parked' and c.error->>'kind' = 'not-found') >= ${refused}::int
            from chunks c where c.adjustment_id = a.id and c.win && ${window}
          )
          returning a.id, a.series_id, a.state, a.since
        ), stopped as (
          update chunks c set state = 'cancelled', lease_until = null, finished_at = ${at(now)}, fence = c.fence + 1
          from narrowed n where c.adjustment_id = n.id and c.state in ('queued', 'leased')
            and (n.state = 'abandoned' or upper(c.win) <= n.since)
          returning c.id
        ), settled as (
          insert into outbox (kind, chunk_id) select 'chunk-settled', id from stopped
        ), emptied as (
          delete from staged_bars i using narrowed n where i.adjustment_id = n.id and (n.state = 'abandoned' or i.ts < n.since)
        ), ended as (
          select id, series_id from narrowed where state = 'abandoned'
        ), ${freed(now)}
        select case when state = 'abandoned' then 'abandoned' else 'narrowed' end as became from narrowed`)
      return row?.became
    },

    async abandonAdjustment(id, now, { leaving } = { leaving: false }) {
      const since = leaving ? sql`before` : sql`since`
      const rows = await database.rows(sql`
        with ended as (
          update adjustments set state = 'abandoned', ended_at = ${at(now)}, since = ${since} where id = ${id}::bigint and state = 'collecting'
          returning id, series_id
        ), stopped as (
          update chunks c set state = 'cancelled', lease_until = null, finished_at = ${at(now)}, fence = c.fence + 1
          from ended where c.adjustment_id = ended.id and c.state in ('queued', 'leased') returning c.id
        ), settled as (
          insert into outbox (kind, chunk_id) select 'chunk-settled', id from stopped
        ), emptied as (
          delete from staged_bars using ended where adjustment_id = ended.id
        ), ${freed(now)}
        select id from ended`)
      return rows.length === 1
    },
  }
}

/** What of the series of the adjustment `a` is stored and to be collected again. */
const WANTED = sql`(coalesce((
    select v.windows from coverage v where v.series_id = a.series_id and v.state = 'filled'
  ), '{}') * tstzmultirange(tstzrange(a.since, a.before)))`

/** The windows of the adjustment `a` that have come, as far as it goes back by now. */
const ASKED_AGAIN = sql`(coalesce((
    select range_agg(c.win) from chunks c where c.adjustment_id = a.id and c.state = 'done'
  ), '{}') * tstzmultirange(tstzrange(a.since, null)))`

/** Whether anything of the series of the adjustment `a` that it is about starts at or behind an instant. */
function isLeft(sec: number): SQL {
  return sql`exists (
      select 1 from bars b where b.series_id = a.series_id and b.ts >= ${at(sec)} and b.ts < a.before
    )`
}

/** A step that lets go the chunks which waited for the adjustments in `ended`. */
function freed(now: number): SQL {
  return sql`freed as (
      select c.id from ended join chunks c on c.series_id = ended.series_id
      where c.state = 'queued' and c.not_before <= ${at(now)} and c.adjustment_id is null
    ), sent as (
      insert into outbox (kind, chunk_id) select 'chunk-queued', id from freed order by id
    )`
}

/** `restatement` of core's EventData, over a row of the series `s` and one with `bars`, `first` and `last`. */
export function restatedData(ratio: SQL, row: SQL): SQL {
  return sql`jsonb_build_object('series', s.id, 'instrument', s.instrument_id, 'spec', s.spec, 'hours', s.hours,
    'window', jsonb_build_object('start', ${iso(sql`${row}.first`)}, 'end', ${iso(sql`(${row}.last + interval '1 second')`)}),
    'bars', ${row}.bars, 'ratio', ${ratio})`
}

/** True for a chunk `c` that has to wait: it is of a series that is being collected again, and not for that. */
export const WAITS = sql`(c.adjustment_id is null and exists (
    select 1 from adjustments a where a.series_id = c.series_id and a.state = 'collecting'
  ))`

interface CollectingRow {
  readonly id: number
  readonly ratio: number
  readonly since: number | null
  readonly before: number
  readonly seriesId: number
  readonly spec: string
  readonly hours: Series['hours']
  readonly instrumentId: string
  readonly details: Instrument['details']
  readonly updatedAt: number
  readonly missing: readonly (readonly [number, number])[]
}
