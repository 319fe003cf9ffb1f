import { emptyBars, isClosed, recoveryOf, TidegateError, toTidegateError } from '@tidegate/core'
import type { Claim } from '@tidegate/db'
import { judge } from './answer.ts'
import { askWindow } from './ask.ts'
import { halveChunk } from './halving.ts'
import type { Origin } from './origin.ts'
import { plannable, specOf } from './planning.ts'
import type { Calendars } from './sessions.ts'
import type { IngestOptions, WorkResult } from './types.ts'

/** Longer than the bridge's own request timeout and our patience together, three times: a living worker keeps its lease. */
const LEASE_SEC = 300
/** A worker hangs up before its lease is over, so that a bridge that hangs holds up nobody for ever. */
const ASK_MS = 270_000
/** A `not-found` is asked again once after this long: IBKR answers 200 falsely during outages. */
const SECOND_LOOK_SEC = 3600
/** And "no data" in the midst of a session, up to so much later, lest all of an outage come back at once. */
const SECOND_OPINION = { leastSec: 3600, spreadSec: 600 }
const BACKOFF = { firstSec: 2, mostSec: 300 }
const MOST_ATTEMPTS = 5

/** One chunk: claim it, ask for its window, check what came, commit. Whatever fails, the chunk's state says what happens next. */
export async function workChunk(
  chunkId: string,
  options: IngestOptions,
  { origin, calendars }: { readonly origin: Origin; readonly calendars: Calendars },
): Promise<WorkResult> {
  const { store, now, log, timeout = (ms) => AbortSignal.timeout(ms) } = options
  const claim = await store.claim(chunkId, { now: nowSec(now), leaseSec: LEASE_SEC })
  if (!claim) return { outcome: 'nothing', written: 0 }
  const about = {
    chunk: chunkId,
    series: claim.series.id,
    instrument: claim.series.instrumentId,
    spec: claim.series.spec,
  }
  try {
    await origin.check()
    const signal = timeout(ASK_MS)
    const sessions = await calendars.around(claim, signal)
    const spec = specOf(claim.series)
    if (sessions && isClosed(claim.window, spec, sessions)) {
      // IBKR's own schedule is its word that there is nothing: it is not asked a second time.
      const { held } = await store.commit(
        claim,
        { bars: emptyBars(), state: 'empty', covered: claim.window },
        nowSec(now),
      )
      if (held) log.info(about, 'chunk committed: the market was closed')
      return { outcome: held ? 'done' : 'nothing', written: 0 }
    }
    const reply = await askWindow(claim, options, signal)
    const { hours } = claim.series
    const { answer, leaked, isDoubtful } = judge(
      { ...claim, spec, hours, listed: { ...plannable(claim.instrument), sessions } },
      reply,
    )
    await origin.admit(reply.done.simulated)
    if (leaked > 0) log.warn({ ...about, leaked }, 'bars outside of regular hours were left out')
    if (isDoubtful) return await doubt(claim, options)
    const { held, written, restated } = await store.commit(claim, answer, nowSec(now))
    if (!held) return { outcome: 'nothing', written: 0 }
    const told = { bars: answer.bars.t.length, written, restated, state: answer.state, flagged: answer.flags?.length }
    log.info({ ...about, ...told }, 'chunk committed')
    return { outcome: 'done', written }
  } catch (cause) {
    const error = toTidegateError(cause)
    log.warn({ ...about, kind: error.kind, code: error.code, attempt: claim.attempt, err: error }, 'chunk failed')
    return settleFailure(claim, error, options)
  }
}

/** Puts back a chunk of which IBKR said "no data" in the midst of a session: only a second time, an hour later, is that believed. */
async function doubt(claim: Claim, { store, now, queue, random, log }: IngestOptions): Promise<WorkResult> {
  const retryAfterSec = Math.ceil(SECOND_OPINION.leastSec + SECOND_OPINION.spreadSec * random())
  const why = new TidegateError(
    'busy',
    'IBKR has no data where its sessions say that the market was open: it is asked again in an hour.',
  )
  if (!(await store.doubt(claim, why.toJSON(), nowSec(now) + retryAfterSec))) return { outcome: 'nothing', written: 0 }
  log.info({ chunk: claim.chunkId, series: claim.series.id, retryAfterSec }, 'no data in a session: asked again later')
  await queue.send([claim.chunkId], retryAfterSec)
  return { outcome: 'requeued', written: 0, retryAfterSec }
}

async function settleFailure(claim: Claim, error: TidegateError, options: IngestOptions): Promise<WorkResult> {
  const { store, now, queue } = options
  const failure = { written: 0, error: error.toJSON() }
  const giveUp = async (state: 'failed' | 'parked'): Promise<WorkResult> =>
    (await store.giveUp(claim, state, error.toJSON(), nowSec(now)))
      ? { outcome: state, ...failure }
      : { outcome: 'nothing', ...failure }
  const delaySec = retryDelaySec(claim.failed, error, options.random)
  if (delaySec === 'failed' || delaySec === 'parked') return giveUp(delaySec)
  const halves = await halveChunk(claim, error, delaySec, options)
  if (halves) {
    if (halves.length > 0) await queue.send(halves, delaySec)
    return halves.length > 0
      ? { outcome: 'requeued', retryAfterSec: delaySec, ...failure }
      : { outcome: 'nothing', ...failure }
  }
  const held = await store.requeue(claim, error.toJSON(), nowSec(now) + delaySec)
  if (!held) return { outcome: 'nothing', ...failure }
  await queue.send([claim.chunkId], delaySec)
  return { outcome: 'requeued', retryAfterSec: delaySec, ...failure }
}

/**
 * When to try again after a failure, seconds, or how the chunk ends instead; the error's kind alone decides, and how
 * often in a row the chunk has failed with it. `failed` is its last failure before this one.
 */
export function retryDelaySec(
  failed: Claim['failed'],
  error: TidegateError,
  random: () => number,
): number | 'failed' | 'parked' {
  const times = (failed?.kind === error.kind ? failed.times : 0) + 1
  const backoffSec = Math.min(BACKOFF.firstSec * 2 ** (times - 1), BACKOFF.mostSec) * (0.5 + random() / 2)
  const delaySec = Math.ceil(Math.max(backoffSec, (error.retryAfterMs ?? 0) / 1000))
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

function nowSec(now: () => number): number {
  return Math.floor(now() / 1000)
}
