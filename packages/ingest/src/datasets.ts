import { type DatasetDefinition, shareOf, specsFor, TidegateError, type Window } from '@tidegate/core'
import type { Dataset, DatasetState } from '@tidegate/db'
import { type Finding, findSeries } from './finding.ts'
import { questionsOfStart } from './questions.ts'
import { openRun } from './run.ts'
import { cutGaps, problemsOf } from './tick.ts'
import type { IngestOptions, Problem, Started } from './types.ts'
import { wantingNow } from './wanting.ts'

/** Each time somebody else has got a change through: so many of them at once are nobody's intent. */
const MOST_TRIES = 20

/** How complete a series of a dataset is. */
export interface SeriesStatus {
  readonly seriesId: number
  readonly instrumentId: string
  readonly spec: string
  /** What is wanted of it and final by now; undefined while nothing is, or while its beginning is not known. */
  readonly wanted: Window | undefined
  /** What of that is not covered, whoever is asking for it. */
  readonly gaps: readonly Window[]
  /** The share that is had of the sessions that are over and may be had, 0 to 1, as `GET /v1/coverage` has it; undefined where none is due yet. */
  readonly complete: number | undefined
}

/** A dataset and what has come of it. */
export interface DatasetStatus extends Dataset, Pick<DatasetState, 'lastRun'> {
  readonly series: readonly SeriesStatus[]
  readonly complete: number | undefined
  /** How many of the instruments that it names IBKR has not been asked for yet. */
  readonly unasked: number
  readonly problems: readonly Problem[]
}

/** What is wanted for good. */
export interface Datasets {
  /** Declares a dataset or replaces its definition; the same again changes nothing. The gateway is not asked. */
  declare(definition: DatasetDefinition): Promise<{ readonly created: boolean; readonly changed: boolean }>
  /**
   * Replaces a dataset's definition by what `alter` makes of it, as one step: where somebody else changes it meanwhile, `alter`
   * is asked again, of what it is by then. Throws `not-found` where there is no such dataset, and what `alter` throws.
   */
  change(name: string, alter: (definition: DatasetDefinition) => DatasetDefinition): Promise<void>
  /**
   * Brings a dataset up to date now, whatever its schedule says, what was given up or not found lately included. `source`
   * says in its run who asked (default `dataset`), `runId` which id it must have: started twice, it is one run. Throws
   * `not-found` where there is no such dataset, and what was wrong with the first of its instruments where none can be had.
   */
  startDataset(name: string, how?: { readonly source?: string; readonly runId?: string }): Promise<Started>
  /** All datasets, or the one of this name, as they stand by what is stored. */
  datasets(name?: string): Promise<DatasetStatus[]>
}

/** Datasets over the ingest's parts. */
export function createDatasets(options: IngestOptions, finding: Finding): Datasets {
  const { store, now } = options
  const nowSec = () => Math.floor(now() / 1000)
  return {
    async declare(definition) {
      const result = await store.putDataset(definition, nowSec())
      if (result.changed) await store.linkDataset(definition)
      return result
    },

    async change(name, alter) {
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const [dataset] = await store.datasets(name)
        if (!dataset) throw noDataset(name)
        const definition = alter(dataset.definition)
        const became = await store.changeDataset(dataset.definition, definition, nowSec())
        if (became === 'changed') await store.linkDataset(definition)
        if (became !== 'outdated') return
      }
      throw new TidegateError(
        'conflict',
        `The dataset "${name}" was changed by somebody else, ${MOST_TRIES} times over: try again.`,
      )
    },

    async startDataset(name, { source = 'dataset', runId } = {}) {
      const declared = await store.datasetNow(name, nowSec())
      if (!declared) throw noDataset(name)
      await finding.origin.check({ fresh: true })
      await findSeries(declared, questionsOfStart(now), true, finding)
      const dataset = await store.datasetNow(name, nowSec())
      if (!dataset) throw noDataset(name)
      const problems = problemsOf(dataset)
      const [first] = problems
      if (first && dataset.series.length === 0) {
        const { kind, message, ...rest } = first.error
        throw new TidegateError(kind, message, rest)
      }
      const cut = await cutGaps(dataset, nowSec(), undefined, finding, options)
      const priority = dataset.definition.priority ?? 'scheduled'
      const run = await openRun({ ...cut, source, dataset: name, priority, id: runId }, options)
      const series = dataset.series.map(({ id, instrumentId, spec, hours }) => ({ id, instrumentId, spec, hours }))
      return { ...run, series, problems }
    },

    async datasets(name) {
      const at = nowSec()
      const found = await store.wanted(at, name)
      const all = await wantingNow(
        found.flatMap(({ series }) => series),
        at,
        store,
      )
      const counts = new Map(
        (await store.datasetCompleteness(at, name)).map((one) => [`${one.seriesId} ${one.dataset}`, one]),
      )
      return found.map(({ series: wanted, unresolved, kinds, ...dataset }) => {
        const counted = ({ id }: { readonly id: number }) => counts.get(`${id} ${dataset.name}`) ?? []
        const series = all.splice(0, wanted.length).map(({ series: one, window, gaps }): SeriesStatus => {
          const { id: seriesId, instrumentId, spec } = one
          return { seriesId, instrumentId, spec, wanted: window, gaps, complete: shareOf([counted(one)].flat()) }
        })
        const complete = shareOf(wanted.flatMap(counted))
        const problems = [
          ...problemsOf({ name: dataset.name, unresolved, series: wanted }),
          ...refusedOf(dataset, kinds),
        ]
        const unasked = unresolved.filter(({ askedAt, error }) => askedAt === undefined && !error).length
        return { ...dataset, series, complete, unasked, problems }
      })
    },
  }
}

/** That there is none of this name. */
export function noDataset(name: string): TidegateError {
  return new TidegateError('not-found', `There is no dataset "${name.slice(0, 64)}": declare it first.`)
}

/** Specs that a kind of product among the instruments has no data for; one instrument of each kind is named. */
function refusedOf(dataset: Dataset, kinds: DatasetState['kinds']): Problem[] {
  return kinds.flatMap(({ secType, instrumentId }) =>
    specsFor(dataset.definition, secType).refused.map(({ spec, error }) => {
      return { dataset: dataset.name, instrument: instrumentId, spec, error: error.toJSON() }
    }),
  )
}
