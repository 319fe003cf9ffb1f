import {
  barSize,
  durationFor,
  isDated,
  reachesByUnit,
  recoveryOf,
  type SeriesShape,
  TidegateError,
  toTidegateError,
  type Window,
  whatToShow,
} from '@tidegate/core'
import type { Claim } from '@tidegate/db'
import type { BarsAnswer, BarsRequest, Priority } from '@tidegate/relay'
import { answerFor, reaches } from './answer.ts'
import { specOf } from './planning.ts'
import { askable } from './resolve.ts'
import type { IngestOptions, WorkResult } from './types.ts'

/** Longer than the bridge's own request timeout and our patience together: a living worker keeps its lease. */
const LEASE_SEC = 300
const WAIT_MS = 20_000
const DAY_SEC = 86_400
/** A `not-found` is asked again once after this long: IBKR answers 200 falsely during outages. */
const SECOND_LOOK_SEC = 3600
const BACKOFF = { firstSec: 2, mostSec: 300 }
const MOST_ATTEMPTS = 5

/** One chunk: claim it, ask for its window, check what came, commit. Whatever fails, the chunk's state says what happens next. */
export async function workChunk(
  chunkId: string,
  options: IngestOptions,
  checkOrigin: () => Promise<void>,
): Promise<WorkResult> {
  const { store, now, log } = options
  const claim = await store.claim(chunkId, { now: nowSec(now), leaseSec: LEASE_SEC })
  if (!claim) return { outcome: 'nothing', written: 0 }
  const about = {
    chunk: chunkId,
    series: claim.series.id,
    instrument: claim.series.instrumentId,
    spec: claim.series.spec,
  }
  try {
    await checkOrigin()
    const reply = await ask(claim, options)
    const answer = answerFor(claim.window, specOf(claim.series), claim.instrument.details.timeZoneId, reply)
    const { held, written, restated } = await store.commit(claim, answer, nowSec(now))
    if (!held) return { outcome: 'nothing', written: 0 }
    log.info({ ...about, bars: answer.bars.t.length, written, restated, state: answer.state }, 'chunk committed')
    return { outcome: 'done', written }
  } catch (cause) {
    const error = toTidegateError(cause)
    log.warn({ ...about, kind: error.kind, code: error.code, attempt: claim.attempt, err: error }, 'chunk failed')
    return settleFailure(claim, error, options)
  }
}

/** Asks for the claim's window; where the reply does not show that it reached the window's start, once more, further back. */
async function ask(claim: Claim, { relay, now }: IngestOptions): Promise<BarsAnswer> {
  const spec = specOf(claim.series)
  const { contract } = claim.instrument.details
  const shape: SeriesShape = { spec, secType: contract.secType, hours: claim.series.hours }
  const end = requestEnd(claim.window, shape, nowSec(now))
  const asked: Window = { start: claim.window.start, end: end ?? nowSec(now) }
  const request = (reach: number) => ({
    contract: askable(claim.instrument),
    barSize: barSize(spec).text as BarsRequest['barSize'],
    whatToShow: whatToShow(spec.price, contract.secType) as BarsRequest['whatToShow'],
    hours: claim.series.hours,
    end,
    duration: durationFor(asked, shape, reach),
    priority: 'scheduled' as Priority,
    waitMs: WAIT_MS,
    caller: claim.runId,
  })
  const first = request(1)
  const reply = await relay.bars(first)
  if (reachesByUnit(first.duration) || reaches(claim.window, reply)) return reply
  const further = request(2)
  if (further.duration === first.duration) return reply
  const second = await relay.bars(further)
  if (second.done.empty)
    throw new TidegateError(
      'internal',
      `The gateway had bars in ${first.duration} and none in ${further.duration}: its answer can't be trusted.`,
    )
  return second
}

/**
 * The end to ask for, or undefined for now. Dated bars are asked a day further: at 00:00 UTC the last date's session
 * can still be open in its own zone, and a day cut short must not be stored. What IBKR only answers to now is asked to now.
 */
function requestEnd(window: Window, { spec, secType }: SeriesShape, now: number): number | undefined {
  if (spec.price === 'ADJUSTED_LAST' || secType === 'CONTFUT') return undefined
  const end = isDated(spec) ? window.end + DAY_SEC : window.end
  return end < now ? end : undefined
}

async function settleFailure(claim: Claim, error: TidegateError, options: IngestOptions): Promise<WorkResult> {
  const { store, now, queue } = options
  const failure = { written: 0, error: error.toJSON() }
  const giveUp = async (state: 'failed' | 'parked'): Promise<WorkResult> =>
    (await store.giveUp(claim, state, error.toJSON(), nowSec(now)))
      ? { outcome: state, ...failure }
      : { outcome: 'nothing', ...failure }
  const delaySec = retryDelaySec(claim.attempt, error, options.random)
  if (delaySec === 'failed' || delaySec === 'parked') return giveUp(delaySec)
  const held = await store.requeue(claim, error.toJSON(), nowSec(now) + delaySec)
  if (!held) return { outcome: 'nothing', ...failure }
  await queue.send([claim.chunkId], delaySec)
  return { outcome: 'requeued', retryAfterSec: delaySec, ...failure }
}

/** When to try again after a failure, seconds, or how the chunk ends instead; the error's kind alone decides. */
export function retryDelaySec(
  attempt: number,
  error: TidegateError,
  random: () => number,
): number | 'failed' | 'parked' {
  const backoffSec = Math.min(BACKOFF.firstSec * 2 ** (attempt - 1), BACKOFF.mostSec) * (0.5 + random() / 2)
  const delaySec = Math.ceil(Math.max(backoffSec, (error.retryAfterMs ?? 0) / 1000))
  switch (recoveryOf(error.kind)) {
    case 'never':
      return 'failed'
    case 'person':
      return 'parked'
    case 'once':
      return attempt < 2 ? SECOND_LOOK_SEC : 'parked'
    case 'limited':
      return attempt < MOST_ATTEMPTS ? delaySec : 'failed'
    default:
      return delaySec
  }
}

function nowSec(now: () => number): number {
  return Math.floor(now() / 1000)
}
