import {
  chunkSpanSec,
  formatSpec,
  halfSpanSec,
  halvesOf,
  isToNow,
  type SeriesShape,
  TidegateError,
  type Window,
} from '@tidegate/core'
import type { Claim } from '@tidegate/db'
import { plannable, specOf } from './planning.ts'
import { reachedFrom } from './reach.ts'
import { FORGET_SEC, knownSpans } from './spans.ts'
import type { IngestOptions } from './types.ts'

/** One request up to now is all there is of such a series: only what times out again and again is made shorter. */
const TO_NOW_TIMEOUTS = 3

/**
 * Puts two halves in the place of a chunk whose request timed out, to be asked in `delaySec`, and has later plans cut this
 * kind of series shorter: only where the chunk was as long as plans cut them now, for what a short one shows is not that
 * requests are too long. Of what IBKR answers up to now only, the older half can't be asked for by itself: after several
 * timeouts in a row the newer one is, and the older has failed. The ids of the chunks to be asked; an empty list when the fence is
 * no longer held; undefined for a chunk that is not to be halved.
 */
export async function halveChunk(
  claim: Claim,
  error: TidegateError,
  delaySec: number,
  { store, now, spans }: IngestOptions,
): Promise<readonly string[] | undefined> {
  if (error.kind !== 'timeout') return undefined
  const spec = specOf(claim.series)
  const { secType } = plannable(claim.instrument)
  const { hours } = claim.series
  const shape = { spec, secType, hours }
  const isOlderLost = isToNow(shape)
  const halves = isOlderLost ? reachesOf(claim, shape) : halvesOf(claim.window, shape)
  if (!halves) return undefined
  const nowSec = Math.floor(now() / 1000)
  const lengthSec = claim.window.end - claim.window.start
  const learned = { spec: formatSpec(spec), secType, hours }
  const spanSec = isOlderLost ? halfSpanSec(shape, lengthSec) : await shorterSec()
  const ids = await store.halve(claim, {
    halves,
    error: isOlderLost ? tooFar(error).toJSON() : error.toJSON(),
    now: nowSec,
    notBefore: nowSec + delaySec,
    learned: spanSec === undefined ? undefined : { ...learned, spanSec },
    forgottenBefore: nowSec - FORGET_SEC,
    isOlderLost,
  })
  return ids ?? []

  async function shorterSec(): Promise<number | undefined> {
    const spanSec = (await knownSpans(store, spans, nowSec))(shape)
    return 2 * lengthSec > spanSec ? halfSpanSec(shape, Math.min(lengthSec, chunkSpanSec(shape, spans))) : undefined
  }
}

/** What a request up to now reaches over, in two: the half that is given up, and the newer one, where that is a shorter request. */
function reachesOf(
  { window: { start, end }, failed, adjustmentId }: Claim,
  shape: SeriesShape,
): readonly [Window, Window] | undefined {
  const times = (failed?.kind === 'timeout' ? failed.times : 0) + 1
  // What a split changed is collected again as a whole, or not at all.
  if (times < TO_NOW_TIMEOUTS || adjustmentId !== undefined) return undefined
  const half = halfSpanSec(shape, end - start)
  const cut = half === undefined ? start : reachedFrom(end, half)
  return cut > start
    ? [
        { start, end: cut },
        { start: cut, end },
      ]
    : undefined
}

function tooFar({ message, code }: TidegateError): TidegateError {
  const why =
    'So long a request up to now was not answered in time, again and again: the newer half of it is asked for instead.'
  return new TidegateError('timeout', `${why} Ask for a later start, or for longer bars. (${message})`, { code })
}
