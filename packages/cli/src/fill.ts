import { parseInstant } from '@tidegate/core'
import type { PlanAnswer, ProgressAnswer, StartedAnswer } from '@tidegate/functions'
import type { Client, PlanBody } from './client.ts'
import type { Context } from './context.ts'
import { endsOf, type Gap, isOpen, keyOf, type Left, leftOf, type SeriesKey } from './left.ts'
import type { Advance, Progress } from './progress.ts'

const POLL_MS = 250
/** How long the chunks of another run are waited for while none of them comes; after so many looks it is tried whether they are free to ask for. */
const OTHERS = { mostMs: 600_000, everyMs: 500, looks: 20 }
/** A second asking closes what became final meanwhile; what is open after that is not going to be closed by asking. */
const MOST_ROUNDS = 2

/** So many of the newest open runs are looked at for what others ask for. */
const MOST_OTHERS = 20

type Problem = StartedAnswer['problems'][number]
type RunSeries = ProgressAnswer['series'][number]

export interface FilledSeries extends SeriesKey {
  /** What of the window could be had when the fetch began, and is not covered: `[start, end)`, ISO. */
  readonly gaps: readonly Gap[]
  /** The newest end that was answered and is not final by the gateway's clock, or silent so far: the next fetch asks again. */
  readonly pending: readonly Gap[]
  /** The newest failure, where there are gaps. */
  readonly error: string | undefined
}

export interface Filled {
  readonly series: readonly FilledSeries[]
  readonly problems: readonly Problem[]
  /** How many chunks were asked for. 0: everything had been covered, or nothing is final. */
  readonly chunks: number
  /** Nothing of the window was final when the fetch began. */
  readonly nothingFinal: boolean
  /** The newest run that has chunks. */
  readonly runId: string | undefined
  readonly interrupted: boolean
}

export interface FillOptions extends Pick<Context, 'sleep' | 'signal' | 'now'> {
  readonly progress: Progress
  /** Called when a run of it has been opened. */
  readonly opened?: () => void
}

export function seriesName({ instrumentId, spec }: Pick<SeriesKey, 'instrumentId' | 'spec'>): string {
  return `${instrumentId} ${spec}`
}

/** What a fetch of this plan would come to without asking for anything; undefined where something is to be asked. */
export function coveredAlready({ series }: PlanAnswer): Filled | undefined {
  if (series.some(({ wanted, gaps, unavailable }) => !wanted || gaps.length > 0 || unavailable.length > 0))
    return undefined
  return {
    series: series.map(({ instrumentId, spec, hours }) => ({
      instrumentId,
      spec,
      hours,
      gaps: [],
      pending: [],
      error: undefined,
    })),
    problems: [],
    chunks: 0,
    nothingFinal: false,
    runId: undefined,
    interrupted: false,
  }
}

/** Fetches what is missing of a window, or of a dataset, and follows it to its end, chunks that other runs have open included. */
export async function fill(client: Client, body: PlanBody, options: FillOptions): Promise<Filled> {
  const { signal, sleep, now, progress, opened } = options
  const startedMs = now()
  let others = { requests: Number.POSITIVE_INFINITY, sinceMs: startedMs }
  let until: ReadonlyMap<string, number> | undefined
  let runId: string | undefined
  const earlier = new Map<string, Advance>()
  let chunks = 0
  for (let round = 1; ; round++) {
    const started = 'dataset' in body ? await client.startDataset(body.dataset) : await client.start(body)
    opened?.()
    chunks += started.chunks
    if (started.chunks > 0) runId = started.id
    const keys = new Set(started.series.map(keyOf))
    // The clock goes on making bars final: only what could be had at the beginning is this fetch's.
    until ??= endsOf(await client.plan(body), keys)
    const ends = until
    const look = async () => leftOf(await client.plan(body), keys, ends, startedMs / 1000)
    const run = await follow(client, started, earlier, options)
    let left = await look()
    // What a cancelled run did not ask for is missing, and not merely young.
    const own = run.state === 'cancelled' ? [] : run.series
    const result = () => ({
      series: left.map((one) => settledSeries(one, own.find(isOf(one.key)), ends.get(keyOf(one.key)))),
      problems: started.problems,
      chunks,
      nothingFinal: ends.size === 0,
      runId,
      interrupted: signal.aborted,
    })
    if (signal.aborted || run.state === 'cancelled' || !isOpen(left)) return result()
    if (started.remaining > 0 && run.chunks.done > 0) {
      // More than one run holds: this one's part is done, and the next one's is asked for.
      round--
      continue
    }
    if (run.state === 'failed') return result()
    if (started.chunks > 0 && round < MOST_ROUNDS) continue
    if (started.chunks > 0 && !(await isAskedByOthers(client, started.id, left))) return result()
    // Nothing left to ask for and yet not all there: the chunks of another run.
    const first = new Map(left.map(({ key, requests }) => [keyOf(key), requests]))
    for (let i = 0; i < OTHERS.looks && isOpen(left) && !signal.aborted; i++) {
      showOthers(left, first, progress)
      await sleep(OTHERS.everyMs, signal)
      left = await look()
    }
    showOthers(left, first, progress)
    const requests = left.reduce((sum, one) => sum + one.requests, 0)
    if (requests < others.requests) others = { requests, sinceMs: now() }
    if (!isOpen(left) || now() - others.sinceMs > OTHERS.mostMs) return result()
    round = 0
  }
}

/** Whether another run has chunks open of what is left. */
async function isAskedByOthers(client: Client, own: string, left: readonly Left[]): Promise<boolean> {
  const keys = new Set(left.flatMap(({ key, gaps }) => (gaps.length > 0 ? [keyOf(key)] : [])))
  const { runs } = await client.runs({ state: 'open', limit: MOST_OTHERS })
  for (const { id } of runs) {
    if (id === own) continue
    const { series } = await client.run(id)
    if (series.some((one) => keys.has(keyOf(one)) && one.settled < one.total)) return true
  }
  return false
}

/** Shows how far the chunks of other runs have come: of the requests that were open at `first`, those that still are. */
function showOthers(left: readonly Left[], first: ReadonlyMap<string, number>, progress: Progress): void {
  for (const { key, requests } of left) {
    const total = Math.max(first.get(keyOf(key)) ?? 0, requests)
    const note = requests > 0 ? 'asked for by an earlier run' : undefined
    if (total > 0) progress.show(seriesName(key), { settled: total - requests, total, note })
  }
}

/** Polls a run until it has ended, or the command is to end. Shows it on top of what the `earlier` ones of this fetch did. */
async function follow(
  client: Client,
  started: StartedAnswer,
  earlier: Map<string, Advance>,
  { sleep, signal, progress }: FillOptions,
) {
  for (;;) {
    const run = await client.run(started.id)
    const advances = new Map(run.series.map((one) => [seriesName(one), onTop(one, earlier.get(seriesName(one)))]))
    for (const [name, advance] of advances) progress.show(name, advance)
    if (run.state !== 'open' || signal.aborted) {
      for (const [name, advance] of advances) earlier.set(name, advance)
      return run
    }
    await sleep(POLL_MS, signal)
  }
}

function onTop({ settled, total, bars, error }: RunSeries, before: Advance = { settled: 0, total: 0 }): Advance {
  const note = settled < total ? error?.message : undefined
  return { settled: before.settled + settled, total: before.total + total, bars: (before.bars ?? 0) + bars, note }
}

/**
 * What remains of a series once nothing more is asked. A failure makes all of it gaps. What a run asked for and had
 * answered without one, and what is nevertheless not covered at the newest end, is not final yet by the gateway's clock.
 */
function settledSeries({ key, gaps, pending, requests }: Left, run: RunSeries | undefined, end = 0): FilledSeries {
  if (run?.error) {
    const all = [...gaps, ...pending]
    return { ...key, gaps: all, pending: [], error: all.length > 0 ? run.error.message : undefined }
  }
  const answered = run !== undefined && run.settled === run.total && run.total >= requests
  const newest = gaps.at(-1)
  if (!answered || !newest || parseInstant(newest.end) < end) return { ...key, gaps, pending, error: undefined }
  return { ...key, gaps: gaps.slice(0, -1), pending: [newest, ...pending], error: undefined }
}

function isOf(key: SeriesKey): (one: SeriesKey) => boolean {
  return (one) => keyOf(one) === keyOf(key)
}
