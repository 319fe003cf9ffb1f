import { barSize, emptyBars, isClosed, TidegateError, toTidegateError } from '@tidegate/core'
import type { Claim } from '@tidegate/db'
import { judge } from './answer.ts'
import { askWindow } from './ask.ts'
import { doubt, isBeforeHead } from './doubt.ts'
import type { Origin } from './origin.ts'
import { windowAround } from './overlap.ts'
import { plannable, specOf } from './planning.ts'
import { commitProven, type Proven } from './proof.ts'
import { collect, openRestatement, settleCollecting } from './restate.ts'
import type { Scales } from './scale.ts'
import type { Calendars } from './sessions.ts'
import { MOST_ATTEMPTS, settleFailure } from './settling.ts'
import type { IngestOptions, WorkResult } from './types.ts'
import type { Underway } from './underway.ts'

/** Longer than the bridge's own request timeout and our patience together, three times: a living worker keeps its lease. */
const LEASE_SEC = 300
/** A worker hangs up before its lease is over, so that a bridge that hangs holds up nobody for ever. */
const ASK_MS = 270_000

/** What a venue's hours have to be known for waits so long for them, and so often in a row: of some IBKR may never tell them. */
const UNTOLD = { waitMs: 120_000, times: 20 }

interface Helpers {
  readonly origin: Origin
  readonly calendars: Calendars
  readonly underway: Underway
  readonly scales: Scales<Proven>
}

/** One chunk: claim it, ask for its window, check what came, commit. Whatever fails, the chunk's state says what happens next. */
export async function workChunk(
  chunkId: string,
  options: IngestOptions,
  { origin, calendars, underway, scales }: Helpers,
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
  const own = underway.begin(claim.runId)
  const place = scales.enter(claim.series.id, claim.window)
  // It may be that another process has found a split and put it back.
  if (claim.attempt > 1 || claim.adjustmentId !== undefined) scales.forget(claim.series.id)
  try {
    // A chunk that was the end of everybody who worked on it would be so for ever.
    if (claim.failed?.kind === 'internal' && claim.failed.times >= MOST_ATTEMPTS) throw deadly(claim.failed.times)
    await origin.check()
    const signal = AbortSignal.any([timeout(ASK_MS), own.signal])
    const sessions = await calendars.around(claim, signal)
    const spec = specOf(claim.series)
    if (sessions?.isUnasked && mayLeak(claim) && !hasWaited(claim)) throw untold()
    if (claim.adjustmentId === undefined && sessions && isClosed(claim.window, spec, sessions)) {
      // IBKR's own schedule is its word that there is nothing: it is not asked a second time.
      const { held } = await store.commit(
        claim,
        { bars: emptyBars(), state: 'empty', covered: claim.window },
        nowSec(now),
      )
      if (held) log.info(about, 'chunk committed: the market was closed')
      return { outcome: held ? 'done' : 'nothing', written: 0 }
    }
    const around = await windowAround(claim, store, nowSec(now), options.spans)
    const asked = await askWindow(claim, options, signal, { around })
    const { reply } = asked
    const { hours } = claim.series
    const { answer, leaked, isUntold, isDoubtful } = judge(
      { ...claim, spec, hours, listed: { ...plannable(claim.instrument), sessions } },
      reply,
    )
    await origin.admit(reply.done.simulated)
    if (isUntold) calendars.renew(claim)
    if (leaked > 0) log.warn({ ...about, leaked }, 'bars outside of regular hours were left out')
    if (claim.adjustmentId !== undefined) return await collect(claim, answer, options)
    if (isDoubtful && !(await isBeforeHead(claim, answer.covered, options, signal))) return await doubt(claim, options)
    const committed = await commitProven(claim, asked, answer, { ...options, origin, scales, place, signal })
    if ('found' in committed) {
      scales.forget(claim.series.id)
      return await openRestatement(claim, committed.found, options)
    }
    const { held, written, restated } = committed
    if (!held) return { outcome: 'nothing', written: 0 }
    const told = { bars: answer.bars.t.length, written, restated, state: answer.state, flagged: answer.flags?.length }
    log.info({ ...about, ...told }, 'chunk committed')
    return { outcome: 'done', written }
  } catch (cause) {
    if (own.signal.aborted) {
      log.info(about, 'its run was cancelled: hung up')
      return { outcome: 'nothing', written: 0 }
    }
    const error = toTidegateError(cause)
    const failure = { ...about, kind: error.kind, code: error.code, attempt: claim.attempt }
    // Not a failure: of what goes slowly every chunk is told so, again and again.
    if (error.kind === 'busy') log.info({ ...failure, retryAfterMs: error.retryAfterMs }, 'chunk waits for its turn')
    else log.warn({ ...failure, err: error }, 'chunk failed')
    if (claim.adjustmentId !== undefined) return await settleCollecting(claim, error, options)
    return await settleFailure(claim, error, options)
  } finally {
    place.leave()
    own.end()
  }
}

/** Whether other hours may come among regular ones: gateways leak them into durations of seconds (ibkr-rules, "Bar size and duration"). */
function mayLeak({ series }: Claim): boolean {
  return series.hours === 'regular' && barSize(specOf(series)).sec < 60
}

function hasWaited({ failed }: Claim): boolean {
  return failed?.kind === 'farm-down' && failed.times >= UNTOLD.times
}

function untold(): TidegateError {
  return new TidegateError(
    'farm-down',
    'The schedule of its venue could not be asked for, without which nobody can tell which bars are of regular hours: it is asked again.',
    { retryAfterMs: UNTOLD.waitMs },
  )
}

function deadly(times: number): TidegateError {
  return new TidegateError('internal', `Whoever worked on this chunk ended without a word, ${times} times in a row.`)
}

function nowSec(now: () => number): number {
  return Math.floor(now() / 1000)
}
