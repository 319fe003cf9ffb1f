import { followsSessions, nextDue, openingsOf, resetsAround, toTidegateError, type Window } from '@tidegate/core'
import type { DueDataset } from '@tidegate/db'
import { type Cut, cutChunks, MOST_CHUNKS } from './cutting.ts'
import { type Finding, findSeries, openFrom, questionsIn } from './finding.ts'
import { type Questions, questionsOfTick } from './questions.ts'
import { withinReach } from './reach.ts'
import { resolveInstrument } from './resolve.ts'
import { openRun } from './run.ts'
import type { IngestOptions, Problem, TickResult } from './types.ts'
import { wantingNow } from './wanting.ts'

/** How long a schedule leaves a window alone after its chunk failed or was parked. A run by hand asks at once. */
const GIVEN_UP_SEC = 3600
/** What one run could not take is planned by the next tick, and what could not be asked is asked. */
const NEXT_TICK_SEC = 60

/**
 * One look at what is due: a query, and where nothing is due no more than that. What a due dataset names is found, its gaps
 * become the chunks of a run of its own, and it is due again when its schedule says. Two at once ask for nothing twice.
 * Within a reset of IBKR's servers what is due is held until that is over.
 * A dataset that fails is told and does not keep the others.
 */
export function createTick(options: IngestOptions, finding: Finding): () => Promise<TickResult> {
  const { store, now, log } = options
  return async () => {
    const nowSec = Math.floor(now() / 1000)
    const runs: TickResult['runs'][number][] = []
    const problems: Problem[] = []
    const moves: { name: string; from: number; to: number }[] = []
    const reset = resetsAround(nowSec)
    const dues = await store.dueDatasets(nowSec, nowSec - GIVEN_UP_SEC)
    const questions = questionsOfTick(dues, (due) => questionsIn(due, nowSec), now)
    for (const [turn, due] of questions.turns.entries()) {
      // What somebody has declared or changed since the reset began is tried all the same: somebody waits for it.
      if (reset && due.updatedAt < reset.start) {
        moves.push({ name: due.name, from: due.dueAt, to: reset.end })
        continue
      }
      try {
        const asked = questions.shareOf(turn)
        const changed = await findSeries(due, asked, false, finding)
        questions.giveBack(asked)
        const dataset = changed ? await store.datasetNow(due.name, nowSec, nowSec - GIVEN_UP_SEC) : due
        if (!dataset) continue
        const cut = await cutGaps(dataset, nowSec, nowSec - GIVEN_UP_SEC, finding, options)
        if (cut.chunks.length > 0) runs.push(await openTickRun(dataset, cut, options))
        problems.push(...problemsOf(dataset))
        const to = await whenNext(dataset, cut.remaining > 0, { nowSec, asked, finding })
        moves.push({ name: due.name, from: due.dueAt, to })
      } catch (cause) {
        const error = toTidegateError(cause)
        if (error.kind === 'database') throw error
        log.error(
          { dataset: due.name, err: error },
          'a dataset could not be brought up to date; the next minute tries again',
        )
      }
    }
    if (moves.length > 0) await store.advance(moves, nowSec)
    return { runs, chunks: runs.reduce((sum, { chunks }) => sum + chunks, 0), problems }
  }
}

async function openTickRun(dataset: DueDataset, cut: Cut, options: IngestOptions): Promise<TickResult['runs'][number]> {
  const { name, definition } = dataset
  const run = { ...cut, source: 'tick', dataset: name, priority: definition.priority ?? 'scheduled' } as const
  const { runId, chunks } = await openRun(run, options)
  return { dataset: name, runId, chunks }
}

/** The chunks for a dataset's gaps: no more at a time than one run holds, those that are open already included. */
export async function cutGaps(
  dataset: DueDataset,
  nowSec: number,
  givenUpSince: number | undefined,
  { origin }: Pick<Finding, 'origin'>,
  { store, spans }: Pick<IngestOptions, 'store' | 'spans'>,
): Promise<Cut> {
  const gapsUntil = async (untilSec: number) =>
    (await wantingNow(dataset.series, untilSec, store)).flatMap(({ window, ...part }) => {
      return window && part.gaps.length > 0 ? [{ ...part, window }] : []
    })
  let gapped = await gapsUntil(nowSec)
  // The bridge is not asked for the time where nothing is wanted.
  const untilSec = gapped.length > 0 ? await origin.untilSec() : nowSec
  if (untilSec < nowSec) gapped = await gapsUntil(untilSec)
  const parts = givenUpSince === undefined ? gapped : await withinReach(gapped, store, nowSec)
  const most = Math.max(0, MOST_CHUNKS - dataset.open)
  if (parts.length === 0) return { chunks: [], remaining: 0 }
  return cutChunks(parts, store, { nowSec, keptSec: await origin.keptSec(), givenUpSince, spans, most })
}

/** What of a dataset can't be had as it stands. */
export function problemsOf({
  name,
  unresolved,
  series,
}: Pick<DueDataset, 'name' | 'unresolved' | 'series'>): Problem[] {
  const missing = unresolved.flatMap((one): Problem[] =>
    one.error ? [{ dataset: name, instrument: one.name, spec: undefined, error: one.error }] : [],
  )
  const headless = series.flatMap(({ instrumentId, spec, since, headError }): Problem[] =>
    since === undefined && headError ? [{ dataset: name, instrument: instrumentId, spec, error: headError }] : [],
  )
  return [...missing, ...headless]
}

interface Asking {
  readonly nowSec: number
  readonly asked: Questions
  readonly finding: Finding
}

/** When a dataset is due next: as its schedule says, or earlier where something is left to be asked. */
async function whenNext(dataset: DueDataset, isMoreLeft: boolean, asking: Asking): Promise<number> {
  const { nowSec } = asking
  const { schedule } = dataset.definition
  const sessions = followsSessions(schedule) ? await sessionsOf(dataset, asking) : []
  const again = isMoreLeft ? nowSec : openFrom(dataset, nowSec)
  return Math.min(
    nextDue(schedule, nowSec, sessions),
    Math.max(again ?? Number.POSITIVE_INFINITY, nowSec + NEXT_TICK_SEC),
  )
}

/** The sessions of a dataset's instruments around now: those that are stored, and those that IBKR lists beside its contracts. */
async function sessionsOf(dataset: DueDataset, { nowSec, asked, finding }: Asking): Promise<Window[]> {
  const { hours } = dataset.definition
  const listed = await Promise.all(
    dataset.calendars.map(async (calendar) => {
      const known = openingsOf(calendar, hours)
      if (known.some(({ end }) => end > nowSec) || asked.isOver()) return known
      // What is listed is days old: an instrument is asked after once a day.
      const { details } = await resolveInstrument(calendar.instrumentId, finding, finding.origin)
      return openingsOf(details, hours)
    }),
  )
  return [...dataset.sessions, ...listed.flat()]
}
