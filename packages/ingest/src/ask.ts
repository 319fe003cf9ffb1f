import {
  type BarColumns,
  barSize,
  barsWithin,
  durationFor,
  formatInstant,
  reachesByUnit,
  requestEnd,
  type SeriesShape,
  TidegateError,
  type Window,
  whatToShow,
} from '@tidegate/core'
import type { Claim } from '@tidegate/db'
import type { BarsAnswer, BarsRequest } from '@tidegate/relay'
import { checkedReply, firstBar, reaches } from './answer.ts'
import { specOf } from './planning.ts'
import { askable } from './resolve.ts'
import type { IngestOptions } from './types.ts'

/** How long a request may wait for its turn at the bridge, where what goes first comes before all of a backfill. */
const WAIT_MS: Readonly<Record<Claim['priority'], number>> = {
  interactive: 40_000,
  scheduled: 40_000,
  backfill: 20_000,
}
/** A request up to now goes out later than it is made, and by another clock: it is asked this much longer. */
const SLACK_SEC = 60
/** How many times as far back as needed is asked, one after the other, while an answer does not show that it is whole. */
const REACHES = [1, 2, 4]

/** How it is asked otherwise than the claim has it. */
export interface AskOptions {
  /** What is asked: the claim's window, and what is beside it. Default: the window. */
  readonly around?: Window
  /** Whether only what IBKR says from now on will do. Default: of what is collected again. */
  readonly isFresh?: boolean
  readonly priority?: Claim['priority']
  readonly waitMs?: number
}

export interface Asked {
  readonly reply: BarsAnswer
  /** Bars that start before are whole in the reply, epoch seconds. */
  readonly wholeUntil: number
  /** The bars of the reply that are whole for sure. */
  readonly whole: BarColumns
}

/**
 * Asks for the claim's window, as a part of `around`, until an answer shows that it reached the window's start: by its first bar, by
 * IBKR's own "no data", or because going further back brought nothing earlier, so that history begins there.
 * Throws `invalid` for a window that IBKR's longest duration does not reach, `internal` for answers that contradict
 * each other: what is not shown to be answered must not count as covered.
 */
export async function askWindow(
  claim: Claim,
  { relay, now }: Pick<IngestOptions, 'relay' | 'now'>,
  signal: AbortSignal,
  {
    around = claim.window,
    isFresh = claim.adjustmentId !== undefined,
    priority = claim.priority,
    waitMs = WAIT_MS[priority],
  }: AskOptions = {},
): Promise<Asked> {
  const spec = specOf(claim.series)
  const { contract } = claim.instrument.details
  const shape: SeriesShape = { spec, secType: contract.secType, hours: claim.series.hours }
  const nowSec = Math.floor(now() / 1000)
  const closed = requestEnd(around, shape)
  const end = closed !== undefined && closed < nowSec ? closed : undefined
  const asked: Window = { start: around.start, end: end ?? Math.max(nowSec + SLACK_SEC, claim.window.end) }
  let before: { readonly duration: string; readonly reply: BarsAnswer } | undefined
  // A second opinion is another question than the first.
  for (const reach of claim.doubts > 0 ? REACHES.slice(1) : REACHES) {
    const duration = durationFor(asked, shape, reach)
    if (duration === undefined) throw outOfReach(claim, asked)
    if (duration === before?.duration) break
    const request: BarsRequest = {
      contract: askable(claim.instrument),
      barSize: barSize(spec).text as BarsRequest['barSize'],
      whatToShow: whatToShow(spec.price, contract.secType) as BarsRequest['whatToShow'],
      hours: claim.series.hours,
      end,
      duration,
      ...(isFresh ? { fresh: true } : {}),
      ...{ priority, waitMs },
      caller: claim.runId,
    }
    const reply = checkedReply(await relay.bars(request, signal))
    if (before && firstBar(reply) > firstBar(before.reply)) throw contradiction(before.duration, duration)
    const answered = { start: claim.window.start, end: end ?? reply.done.asOf }
    const isWhole = reachesByUnit(duration, answered) || reaches(claim.window, reply)
    if (isWhole || (before && firstBar(reply) === firstBar(before.reply))) {
      const wholeUntil = end === undefined ? reply.done.asOf : around.end
      return { reply, wholeUntil, whole: wholeBars(reply, { start: around.start, end: wholeUntil }) }
    }
    before = { duration, reply }
  }
  throw new TidegateError(
    'internal',
    `The gateway's answers go back to ${before ? formatInstant(firstBar(before.reply)) : 'nowhere'}, and were to reach ` +
      `${formatInstant(claim.window.start)} with ${before?.duration}: it may be that they are not whole.`,
  )
}

/** Not a first bar before what was asked, for a duration may begin in its midst. */
function wholeBars(reply: BarsAnswer, asked: Window): BarColumns {
  const first = firstBar(reply)
  return barsWithin(reply.bars, { start: first < asked.start ? first + 1 : first, end: asked.end })
}

function contradiction(shorter: string, longer: string): TidegateError {
  return new TidegateError(
    'internal',
    `The gateway had earlier bars in ${shorter} than in ${longer}: its answer can't be trusted.`,
  )
}

function outOfReach({ series }: Claim, asked: Window): TidegateError {
  return new TidegateError(
    'invalid',
    `IBKR takes no duration from ${formatInstant(asked.end)} back to ${formatInstant(asked.start)} for ` +
      `${series.spec} of ${series.instrumentId}, which it answers up to now only: ask for a later start.`,
  )
}
