import { formatInstant, parseInstant } from '@tidegate/core'
import type { PlanAnswer, ProgressAnswer, StartedAnswer } from '@tidegate/functions'
import type { Client, FetchBody } from './client.ts'
import type { Context } from './context.ts'
import type { Progress } from './progress.ts'

const POLL_MS = 250
/** How long the chunks of another run are waited for; after so many looks it is tried whether they are free to ask for. */
const OTHERS = { mostMs: 600_000, everyMs: 500, looks: 20 }
/** A second asking closes what became final meanwhile; what is open after that is not going to be closed by asking. */
const MOST_ROUNDS = 2

type Problem = StartedAnswer['problems'][number]
type SeriesKey = Pick<PlanAnswer['series'][number], 'instrumentId' | 'spec' | 'hours'>
type Gap = PlanAnswer['series'][number]['gaps'][number]

export interface FilledSeries extends SeriesKey {
  /** What of the window could be had when the fetch began, and is not covered: `[start, end)`, ISO. */
  readonly gaps: readonly Gap[]
  /** The newest failure, where there are gaps. */
  readonly error: string | undefined
}

export interface Filled {
  readonly series: readonly FilledSeries[]
  readonly problems: readonly Problem[]
  /** How many chunks were asked for. 0: everything had been covered. */
  readonly chunks: number
  readonly interrupted: boolean
}

export interface FillOptions extends Pick<Context, 'sleep' | 'signal' | 'now'> {
  readonly progress: Progress
}

export function seriesName({ instrumentId, spec }: Pick<SeriesKey, 'instrumentId' | 'spec'>): string {
  return `${instrumentId} ${spec}`
}

/** Fetches what is missing of a window and follows it to its end, chunks that other runs have open included. */
export async function fill(client: Client, body: FetchBody, options: FillOptions): Promise<Filled> {
  const { signal, sleep, now, progress } = options
  const startedMs = now()
  let until: ReadonlyMap<string, number> | undefined
  let chunks = 0
  for (let round = 1; ; round++) {
    const started = await client.start(body)
    chunks += started.chunks
    const keys = new Set(started.series.map(keyOf))
    // The clock goes on making bars final: only what could be had at the beginning is this fetch's.
    until ??= endsOf(await client.plan(body))
    const look = async () => leftOf(await client.plan(body), keys, until ?? new Map())
    const run = await follow(client, started, options)
    let left = await look()
    const result = () => ({
      series: left.map(({ key, gaps }) => ({ ...key, gaps, error: gaps.length > 0 ? errorOf(run, key) : undefined })),
      problems: started.problems,
      chunks,
      interrupted: signal.aborted,
    })
    if (signal.aborted || !isOpen(left) || run.state === 'failed') return result()
    if (started.chunks > 0 && round >= MOST_ROUNDS) return result()
    if (started.chunks > 0) continue
    // Nothing to ask for and yet not all there: the chunks of another run.
    const first = new Map(left.map(({ key, requests }) => [keyOf(key), requests]))
    for (let i = 0; i < OTHERS.looks && isOpen(left) && !signal.aborted; i++) {
      for (const { key, requests } of left) {
        const total = first.get(keyOf(key)) ?? requests
        const note = requests > 0 ? 'another run is at it' : undefined
        if (total > 0) progress.show(seriesName(key), { settled: Math.max(0, total - requests), total, bars: 0, note })
      }
      await sleep(OTHERS.everyMs, signal)
      left = await look()
    }
    if (!isOpen(left) || now() - startedMs > OTHERS.mostMs) return result()
    round = 0
  }
}

/** Polls a run until it has ended, or the command is to end. */
async function follow(client: Client, started: StartedAnswer, { sleep, signal, progress }: FillOptions) {
  for (;;) {
    const run = await client.run(started.id)
    for (const { settled, total, bars, error, ...key } of run.series) {
      progress.show(seriesName(key), { settled, total, bars, note: settled < total ? error?.message : undefined })
    }
    if (run.state !== 'open' || signal.aborted) return run
    await sleep(POLL_MS, signal)
  }
}

interface Left {
  readonly key: SeriesKey
  readonly gaps: readonly Gap[]
  readonly requests: number
}

/** What is not covered yet of each series of the fetch, up to the end that it began with. */
function leftOf(plan: PlanAnswer, keys: ReadonlySet<string>, until: ReadonlyMap<string, number>): Left[] {
  return plan.series.flatMap(({ instrumentId, spec, hours, gaps, requests }) => {
    const key = { instrumentId, spec, hours }
    if (!keys.has(keyOf(key))) return []
    const end = until.get(keyOf(key)) ?? Number.NEGATIVE_INFINITY
    const clipped = gaps.flatMap((gap) => {
      const gapEnd = Math.min(parseInstant(gap.end), end)
      return parseInstant(gap.start) < gapEnd ? [{ start: gap.start, end: formatInstant(gapEnd) }] : []
    })
    return [{ key, gaps: clipped, requests: clipped.length > 0 ? requests : 0 }]
  })
}

function endsOf(plan: PlanAnswer): Map<string, number> {
  return new Map(plan.series.flatMap(({ wanted, ...key }) => (wanted ? [[keyOf(key), parseInstant(wanted.end)]] : [])))
}

function isOpen(left: readonly Left[]): boolean {
  return left.some(({ gaps }) => gaps.length > 0)
}

function errorOf(run: ProgressAnswer, key: SeriesKey): string | undefined {
  return run.series.find((one) => keyOf(one) === keyOf(key))?.error?.message
}

function keyOf({ instrumentId, spec, hours }: SeriesKey): string {
  return `${instrumentId} ${spec} ${hours}`
}
