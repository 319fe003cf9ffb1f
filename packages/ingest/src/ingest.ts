import { formatSpec, type Priority, parseInstrument, parseSpec, TidegateError, toTidegateError } from '@tidegate/core'
import type { Instrument } from '@tidegate/db'
import { type Cut, planChunks } from './cutting.ts'
import { deliver, resend } from './dispatch.ts'
import { createOrigin } from './origin.ts'
import { planFetch } from './plan.ts'
import { plannable, type WantedSeries, wantedSeries, wantedWindow } from './planning.ts'
import { resolveInstrument } from './resolve.ts'
import type { FetchRequest, Ingest, IngestOptions, Problem, Started } from './types.ts'
import { workChunk } from './work.ts'

const MESSAGES_PER_SEC = 45
/** Requests that workers have open at once, and what an answer of a few thousand bars takes. */
const OPEN_REQUESTS = 16
const ANSWER_SEC = 2
/** How long a schedule leaves a window alone after its chunk failed or was parked. A fetch by hand asks at once. */
const GIVEN_UP_SEC = 3600

interface Wanted {
  readonly want: WantedSeries
  readonly window: FetchRequest['window']
}

/** The ingest over a store, a relay and a queue. Keeps nothing between calls that the database does not know better. */
export function createIngest(options: IngestOptions): Ingest {
  const { store, relay, now, newId, log, spans } = options
  const { messagesPerSec = MESSAGES_PER_SEC, answerSec = ANSWER_SEC } = options
  const pace = { perSecond: messagesPerSec, open: OPEN_REQUESTS, answerSec }
  const origin = createOrigin(store, relay, now)
  const nowSec = () => Math.floor(now() / 1000)

  /** Each name once, resolved or a problem. */
  async function resolveAll(
    names: readonly string[],
  ): Promise<{ found: Map<string, Instrument>; problems: Problem[] }> {
    const found = new Map<string, Instrument>()
    const problems: Problem[] = []
    await Promise.all(
      [...new Set(names)].map(async (name) => {
        try {
          found.set(name, await resolveInstrument(name, options, origin))
        } catch (cause) {
          const error = toTidegateError(cause)
          if (error.kind === 'database') throw error
          problems.push({ instrument: name, spec: undefined, error: error.toJSON() })
        }
      }),
    )
    return { found, problems }
  }

  async function chunksFor(wanted: readonly Wanted[], givenUpSince?: number) {
    const keys = wanted.map(({ want }) => ({
      instrumentId: want.instrumentId,
      spec: formatSpec(want.spec),
      hours: want.hours,
    }))
    const series = await store.ensureSeries(keys)
    const wants = wanted.flatMap(({ want, window }, i) => {
      const own = series[i]
      const clipped = wantedWindow(window, want, nowSec())
      return own && clipped ? [{ want, series: own, window: clipped }] : []
    })
    return { series, cut: await planChunks(wants, store, { nowSec: nowSec(), givenUpSince, spans }) }
  }

  async function createRun(source: string, priority: Priority, { chunks, remaining }: Cut) {
    const runId = newId()
    const { chunkIds } = await store.createRun({ id: runId, source, priority, chunks, now: nowSec() })
    if (chunkIds.length === 0) await store.closeRuns(nowSec())
    await deliver(options)
    log.info({ run: runId, source, chunks: chunkIds.length, remaining }, 'run opened')
    return { runId, chunks: chunkIds.length, remaining }
  }

  return {
    plan: (request) => planFetch(request, store, { nowSec: nowSec(), spans, pace }),

    async start(request): Promise<Started> {
      for (const text of request.instruments) parseInstrument(text)
      await origin.check({ fresh: true })
      const { found, problems } = await resolveAll(request.instruments)
      const [first] = problems
      if (first && found.size === 0) {
        const { kind, message, ...rest } = first.error
        throw new TidegateError(kind, message, rest)
      }
      const wanted = wantedSeries(request, [...found.values()].map(plannable))
      const { series, cut } = await chunksFor(wanted.map((want) => ({ want, window: request.window })))
      return { ...(await createRun('fetch', request.priority ?? 'interactive', cut)), series, problems }
    },

    async tick() {
      const datasets = (await store.datasets()).filter((dataset) => isDue(dataset.everySec, nowSec()))
      if (datasets.length === 0) return { runId: undefined, chunks: 0, problems: [] }
      const { found, problems } = await resolveAll(datasets.flatMap((d) => d.wants.map((w) => w.instrumentId)))
      for (const problem of problems) log.warn({ ...problem }, 'a dataset wants an instrument that can not be resolved')
      const wanted = datasets.flatMap((dataset) =>
        dataset.wants.flatMap(({ instrumentId, spec, hours }): Wanted[] => {
          const instrument = found.get(instrumentId)
          if (!instrument || dataset.since >= nowSec()) return []
          const want = { ...plannable(instrument), spec: parseSpec(spec), hours }
          return [{ want, window: { start: dataset.since, end: nowSec() } }]
        }),
      )
      const { cut } = await chunksFor(wanted, nowSec() - GIVEN_UP_SEC)
      if (cut.chunks.length === 0) return { runId: undefined, chunks: 0, problems }
      return { ...(await createRun('tick', 'scheduled', cut)), problems }
    },

    work: (chunkId) => workChunk(chunkId, options, origin),

    async sweep() {
      const { sent, closed } = await deliver(options)
      return { sent: sent + (await resend(options)), closed: closed + (await store.closeRuns(nowSec())).length }
    },
  }
}

/**
 * Whether a period of `everySec` began within the last two minutes. Ticks come each minute, some late and some not at all;
 * one more of them for the same period finds its gaps asked for already.
 */
function isDue(everySec: number, now: number): boolean {
  return Math.floor(now / everySec) !== Math.floor((now - 120) / everySec)
}
