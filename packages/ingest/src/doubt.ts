import { TidegateError, toTidegateError, type Window, whatToShow } from '@tidegate/core'
import type { Claim } from '@tidegate/db'
import type { HeadRequest } from '@tidegate/relay'
import { specOf } from './planning.ts'
import { askable } from './resolve.ts'
import type { IngestOptions, WorkResult } from './types.ts'
import { urgencyOf } from './urgency.ts'

/** "No data" in the midst of a session is asked again after an hour, and up to so much later, lest all of an outage come back at once. */
const AGAIN = { leastSec: 3600, spreadSec: 600 }
const WAIT_MS = 20_000

/**
 * Whether a window that IBKR has nothing of lies before its first data, which is asked once a series: that is no reason for
 * doubt. False where IBKR does not say when its data begin.
 */
export async function isBeforeHead(
  { series, instrument, head, priority, runId }: Claim,
  window: Window | undefined,
  { store, relay, now, log }: IngestOptions,
  signal: AbortSignal,
): Promise<boolean> {
  if (head !== undefined || window === undefined) return false
  const { contract } = instrument.details
  let first: number
  try {
    first = await relay.head(
      {
        contract: askable(instrument),
        whatToShow: whatToShow(specOf(series).price, contract.secType) as HeadRequest['whatToShow'],
        hours: series.hours,
        priority,
        waitMs: WAIT_MS,
        caller: runId,
      },
      signal,
    )
  } catch (cause) {
    log.warn({ series: series.id, err: toTidegateError(cause) }, 'its first data could not be asked for')
    return false
  }
  await store.putHead(series.id, { head: first }, Math.floor(now() / 1000))
  return window.end <= first
}

/** Puts back a chunk of which IBKR said "no data" in the midst of a session, or of time whose sessions are not known: only a second time, an hour later, is that believed. */
export async function doubt(claim: Claim, { store, now, queue, random, log }: IngestOptions): Promise<WorkResult> {
  const retryAfterSec = Math.ceil(AGAIN.leastSec + AGAIN.spreadSec * random())
  const why = new TidegateError(
    'busy',
    'IBKR has no data where its sessions say that the market was open, or are not known: it is asked again in an hour.',
  )
  const notBefore = Math.floor(now() / 1000) + retryAfterSec
  if (!(await store.doubt(claim, why.toJSON(), notBefore))) return { outcome: 'nothing', written: 0 }
  log.info({ chunk: claim.chunkId, series: claim.series.id, retryAfterSec }, 'no data in a session: asked again later')
  await queue.send([claim.chunkId], retryAfterSec, urgencyOf(claim.priority))
  return { outcome: 'requeued', written: 0, retryAfterSec }
}
