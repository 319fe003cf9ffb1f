import type { ProgressAnswer, StartedAnswer } from '@tidegate/functions'
import type { Client, FetchBody } from './client.ts'
import type { Context } from './context.ts'
import { endsOf, type Gap, isOpen, keyOf, type Left, leftOf, type SeriesKey } from './left.ts'
import type { Progress } from './progress.ts'

const POLL_MS = 250
/** How long the chunks of another run are waited for; after so many looks it is tried whether they are free to ask for. */
const OTHERS = { mostMs: 600_000, everyMs: 500, looks: 20 }
/** A second asking closes what became final meanwhile; what is open after that is not going to be closed by asking. */
const MOST_ROUNDS = 2

type Problem = StartedAnswer['problems'][number]

export interface FilledSeries extends SeriesKey {
  /** What of the window could be had when the fetch began, and is not covered: `[start, end)`, ISO. */
  readonly gaps: readonly Gap[]
  /** Silence at the newest end that is too fresh to be believed: the next fetch asks again. */
  readonly pending: readonly Gap[]
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
    const look = async () => leftOf(await client.plan(body), keys, until ?? new Map(), startedMs / 1000)
    const run = await follow(client, started, options)
    let left = await look()
    const result = () => ({
      series: left.map((one) => settledSeries(one, errorOf(run, one.key))),
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
        const note = requests > 0 ? 'asked for by an earlier run' : undefined
        if (total > 0) progress.show(seriesName(key), { settled: Math.max(0, total - requests), total, note })
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

/** A failure makes what was pending a gap: it was not silence. */
function settledSeries({ key, gaps, pending }: Left, error: string | undefined): FilledSeries {
  if (error === undefined) return { ...key, gaps, pending, error }
  const all = [...gaps, ...pending]
  return { ...key, gaps: all, pending: [], error: all.length > 0 ? error : undefined }
}

function errorOf(run: ProgressAnswer, key: SeriesKey): string | undefined {
  return run.series.find((one) => keyOf(one) === keyOf(key))?.error?.message
}
