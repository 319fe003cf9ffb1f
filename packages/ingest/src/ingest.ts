import { formatSpec, type Pace, parseInstrument, TidegateError, toTidegateError } from '@tidegate/core'
import type { Instrument } from '@tidegate/db'
import { createCancelling } from './cancelling.ts'
import { planChunks } from './cutting.ts'
import { createDatasets } from './datasets.ts'
import { deliver, forget, resend, resume } from './dispatch.ts'
import { createOrigin } from './origin.ts'
import { planOf } from './plan.ts'
import { plannable, type WantedSeries, wantedSeries, wantedWindow } from './planning.ts'
import type { Proven } from './proof.ts'
import { resolveInstrument } from './resolve.ts'
import { abandon, settleAdjustments } from './restate.ts'
import { openRun } from './run.ts'
import { createScales } from './scale.ts'
import { createCalendars } from './sessions.ts'
import { settlementsOf } from './settlements.ts'
import { createTelling } from './telling/telling.ts'
import { createTick } from './tick.ts'
import type { FetchRequest, Ingest, IngestOptions, Problem, Started } from './types.ts'
import { createUnderway } from './underway.ts'
import { workChunk } from './work.ts'

const MESSAGES_PER_SEC = 45
/** Requests that workers have open at once for each login, and what an answer of a few thousand bars takes. */
const OPEN_REQUESTS = 16
const ANSWER_SEC = 2

interface Wanted {
  readonly want: WantedSeries
  readonly window: FetchRequest['window']
}

/** The ingest over a store, a relay and a queue. Keeps nothing between calls that the database does not know better. */
export function createIngest(options: IngestOptions): Ingest {
  const { store, relay, now, log, spans } = options
  const { messagesPerSec = MESSAGES_PER_SEC, answerSec = ANSWER_SEC, logins = 1, mostChunks } = options
  const { openRequests = OPEN_REQUESTS * logins } = options
  const origin = createOrigin(store, relay, now, options.timeout)
  const calendars = createCalendars(options)
  const finding = { store, relay, now, log, timeout: options.timeout, origin }
  const telling = createTelling(options)
  const underway = createUnderway(options.mayCross)
  const scales = createScales<Proven>(options)
  const nowSec = () => Math.floor(now() / 1000)

  /** By what the bridges allow, where they have said so; no more than our own workers have open. */
  function paceNow(): Pace {
    const allowed = origin.allowance()
    const perSecond = allowed ? allowed.messagesPerSec / logins : messagesPerSec
    return {
      perSecond,
      open: Math.min(openRequests, allowed?.openRequests ?? openRequests) / logins,
      answerSec,
      logins,
    }
  }

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

  async function chunksFor(wanted: readonly Wanted[]) {
    const keys = wanted.map(({ want }) => ({
      instrumentId: want.instrumentId,
      spec: formatSpec(want.spec),
      hours: want.hours,
    }))
    const series = await store.ensureSeries(keys)
    const untilSec = await origin.untilSec()
    const settlements = await settlementsOf(
      wanted.map(({ want }) => want),
      store,
      untilSec,
    )
    const wants = wanted.flatMap(({ want, window }, i) => {
      const own = series[i]
      const clipped = wantedWindow(window, want, untilSec, settlements(want))
      return own && clipped ? [{ want, series: own, window: clipped }] : []
    })
    const how = { nowSec: nowSec(), keptSec: await origin.keptSec(), spans, most: mostChunks }
    return { series, cut: await planChunks(wants, store, how) }
  }

  return {
    async plan(request) {
      const [keptSec, untilSec] = [await origin.keptSec(), await origin.untilSec()]
      return planOf(request, store, { nowSec: nowSec(), keptSec, untilSec, spans, pace: paceNow() })
    },

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
      const run = await openRun({ ...cut, source: 'fetch', priority: request.priority ?? 'interactive' }, options)
      return { ...run, series, problems }
    },

    ...createDatasets(options, finding),

    tick: createTick(options, finding),

    work: (chunkId) => workChunk(chunkId, options, { origin, calendars, underway, scales }),

    ...createCancelling(options, underway),

    abandonAdjustment: (id) => abandon(id, options),

    tell: (deliveryId) => (deliveryId === undefined ? telling.tell() : telling.tellOne(deliveryId)),

    refill: async () => (await deliver(options)).sent,

    async sweep() {
      await resume(options)
      await settleAdjustments(options)
      const { sent, closed } = await deliver(options)
      const again = await resend(options)
      const ended = await store.closeRuns(nowSec())
      await forget(options)
      return { sent: sent + again, closed: closed + ended.length }
    },
  }
}
