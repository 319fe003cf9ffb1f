import { chunkSpanSec, formatSpec, halfSpanSec, halvesOf, type TidegateError } from '@tidegate/core'
import type { Claim } from '@tidegate/db'
import { plannable, specOf } from './planning.ts'
import { FORGET_SEC, knownSpans } from './spans.ts'
import type { IngestOptions } from './types.ts'

/**
 * Puts two halves in the place of a chunk whose request timed out, to be asked in `delaySec`, and has later plans cut this
 * kind of series shorter: only where the chunk was as long as plans cut them now, for what a short one shows is not that
 * requests are too long. The chunks' ids; an empty list when the fence is no longer held; undefined for a chunk that is not
 * to be halved.
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
  const halves = halvesOf(claim.window, shape)
  if (!halves) return undefined
  const nowSec = Math.floor(now() / 1000)
  const spanSec = (await knownSpans(store, spans, nowSec))(shape)
  const lengthSec = claim.window.end - claim.window.start
  const half = halfSpanSec(shape, Math.min(lengthSec, chunkSpanSec(shape, spans)))
  const ids = await store.halve(claim, {
    halves,
    error: error.toJSON(),
    now: nowSec,
    notBefore: nowSec + delaySec,
    learned:
      half !== undefined && 2 * lengthSec > spanSec
        ? { spec: formatSpec(spec), secType, hours, spanSec: half }
        : undefined,
    forgottenBefore: nowSec - FORGET_SEC,
  })
  return ids ?? []
}
