import { parseSpec, recoveryOf, type TidegateError, toTidegateError, whatToShow } from '@tidegate/core'
import type { DatasetSeries, DueDataset, Found, Unresolved } from '@tidegate/db'
import type { Origin } from './origin.ts'
import { askable, resolveInstrument } from './resolve.ts'
import type { IngestOptions } from './types.ts'

/** What IBKR did not know is asked for again after this long: it answers 200 falsely during outages. */
export const AGAIN_SEC = 3600
/** Questions of one tick: a Worker has to be done within seconds, and ticks come each minute. */
const MOST_OF_TICK = 100
/** Questions asked at once: more would wait at the bridge for longer than it lets them. */
const AT_ONCE = 100

/** How many questions are left to be asked of the gateway, and whether all that had to be asked were. */
export interface Questions {
  left: number
  complete: boolean
}

export function questions(most = MOST_OF_TICK): Questions {
  return { left: most, complete: true }
}

export interface Finding extends Pick<IngestOptions, 'store' | 'relay' | 'now' | 'log'> {
  readonly origin: Origin
}

/**
 * Finds what a dataset names and makes the series that it comes to; asks since when IBKR has data of those that are wanted
 * from the head. What is not found is kept with the reason. `again` asks for that too; otherwise an hour has to pass.
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
  const isOpen = (askedAt: number | undefined) => again || askedAt === undefined || askedAt <= nowSec - AGAIN_SEC
  const open = dataset.unresolved.filter(({ askedAt }) => isOpen(askedAt))
  const names = take(open, asked)
  let changed = !dataset.linked
  if (names.length > 0) {
    const found = await findInstruments(names, finding)
    if (found.some(({ passing }) => passing)) asked.complete = false
    for (const { name, error } of found) {
      if (error) log.warn({ dataset: dataset.name, instrument: name, error }, 'an instrument was not found')
    }
    await store.noteInstruments(dataset.name, found, nowSec)
    changed ||= found.some(({ instrumentId }) => instrumentId !== undefined)
  }
  if (changed) await store.linkDataset(dataset.definition)
  const current = changed ? await store.datasetNow(dataset.name, nowSec) : dataset
  const headless = current?.series.filter(({ since, headAskedAt }) => since === undefined && isOpen(headAskedAt)) ?? []
  const heads = await inBatches(take(headless, asked), (series) => findHead(series, finding))
  if (heads.includes('passing')) asked.complete = false
  return changed || names.length > 0 || heads.length > 0
}

/** The first of them that may be asked, taken off the questions. */
function take<T>(open: readonly T[], asked: Questions): T[] {
  const taken = open.slice(0, asked.left)
  asked.left -= taken.length
  if (taken.length < open.length) asked.complete = false
  return taken
}

async function inBatches<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = []
  for (let at = 0; at < items.length; at += AT_ONCE) {
    answers.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(ask))))
  }
  return answers
}

async function findInstruments(names: readonly Unresolved[], finding: Finding): Promise<Found[]> {
  try {
    await finding.origin.check()
  } catch (cause) {
    // No word of the instruments themselves.
    const error = toTidegateError(cause)
    if (error.kind === 'database') throw error
    return names.map(({ name }) => ({ name, error: error.toJSON(), passing: true }))
  }
  return inBatches(names, async ({ name }): Promise<Found> => {
    try {
      const { id } = await resolveInstrument(name, finding, finding.origin)
      return { name, instrumentId: id }
    } catch (cause) {
      return { name, ...failure(cause) }
    }
  })
}

async function findHead(
  series: DatasetSeries,
  { store, relay, now, log }: Finding,
): Promise<'found' | 'none' | 'passing'> {
  const { id, instrumentId, spec, hours, secType } = series
  const told = async () => {
    try {
      const instrument = await store.instrument(instrumentId)
      if (!instrument) return undefined
      const show = whatToShow(parseSpec(spec).price, secType) as Parameters<typeof relay.head>[0]['whatToShow']
      return {
        head: await relay.head({ contract: askable(instrument), whatToShow: show, hours, priority: 'scheduled' }),
      }
    } catch (cause) {
      const told = failure(cause)
      log.warn({ instrument: instrumentId, spec, error: told.error }, 'its first data are not known')
      return told
    }
  }
  const answer = await told()
  if (!answer) return 'none'
  await store.putHead(id, answer, Math.floor(now() / 1000))
  if ('head' in answer) return 'found'
  return answer.passing ? 'passing' : 'none'
}

function failure(cause: unknown): { readonly error: ReturnType<TidegateError['toJSON']>; readonly passing: boolean } {
  const error = toTidegateError(cause)
  if (error.kind === 'database') throw error
  const recovery = recoveryOf(error.kind)
  return { error: error.toJSON(), passing: recovery === 'later' || recovery === 'person' }
}
