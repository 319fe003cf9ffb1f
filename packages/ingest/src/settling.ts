import { recoveryOf, type TidegateError, toTidegateError } from '@tidegate/core'
import type { Claim } from '@tidegate/db'
import { halveChunk } from './halving.ts'
import type { IngestOptions, WorkResult } from './types.ts'
import { urgencyOf } from './urgency.ts'

/** A `not-found` is asked again once after this long: IBKR answers 200 falsely during outages. */
const SECOND_LOOK_SEC = 3600
const BACKOFF = { firstSec: 2, mostSec: 300 }
/** Less than `WAIT_MS` of such a request, so that it is not refused again. */
const LEAD_SEC = 25
/** However long the bridge says: what waits for longer than a day counts as put back by a clock that was ahead. */
const MOST_DELAY_SEC = 6 * 3600
/** How often in a row a failure of ours, or of the database, is tried again. */
export const MOST_ATTEMPTS = 5
/** What a database that does not take a failure is given before the chunk is left to its lease, which takes minutes. */
const PAUSES_MS = [250, 1000, 4000]

/** Says of a claimed chunk what its failure means: again later, in halves, or not any more. */
export async function settleFailure(claim: Claim, error: TidegateError, options: IngestOptions): Promise<WorkResult> {
  const { store, queue } = options
  const now = () => Math.floor(options.now() / 1000)
  const failure = { written: 0, error: error.toJSON() }
  const giveUp = async (state: 'failed' | 'parked'): Promise<WorkResult> =>
    (await insist(() => store.giveUp(claim, state, error.toJSON(), now()), options))
      ? { outcome: state, ...failure }
      : { outcome: 'nothing', ...failure }
  const delaySec = retryDelaySec(claim, error, options.random)
  if (delaySec === 'failed' || delaySec === 'parked') return giveUp(delaySec)
  const halves = await insist(() => halveChunk(claim, error, delaySec, options), options)
  if (halves) {
    if (halves.length > 0) await queue.send(halves, delaySec, urgencyOf(claim.priority))
    return halves.length > 0
      ? { outcome: 'requeued', retryAfterSec: delaySec, ...failure }
      : { outcome: 'nothing', ...failure }
  }
  const held = await insist(() => store.requeue(claim, error.toJSON(), now() + delaySec), options)
  if (!held) return { outcome: 'nothing', ...failure }
  await queue.send([claim.chunkId], delaySec, urgencyOf(claim.priority))
  return { outcome: 'requeued', retryAfterSec: delaySec, ...failure }
}

/** Tries until the database takes it, a few times: a connection that broke is often back within a second. */
async function insist<T>(attempt: () => Promise<T>, { pause = sleep, random }: IngestOptions): Promise<T> {
  for (const ms of PAUSES_MS) {
    try {
      return await attempt()
    } catch (cause) {
      if (toTidegateError(cause).kind !== 'database') throw cause
      await pause(ms * (0.5 + random() / 2))
    }
  }
  return attempt()
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/**
 * When to try again after a failure, seconds, or how the chunk ends instead; the error's kind alone decides, and how
 * often in a row the chunk has failed with it. `failed` is its last failure before this one. After `busy` a backfill comes again when
 * there may be room, anything else a little before: it waits at the bridge then, where it goes first.
 */
export function retryDelaySec(
  { failed, priority }: Pick<Claim, 'failed' | 'priority'>,
  error: TidegateError,
  random: () => number,
): number | 'failed' | 'parked' {
  const times = (failed?.kind === error.kind ? failed.times : 0) + 1
  const backoffSec = Math.min(BACKOFF.firstSec * 2 ** (times - 1), BACKOFF.mostSec) * (0.5 + random() / 2)
  const leadSec = error.kind === 'busy' && priority !== 'backfill' ? LEAD_SEC : 0
  const awaitedSec = (error.retryAfterMs ?? 0) / 1000 - leadSec
  const delaySec = Math.ceil(Math.min(Math.max(backoffSec, awaitedSec), MOST_DELAY_SEC))
  switch (recoveryOf(error.kind)) {
    case 'never':
      return 'failed'
    case 'person':
      return 'parked'
    case 'once':
      return times < 2 ? SECOND_LOOK_SEC : 'parked'
    case 'limited':
      return times < MOST_ATTEMPTS ? delaySec : 'failed'
    default:
      return delaySec
  }
}
