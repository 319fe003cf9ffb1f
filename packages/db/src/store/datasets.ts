import { type DatasetDefinition, type ErrorBody, SEC_TYPES, sinceSec, specsFor } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { DatasetState, DueDataset } from './due.ts'
import { AHEAD_SEC } from './kinds.ts'
import { at, epoch, textsOf } from './sql.ts'

/** A declared want, and where it stands. */
export interface Dataset {
  readonly name: string
  readonly definition: DatasetDefinition
  /** What the definition's `since` meant when it was declared, epoch seconds; undefined for IBKR's head timestamp. */
  readonly since: number | undefined
  readonly paused: boolean
  /** When it is brought up to date next. */
  readonly dueAt: number
  readonly createdAt: number
  readonly updatedAt: number
}

/** What became of an instrument that a dataset names: `instrumentId` where it was found, `error` where it was not. */
export interface Found {
  readonly name: string
  readonly instrumentId?: string
  readonly error?: ErrorBody
  /** Not found for a reason that passes: it is asked again the next time. */
  readonly passing?: boolean
}

/** Declared wants, and the series they come to. */
export interface Datasets {
  /**
   * Declares a dataset, or replaces its definition: it is due at once then, and what is stored stays. The same definition
   * again changes nothing. `since` is counted from `now` when it is declared, and stays as long as its text does.
   * Instruments that are stored under the names given are found at once.
   */
  putDataset(
    definition: DatasetDefinition,
    now: number,
  ): Promise<{ readonly created: boolean; readonly changed: boolean }>
  /**
   * Puts one definition of a dataset in the place of another, as `putDataset` does; `outdated`, and nothing done, where it is not
   * `from` any more, or gone.
   */
  changeDataset(from: DatasetDefinition, to: DatasetDefinition, now: number): Promise<'changed' | 'same' | 'outdated'>
  /** Makes the series that a dataset comes to by the instruments found so far, and lets go of those that it no longer wants. */
  linkDataset(definition: DatasetDefinition): Promise<void>
  /** Keeps what became of instruments that a dataset names. */
  noteInstruments(dataset: string, found: readonly Found[], now: number): Promise<void>
  /** Keeps IBKR's head timestamp of a series, or why there is none. After a `passing` error it may be asked again at once. */
  putHead(
    seriesId: number,
    told: { readonly head: number } | { readonly error: ErrorBody; readonly passing: boolean },
    now: number,
  ): Promise<void>
  /** False where there is no such dataset. A paused one is never due. */
  pauseDataset(name: string, paused: boolean, now: number): Promise<boolean>
  /**
   * Removes a dataset and cancels its open runs, which is told of each (`run.cancelled`). With `dropData` the series that no
   * other dataset wants go with all that is stored of them: bars, flags, coverage, restatements, what is collected again
   * after a split, and chunks, whoever asked for them. False where there is no such dataset.
   */
  removeDataset(name: string, options: { readonly dropData: boolean }, now: number): Promise<boolean>
  /** All of them by name, or the one of this name. */
  datasets(name?: string): Promise<Dataset[]>
  /**
   * The datasets that are due, each with its series and their gaps: `[since, now)` less coverage of any state, less what
   * queued or leased chunks ask for, less what chunks that failed or were parked at or after `givenUpSince` asked for.
   * One statement, and never a bar. After a tick by a clock that was ahead by more than five minutes all are due, whatever that one
   * made of it; so is what was declared by such a clock.
   */
  dueDatasets(now: number, givenUpSince: number): Promise<DueDataset[]>
  /** As `dueDatasets`, of one dataset whether it is due or not; undefined where there is none. */
  datasetNow(name: string, now: number, givenUpSince?: number): Promise<DueDataset | undefined>
  /** Datasets, of all or of one, with their series and what of them is not covered, and their newest run. */
  wanted(now: number, name?: string): Promise<DatasetState[]>
  /**
   * Sets when each is due next, as long as it is still due when it was: another may have been quicker. `now` is kept as the
   * instant of the last tick, so that one by a clock that was ahead is seen to have been.
   */
  advance(
    moves: readonly { readonly name: string; readonly from: number; readonly to: number }[],
    now: number,
  ): Promise<void>
}

/** The notice of when the last tick was. */
const TICKED = 'ticked'
/** True for a dataset that is due, or of which is not known when it is, because a clock was ahead when that was worked out. */
export function isDue(now: number): SQL {
  const ahead = at(now + AHEAD_SEC)
  return sql`(due_at <= ${at(now)} or due_at = updated_at and updated_at > ${ahead}
    or exists (select 1 from notices where kind = ${TICKED} and since > ${ahead}))`
}

type Declaring = Omit<Datasets, 'dueDatasets' | 'datasetNow' | 'wanted' | 'removeDataset'>

/** The datasets' own rows, and those that link them to instruments and series. */
export function datasetsIn(database: Database): Declaring {
  return {
    async putDataset(definition, now) {
      const since = sinceSec(definition.since, now)
      const [row] = await database.rows<{ created: boolean }>(sql`
        with put as (
          insert into datasets (name, definition, since, due_at, created_at, updated_at)
          values (${definition.name}, ${JSON.stringify(definition)}::jsonb, ${at(since)}, ${at(now)}, ${at(now)}, ${at(now)})
          on conflict (name) do update set definition = excluded.definition, linked = false,
            since = case when datasets.definition->>'since' = excluded.definition->>'since' then datasets.since else excluded.since end,
            due_at = excluded.due_at, updated_at = excluded.updated_at
          where datasets.definition <> excluded.definition
          returning name, xmax = 0 as created
        ), ${namingSteps(definition)}
        select created from put`)
      return { created: row?.created === true, changed: row !== undefined }
    },

    async changeDataset(from, to, now) {
      const [before, after] = [sql`${JSON.stringify(from)}::jsonb`, sql`${JSON.stringify(to)}::jsonb`]
      const [row] = await database.rows<{ became: 'changed' | 'same' | 'outdated' }>(sql`
        with put as (
          update datasets set definition = ${after}, linked = false, due_at = ${at(now)}, updated_at = ${at(now)},
            since = case when definition->>'since' = ${to.since} then since else ${at(sinceSec(to.since, now))} end
          where name = ${from.name} and definition = ${before} and definition <> ${after}
          returning name
        ), ${namingSteps(to)}
        select case when exists (table put) then 'changed' when ${before} = ${after} then 'same' else 'outdated' end as became`)
      return row?.became ?? 'outdated'
    },

    async linkDataset(definition) {
      const wants = SEC_TYPES.flatMap((secType) =>
        specsFor(definition, secType).specs.map((spec) => ({ secType, spec })),
      )
      // Only for the definition it was worked out from: whoever replaced it meanwhile links it anew.
      await database.rows(sql`
        with d as (
          select name, since from datasets where name = ${definition.name} and definition = ${JSON.stringify(definition)}::jsonb
        ), wants as (
          select distinct i.id as instrument_id, w.spec
          from d join dataset_instruments di on di.dataset = d.name join instruments i on i.id = di.instrument_id
          join jsonb_to_recordset(${JSON.stringify(wants)}::jsonb) as w("secType" text, spec text) on w."secType" = i.sec_type
        ), known as (
          select s.id, s.head, w.* from wants w
          join series s on s.instrument_id = w.instrument_id and s.spec = w.spec and s.hours = ${definition.hours}
        ), made as (
          insert into series (instrument_id, spec, hours)
          select instrument_id, spec, ${definition.hours} from wants w
          where not exists (select 1 from known k where k.instrument_id = w.instrument_id and k.spec = w.spec)
          on conflict on constraint series_key do update set spec = excluded.spec
          returning id, head
        ), own as (
          select id, head from known union select id, head from made
        ), dropped as (
          delete from dataset_series x using d
          where x.dataset = d.name and not exists (select 1 from own where own.id = x.series_id)
        ), put as (
          insert into dataset_series (dataset, series_id, since) select d.name, own.id, coalesce(d.since, own.head) from d, own
          on conflict (dataset, series_id) do update set since = excluded.since
          where dataset_series.since is distinct from excluded.since
        )
        update datasets set linked = true
        where name = ${definition.name} and definition = ${JSON.stringify(definition)}::jsonb`)
    },

    async noteInstruments(dataset, found, now) {
      await database.rows(sql`
        with told as (
          select * from jsonb_to_recordset(${JSON.stringify(found)}::jsonb)
            as t(name text, "instrumentId" text, error jsonb, passing boolean)
        ), put as (
          update dataset_instruments di set instrument_id = coalesce(t."instrumentId", di.instrument_id), error = t.error,
            asked_at = case when t.passing then null else ${at(now)} end
          from told t where di.dataset = ${dataset} and di.name = t.name
          returning t."instrumentId" as id
        )
        update datasets set linked = false where name = ${dataset} and exists (select 1 from put where id is not null)`)
    },

    async putHead(seriesId, told, now) {
      const head = 'head' in told ? told.head : undefined
      const error = 'error' in told ? JSON.stringify(told.error) : null
      const askedAt = 'error' in told && told.passing ? sql`null` : at(now)
      await database.rows(sql`
        with put as (
          update series set head = coalesce(${at(head)}, head), head_asked_at = ${askedAt}, head_error = ${error}::jsonb
          where id = ${seriesId}::int returning id, head
        )
        update dataset_series x set since = put.head from put, datasets d
        where x.series_id = put.id and d.name = x.dataset and d.since is null`)
    },

    async pauseDataset(name, paused, now) {
      const rows = await database.rows(sql`
        update datasets set paused = ${paused}::boolean,
          updated_at = case when paused = ${paused}::boolean then updated_at else ${at(now)} end
        where name = ${name} returning 1 as found`)
      return rows.length === 1
    },

    async datasets(name) {
      const filter = name === undefined ? sql`true` : sql`name = ${name}`
      const rows = await database.rows<DatasetRow>(sql`
        select name, definition, ${epoch(sql`since`)} as since, paused, ${epoch(sql`due_at`)} as "dueAt",
          ${epoch(sql`created_at`)} as "createdAt", ${epoch(sql`updated_at`)} as "updatedAt"
        from datasets where ${filter} order by name`)
      return rows.map((row) => ({ ...row, since: row.since ?? undefined }))
    },

    async advance(moves, now) {
      if (moves.length === 0) return
      // An instant comes back as a double: exact to the microsecond for centuries, and not to the bit.
      await database.rows(sql`
        with ticked as (
          insert into notices (kind, since) values (${TICKED}, ${at(now)}) on conflict (kind) do update set since = excluded.since
        )
        update datasets d set due_at = to_timestamp(m."to")
        from jsonb_to_recordset(${JSON.stringify(moves)}::jsonb) as m(name text, "from" float8, "to" float8)
        where d.name = m.name and abs(extract(epoch from d.due_at) - m."from") < 0.001`)
    },
  }
}

type DatasetRow = Omit<Dataset, 'since'> & { readonly since: number | null }

/** What becomes of the instruments that the dataset in `put` names: those that it names no more go, new ones are found where stored. */
function namingSteps({ instruments }: DatasetDefinition): SQL {
  return sql`named as (
          select put.name as dataset, n.name from put, unnest(${textsOf(instruments)}) as n(name)
        ), gone as (
          delete from dataset_instruments di using put
          where di.dataset = put.name and not exists (select 1 from named where named.name = di.name)
        ), noted as (
          insert into dataset_instruments (dataset, name, instrument_id)
          select distinct n.dataset, n.name, coalesce(i.id, a.instrument_id) from named n
          left join instruments i on i.id = upper(trim(n.name)) left join instrument_aliases a on a.alias = upper(trim(n.name))
          on conflict do nothing
        )`
}
