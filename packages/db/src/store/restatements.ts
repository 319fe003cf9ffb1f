import type { ErrorBody } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { SeriesKey } from '../store.ts'
import { at, epoch, textsOf } from './sql.ts'

/** Open, high, low and close. */
export type Prices = readonly [open: number, high: number, low: number, close: number]

/** A stored bar that came otherwise later. */
export interface Restatement extends SeriesKey {
  /** The bar's start, epoch seconds. */
  readonly t: number
  readonly old: Prices
  readonly new: Prices
  /** When it was put in place, epoch seconds. */
  readonly at: number
  /** The split that explains it; undefined for a bar that changed by itself. */
  readonly adjustmentId: number | undefined
}

/** A split that was found, and how far its bars have been collected again. Instants in epoch seconds. */
export interface Adjustment extends SeriesKey {
  readonly id: number
  /** New price ÷ old. */
  readonly ratio: number
  readonly state: 'collecting' | 'applied' | 'abandoned'
  readonly since: number | undefined
  readonly before: number
  readonly foundAt: number
  readonly endedAt: number | undefined
  readonly chunks: { readonly open: number; readonly done: number; readonly failed: number }
  /** The newest failure of its chunks; one that is tried again leaves it here until it is answered. */
  readonly error: ErrorBody | undefined
}

/** Whose: of all series, or of these instruments and specs. */
export interface OfSeries {
  readonly instrumentIds?: readonly string[] | undefined
  readonly specs?: readonly string[] | undefined
  readonly limit: number
}

/** What IBKR has told anew, for people to read. */
export interface Restatements {
  /** Bars that changed at or after `since`, the newest change first, at most `limit`; within one change the newest bar first. */
  restatements(filter: OfSeries & { readonly since?: number | undefined }): Promise<Restatement[]>
  /** Splits that were found, the newest first, at most `limit`; or the one of this `id`. */
  adjustments(filter: OfSeries & { readonly id?: number }): Promise<Adjustment[]>
}

export function restatementsIn(database: Database): Restatements {
  const of = ({ instrumentIds, specs }: OfSeries) => {
    const ids = instrumentIds ? sql`s.instrument_id = any(${textsOf(instrumentIds)})` : sql`true`
    return sql`${ids} and ${specs ? sql`s.spec = any(${textsOf(specs)})` : sql`true`}`
  }
  return {
    async restatements({ since, limit, ...filter }) {
      const rows = await database.rows<OrNull<Restatement, 'adjustmentId'>>(sql`
        select s.instrument_id as "instrumentId", s.spec, s.hours, ${epoch(sql`r.ts`)} as t, r.old, r.new, ${epoch(sql`r.at`)} as at,
          r.adjustment_id::float8 as "adjustmentId"
        from restatements r join series s on s.id = r.series_id
        where ${of({ ...filter, limit })} and ${since === undefined ? sql`true` : sql`r.at >= ${at(since)}`}
        order by r.at desc, r.ts desc, r.id desc limit ${limit}::int`)
      return rows.map(({ adjustmentId, ...row }) => ({ ...row, adjustmentId: adjustmentId ?? undefined }))
    },

    async adjustments({ limit, id, ...filter }) {
      type Row = OrNull<Omit<Adjustment, 'chunks'>, 'since' | 'endedAt' | 'error'> & Adjustment['chunks']
      const rows = await database.rows<Row>(sql`
        select a.id::float8 as id, s.instrument_id as "instrumentId", s.spec, s.hours, a.ratio, a.state, ${epoch(sql`a.since`)} as since,
          ${epoch(sql`a.before`)} as before, ${epoch(sql`a.found_at`)} as "foundAt", ${epoch(sql`a.ended_at`)} as "endedAt", c.*
        from adjustments a join series s on s.id = a.series_id cross join lateral (
          select count(*) filter (where k.state in ('queued', 'leased'))::int as open,
            count(*) filter (where k.state = 'done')::int as done,
            count(*) filter (where k.state in ('failed', 'parked', 'cancelled'))::int as failed,
            (array_agg(k.error order by k.id desc) filter (where k.error is not null and k.state <> 'cancelled'))[1] as error
          from chunks k where k.adjustment_id = a.id
        ) c
        where ${of({ ...filter, limit })} and ${id === undefined ? sql`true` : sql`a.id = ${id}::bigint`} order by a.found_at desc, a.id desc limit ${limit}::int`)
      return rows.map(({ since, endedAt, error, open, done, failed, ...row }) => ({
        ...row,
        chunks: { open, done, failed },
        since: since ?? undefined,
        endedAt: endedAt ?? undefined,
        error: error ?? undefined,
      }))
    },
  }
}

type OrNull<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]: Exclude<T[P], undefined> | null }
