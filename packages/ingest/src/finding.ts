import { type ErrorBody, type ErrorKind, parseSpec, recoveryOf, toTidegateError, whatToShow } from '@tidegate/core'
import type { DatasetSeries, DueDataset, Found, Unresolved } from '@tidegate/db'
import type { Origin } from './origin.ts'
import { answered, type Questions } from './questions.ts'
import { askable, resolveInstrument } from './resolve.ts'
import type { IngestOptions } from './types.ts'

/** What IBKR did not know is asked for again after this long: it answers 200 falsely during outages. */
const AGAIN_SEC = 3600
/** What failed for a reason of its own that passes, as no answer in time, is not asked at every tick: others wait too. */
const PASSING_SEC = 300
/** The bridge or the gateway could not be asked: that says nothing of the name, which may be asked at once. */
const AWAY: ReadonlySet<ErrorKind> = new Set(['disconnected', 'farm-down', 'competing-session', 'login-required'])
/** Asked later than that, it was by a clock that was ahead. */
const AHEAD_SEC = 60
/** Questions asked at once: more would wait at the bridge for longer than it lets them. */
const AT_ONCE = 100

export interface Finding extends Pick<IngestOptions, 'store' | 'relay' | 'now' | 'log' | 'timeout'> {
  readonly origin: Origin
}

/** When a question was asked last and what came of it: of a name, or of the first data of a series. */
interface Asked {
  readonly askedAt: number | undefined
  readonly error: ErrorBody | undefined
}

/** From when on what was not found may be asked for again, epoch seconds. */
function opensAt({ askedAt, error }: Asked, nowSec: number): number {
  if (askedAt === undefined || askedAt > nowSec + AHEAD_SEC) return nowSec
  return askedAt + (error && passes(error.kind) ? PASSING_SEC : AGAIN_SEC)
}

/** Whether a name is still to be asked for: it never was, or nothing was learned of it. */
export function isUnasked({ askedAt, error }: Asked): boolean {
  return askedAt === undefined || (error !== undefined && passes(error.kind))
}

/** When something of a dataset may be asked for that is not known yet, epoch seconds; undefined where all is known. */
export function openFrom(dataset: Pick<DueDataset, 'unresolved' | 'series'>, nowSec: number): number | undefined {
  const open = [...dataset.unresolved, ...headlessOf(dataset)].map((one) => opensAt(one, nowSec))
  return open.length > 0 ? open.reduce((first, sec) => Math.min(first, sec)) : undefined
}

/** How many questions a dataset has now. */
export function questionsIn(dataset: DueDataset, nowSec: number): number {
  const isOpen = (one: Asked) => opensAt(one, nowSec) <= nowSec
  const { since, specs } = dataset.definition
  const names = dataset.unresolved.filter(isOpen).length
  return names * (since === 'head' ? 1 + specs.length : 1) + headlessOf(dataset).filter(isOpen).length
}

/**
 * Finds what a dataset names and makes the series that it comes to; asks since when IBKR has data of those that are wanted
 * from the head. What was asked for longest ago goes first, and names leave half of the questions to the heads. What is not found
 * is kept with the reason. `again` asks for that too; otherwise an hour has to pass, or five minutes where what failed passes.
 * True where anything came of it that is to be read again.
 */
export async function findSeries(
  dataset: DueDataset,
  asked: Questions,
  again: boolean,
  finding: Finding,
): Promise<boolean> {
  const { store, now, log } = finding
  const nowSec = Math.floor(now() / 1000)
  const openOf = <T extends Asked>(all: readonly T[]) =>
    all
      .filter((one) => again || opensAt(one, nowSec) <= nowSec)
      .sort((a, b) => (a.askedAt ?? Number.NEGATIVE_INFINITY) - (b.askedAt ?? Number.NEGATIVE_INFINITY) || 0)
  const forNames = Math.max(Math.ceil(asked.left / 2), asked.left - openOf(headlessOf(dataset)).length)
  let changed = !dataset.linked
  const found = await findInstruments(openOf(dataset.unresolved).slice(0, forNames), asked, finding)
  if (found.length > 0) {
    for (const { name, error } of found) {
      if (error) log.warn({ dataset: dataset.name, instrument: name, error }, 'an instrument was not found')
    }
    await store.noteInstruments(dataset.name, found, nowSec)
    changed ||= found.some(({ instrumentId }) => instrumentId !== undefined)
  }
  if (changed) await store.linkDataset(dataset.definition)
  const current = changed ? await store.datasetNow(dataset.name, nowSec) : dataset
  const headless = current ? openOf(headlessOf(current)) : []
  const heads = await askAll(headless, asked, ({ series }) => findHead(series, finding))
  return changed || found.length > 0 || heads.length > 0
}

function headlessOf({ series }: Pick<DueDataset, 'series'>): (Asked & { readonly series: DatasetSeries })[] {
  return series.flatMap((one) =>
    one.since === undefined ? [{ series: one, askedAt: one.headAskedAt, error: one.headError }] : [],
  )
}

/** As many as may be asked, the first first, and as long as there is time. */
async function askAll<T, R>(items: readonly T[], asked: Questions, ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = []
  while (answers.length < items.length && asked.left > 0 && !asked.isOver()) {
    const batch = items.slice(answers.length, answers.length + Math.min(AT_ONCE, asked.left))
    asked.left -= batch.length
    answers.push(...(await Promise.all(batch.map(ask))))
  }
  return answers
}

async function findInstruments(
  names: readonly Unresolved[],
  asked: Questions,
  finding: Finding,
): Promise<readonly Found[]> {
  if (names.length === 0 || asked.isOver()) return []
  try {
    await finding.origin.check()
  } catch (cause) {
    // No word of the instruments themselves.
    const error = toTidegateError(cause)
    if (error.kind === 'database') throw error
    return names.map(({ name }) => ({ name, error: error.toJSON(), passing: true }))
  }
  return askAll(names, asked, async ({ name }): Promise<Found> => {
    try {
      const { id } = await resolveInstrument(name, finding, finding.origin)
      return { name, instrumentId: id }
    } catch (cause) {
      return { name, ...failure(cause) }
    }
  })
}

async function findHead(series: DatasetSeries, finding: Finding): Promise<void> {
  const { store, relay, now, log } = finding
  const { id, instrumentId, spec, hours, secType } = series
  const told = async () => {
    try {
      const instrument = await store.instrument(instrumentId)
      if (!instrument) return undefined
      const show = whatToShow(parseSpec(spec).price, secType) as Parameters<typeof relay.head>[0]['whatToShow']
      const request = { contract: askable(instrument), whatToShow: show, hours, priority: 'scheduled' } as const
      return { head: await answered((signal) => relay.head(request, signal), finding) }
    } catch (cause) {
      const told = failure(cause)
      log.warn({ instrument: instrumentId, spec, error: told.error }, 'its first data are not known')
      return told
    }
  }
  const answer = await told()
  if (answer) await store.putHead(id, answer, Math.floor(now() / 1000))
}

function failure(cause: unknown): { readonly error: ErrorBody; readonly passing: boolean } {
  const error = toTidegateError(cause)
  if (error.kind === 'database') throw error
  return { error: error.toJSON(), passing: AWAY.has(error.kind) }
}

function passes(kind: ErrorKind): boolean {
  const recovery = recoveryOf(kind)
  return recovery === 'later' || recovery === 'person'
}
