import { chunksOf, compareBars, isToNow, TidegateError, type Window } from '@tidegate/core'
import type { Adjustment, Answer, Claim, Collecting, FoundSplit } from '@tidegate/db'
import { deliver } from './dispatch.ts'
import { shapeOf } from './overlap.ts'
import { openRun } from './run.ts'
import { settleFailure } from './settling.ts'
import { askSiblings } from './siblings.ts'
import { knownSpans } from './spans.ts'
import { isSameRatio } from './split.ts'
import type { IngestOptions, WorkResult } from './types.ts'

/** How long a window is left alone after collecting it again failed, was parked or cancelled. */
const GIVEN_UP_SEC = 3600
/**
 * So often in a row a window fails, or IBKR has nothing of it, before it can't be collected again: half a day of failures, or four
 * times "no data", each an hour after the last.
 */
const MOST_ROUNDS = { failed: 12, refused: 2 }
/** IBKR's servers need not turn at one instant: an answer that is still of before the split is asked for again, so often, so late. */
const STILL_OLD = { attempts: 3, afterMs: 45_000 }
/** What was put back because an adjustment has just been put in place is sent again after this: until then none is opened. */
const AGAIN_SEC = 61

/** Notes the split that an answer shows, and asks for what it changed. The chunk waits until that is in place. */
export async function openRestatement(claim: Claim, found: FoundSplit, options: IngestOptions): Promise<WorkResult> {
  const { store, queue, log } = options
  const { held, adjustmentId } = await store.openAdjustment(claim, found, nowSec(options))
  if (!held) return { outcome: 'nothing', written: 0 }
  if (adjustmentId === undefined) await queue.send([claim.chunkId], AGAIN_SEC)
  if (adjustmentId !== undefined) {
    const { id, instrumentId, spec } = claim.series
    log.warn(
      { series: id, instrument: instrumentId, spec, adjustment: adjustmentId, ...found },
      'a split: what it changed is collected again',
    )
  }
  await settleAdjustments(options)
  return { outcome: 'requeued', written: 0 }
}

/** Puts what a chunk of an adjustment brought beside what readers see; all of it in its place, once it was the last. */
export async function collect(claim: Claim, { bars, covered }: Answer, options: IngestOptions): Promise<WorkResult> {
  const { store, log } = options
  const { window, series } = claim
  if (covered?.start !== window.start || covered.end !== window.end) {
    throw new TidegateError('internal', 'What is collected again after a split did not come whole: it is asked again.')
  }
  const stored = await store.bars(series.id, window, 1_000_000)
  if (stored.t.length > 0 && bars.t.length === 0) {
    throw new TidegateError(
      'not-found',
      `IBKR has nothing of a window of which ${stored.t.length} bars are stored: they can't be collected again after a split.`,
    )
  }
  const compared = compareBars(stored, bars, claim.instrument.details.minTick || 0)
  const isPart = !isToNow(shapeOf(claim))
  const isOld =
    isPart &&
    ((compared.kind === 'same' && compared.agreeing > 0) ||
      (compared.kind === 'split' && compared.agreesFrom !== undefined))
  if (isOld && claim.attempt <= STILL_OLD.attempts) {
    throw new TidegateError('busy', 'IBKR still tells this window as before the split: it is asked again.', {
      retryAfterMs: STILL_OLD.afterMs,
    })
  }
  if (isOld || (isPart && compared.kind === 'split' && (await isAnother(claim, compared.ratio, options)))) {
    // What was collected before is of another scale than this: all of it is asked once more.
    await store.abandonAdjustment(claim.adjustmentId ?? 0, nowSec(options))
    log.warn({ series: series.id, adjustment: claim.adjustmentId }, 'another split while the last was collected')
    await deliver(options)
    return { outcome: 'nothing', written: 0 }
  }
  if (!(await store.stage(claim, bars, nowSec(options)))) return { outcome: 'nothing', written: 0 }
  log.info({ chunk: claim.chunkId, series: series.id, bars: bars.t.length }, 'collected again')
  await settleAdjustments(options)
  return { outcome: 'done', written: bars.t.length }
}

/**
 * Says of a chunk of an adjustment what its failure means. A window that can't be had again for good is left as it was, with all
 * that is older: the rest is put in place without it.
 */
export async function settleCollecting(
  claim: Claim,
  error: TidegateError,
  options: IngestOptions,
): Promise<WorkResult> {
  const { store, log } = options
  const { adjustmentId = 0, series, window } = claim
  const result = await settleFailure(claim, error, options)
  if (result.outcome !== 'failed' && result.outcome !== 'parked') return result
  const became = await store.narrowAdjustment(adjustmentId, window, MOST_ROUNDS, nowSec(options))
  if (!became) return result
  log.warn({ series: series.id, adjustment: adjustmentId, window, became }, "what can't be had again stays as it was")
  await settleAdjustments(options)
  await deliver(options)
  return result
}

/** Gives up an adjustment by hand. */
export async function abandon(id: number, options: IngestOptions): Promise<Adjustment | undefined> {
  const { store, log } = options
  if (await store.abandonAdjustment(id, nowSec(options), { leaving: true })) {
    log.warn({ adjustment: id }, 'given up by hand: what is stored stays as it was')
    await deliver(options)
  }
  return (await store.adjustments({ id, limit: 1 }))[0]
}

async function isAnother(claim: Claim, ratio: number, options: IngestOptions): Promise<boolean> {
  const mine = (await options.store.collecting(nowSec(options))).find(({ id }) => id === claim.adjustmentId)
  return mine !== undefined && !isSameRatio(ratio, mine.ratio)
}

/**
 * Takes every adjustment as far as it goes: asks for what is missing and not asked for, or puts it in place. Safe to repeat;
 * one query where nothing is collected.
 */
export async function settleAdjustments(options: IngestOptions): Promise<void> {
  const { store, log } = options
  const open = await store.collecting(nowSec(options) - GIVEN_UP_SEC)
  if (open.length === 0) return
  const spanOf = await knownSpans(store, options.spans, nowSec(options))
  for (const adjustment of open) {
    await askSiblings(adjustment, options)
    const windows = await store.holding(adjustment.series.id, windowsOf(adjustment, spanOf))
    if (windows.length === 0) continue
    const chunks = windows.toReversed().map((window) => ({ seriesId: adjustment.series.id, window }))
    const run = { source: 'adjustment', priority: 'scheduled', adjustmentId: adjustment.id } as const
    await openRun({ ...run, chunks, remaining: 0 }, options)
  }
  const applied = await store.applyAdjustments(nowSec(options))
  if (applied === 0) return
  log.info({ adjustments: applied }, 'what splits changed is in place')
  await deliver(options)
}

/** What is missing, cut as requests can be; of what IBKR answers up to now only, one window from the first of it. */
function windowsOf(adjustment: Collecting, spanOf: Awaited<ReturnType<typeof knownSpans>>): Window[] {
  const { missing } = adjustment
  const shape = shapeOf(adjustment)
  const [first] = missing
  const last = missing.at(-1)
  if (!first || !last) return []
  return isToNow(shape) ? [{ start: first.start, end: last.end }] : chunksOf(missing, spanOf(shape))
}

function nowSec({ now }: Pick<IngestOptions, 'now'>): number {
  return Math.floor(now() / 1000)
}
