import type { ErrorBody, SecType, Window } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { RunState, Series } from '../store.ts'
import { type Dataset, type Datasets, isDue } from './datasets.ts'
import { type KindRow, NO_CHUNKS, openChunks, seriesIn, seriesOf, type WindowRow, windowOf } from './kinds.ts'
import { at, epoch } from './sql.ts'

/** A series that a dataset wants, with what planning needs to know of it. */
export interface DatasetSeries extends Series {
  readonly secType: SecType
  /** IBKR's name of its zone; '' where it says none. */
  readonly timeZoneId: string
  /** IBKR's text of the last trade date; undefined for what does not expire. */
  readonly expires: string | undefined
  /** Since when it is wanted, epoch seconds; undefined while IBKR's head timestamp is not known. */
  readonly since: number | undefined
  /** When the head timestamp was asked for, and what came of it where that was no instant. */
  readonly headAskedAt: number | undefined
  readonly headError: ErrorBody | undefined
  readonly gaps: readonly Window[]
}

/** An instrument that a dataset names and that has not been found. */
export interface Unresolved {
  readonly name: string
  /** Undefined: it was not asked for yet, or what failed has passed by. */
  readonly askedAt: number | undefined
  readonly error: ErrorBody | undefined
}

interface WithSeries extends Dataset {
  readonly series: readonly DatasetSeries[]
  readonly unresolved: readonly Unresolved[]
}

/** A dataset with what has to be known to bring it up to date. */
export interface DueDataset extends WithSeries {
  /** Whether its series are those that its definition and the instruments found come to. */
  readonly linked: boolean
  /** How many chunks of its runs are open. */
  readonly open: number
  /** The newest details of each calendar that its schedule follows. None where it follows no sessions. */
  readonly calendars: readonly {
    readonly instrumentId: string
    readonly tradingHours: string
    readonly liquidHours: string
    readonly timeZoneId: string
  }[]
  /** What is stored of those calendars' sessions around now, `[opens, closes)`. */
  readonly sessions: readonly Window[]
}

/** A dataset with what has come of it. */
export interface DatasetState extends WithSeries {
  /** The kinds of product among the instruments found, with one instrument of each. */
  readonly kinds: readonly { readonly secType: SecType; readonly instrumentId: string }[]
  readonly lastRun:
    | {
        readonly id: string
        readonly source: string
        readonly state: RunState
        readonly createdAt: number
        readonly finishedAt: number | undefined
      }
    | undefined
}

/** Sessions of this long before and after now tell when a schedule is due next: a closed week among them. */
const AROUND_SEC = { before: 2 * 86_400, after: 14 * 86_400 }

/** What datasets come to: their series, their gaps, and what else bringing them up to date hangs on. */
export function dueIn(database: Database): Pick<Datasets, 'dueDatasets' | 'datasetNow' | 'wanted'> {
  async function dueOf(which: SQL, now: number, givenUpSince: number | undefined): Promise<DueDataset[]> {
    const rows = await database.rows<DueRow>(sql`
      with d as (select * from datasets where ${which}), ${seriesOf(now, openChunks(givenUpSince, now))}, ${MISSING}, ${sessionsOf(now)}, busy as (
        select r.dataset, count(*) as chunks from chunks c join runs r on r.id = c.run_id
        where c.state in ('queued', 'leased') and r.dataset in (select name from d) group by r.dataset
      )
      select ${COLUMNS}, d.linked, coalesce(busy.chunks, 0)::float8 as open, coalesce(listed.calendars, '[]') as calendars, coalesce(stored.sessions, '[]') as sessions
      from d left join wanted on wanted.dataset = d.name left join missing on missing.dataset = d.name
        left join listed on listed.dataset = d.name left join stored on stored.dataset = d.name left join busy on busy.dataset = d.name
      order by d.name`)
    return rows.map(({ calendars, sessions, linked, open, ...row }) => ({
      ...withSeries(row),
      linked,
      open,
      calendars: calendars.map(([instrumentId, tradingHours, liquidHours, timeZoneId]) => {
        return { instrumentId, tradingHours, liquidHours, timeZoneId }
      }),
      sessions: sessions.map(windowOf),
    }))
  }

  return {
    dueDatasets: (now, givenUpSince) => dueOf(sql`not paused and ${isDue(now)}`, now, givenUpSince),

    async datasetNow(name, now, givenUpSince) {
      return (await dueOf(sql`name = ${name}`, now, givenUpSince))[0]
    },

    async wanted(now, name) {
      const rows = await database.rows<StateRow>(sql`
        with d as (select * from datasets where ${name === undefined ? sql`true` : sql`name = ${name}`}), ${seriesOf(now, NO_CHUNKS)}, ${MISSING}
        select ${COLUMNS}, to_jsonb(newest) as "lastRun", coalesce(kind.kinds, '[]') as kinds
        from d left join wanted on wanted.dataset = d.name left join missing on missing.dataset = d.name
          left join lateral (
            select r.id, r.source, r.state, ${epoch(sql`r.created_at`)} as "createdAt", ${epoch(sql`r.finished_at`)} as "finishedAt"
            from runs r where r.dataset = d.name and r.created_at >= d.created_at order by r.created_at desc, r.id desc limit 1
          ) newest on true
          left join lateral (
            select jsonb_agg(jsonb_build_object('secType', sec_type, 'instrumentId', id) order by sec_type) as kinds from (
              select i.sec_type, min(i.id) as id from dataset_instruments di join instruments i on i.id = di.instrument_id
              where di.dataset = d.name group by i.sec_type
            ) each
          ) kind on true
        order by d.name`)
      return rows.map(({ lastRun, kinds, ...row }) => ({
        ...withSeries(row),
        kinds,
        lastRun: lastRun ? { ...lastRun, finishedAt: lastRun.finishedAt ?? undefined } : undefined,
      }))
    },
  }
}

const COLUMNS = sql`d.name, d.definition, ${epoch(sql`d.since`)} as since, d.paused, ${epoch(sql`d.due_at`)} as "dueAt",
  ${epoch(sql`d.created_at`)} as "createdAt", ${epoch(sql`d.updated_at`)} as "updatedAt",
  coalesce(wanted.series, '[]') as series, coalesce(missing.unresolved, '[]') as unresolved`

/** As `missing`, one row a dataset of `d`: the instruments that it names and that were not found. */
const MISSING = sql`missing as (
      select di.dataset, json_agg(json_build_array(di.name, extract(epoch from di.asked_at), di.error) order by di.name) as unresolved
      from d join dataset_instruments di on di.dataset = d.name where di.instrument_id is null group by di.dataset
    )`

/** For the datasets whose schedule follows sessions: what is known of those of their instruments. */
function sessionsOf(now: number): SQL {
  const around = sql`tstzrange(${at(now - AROUND_SEC.before)}, ${at(now + AROUND_SEC.after)})`
  return sql`following as (
      select x.dataset, x.hours, i.*, coalesce(i.calendar, concat_ws(' ', i.sec_type, i.details->'contract'->>'exchange',
        i.details->'contract'->>'primaryExchange', i.time_zone_id)) as key
      from (select distinct dataset, hours, instrument_id from own) x
      join d on d.name = x.dataset and d.definition->'schedule' ?| array['afterClose', 'during']
      join instruments i on i.id = x.instrument_id
    ), calendar as (
      select distinct on (f.dataset, f.key) f.dataset, f.hours, f.id, f.calendar, f.details, f.time_zone_id
      from following f order by f.dataset, f.key, f.updated_at desc
    ), listed as (
      select dataset, jsonb_agg(jsonb_build_array(id, details->>'tradingHours', details->>'liquidHours', time_zone_id) order by id) as calendars
      from calendar group by dataset
    ), stored as (
      select c.dataset, jsonb_agg(jsonb_build_array(extract(epoch from s.opens), extract(epoch from s.closes)) order by s.opens) as sessions
      from calendar c join sessions s on s.calendar = c.calendar and s.hours = c.hours
      where tstzrange(s.opens, s.closes) && ${around} group by c.dataset
    )`
}

type OrNull<T> = { readonly [K in keyof T]: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K] }
type DatasetRow = OrNull<Dataset> & {
  readonly series: readonly KindRow[]
  readonly unresolved: readonly (readonly [name: string, askedAt: number | null, error: ErrorBody | null])[]
}
type DueRow = DatasetRow & {
  readonly linked: boolean
  readonly open: number
  readonly calendars: readonly (readonly [id: string, tradingHours: string, liquidHours: string, timeZoneId: string])[]
  readonly sessions: readonly WindowRow[]
}
type StateRow = DatasetRow & {
  readonly lastRun: OrNull<NonNullable<DatasetState['lastRun']>> | null
  readonly kinds: DatasetState['kinds']
}

function withSeries({ series, unresolved, since, ...row }: DatasetRow): WithSeries {
  return {
    ...row,
    since: since ?? undefined,
    series: seriesIn(series),
    unresolved: unresolved.map(([name, askedAt, error]) => {
      return { name, askedAt: askedAt ?? undefined, error: error ?? undefined }
    }),
  }
}
