import {
  type BarColumns,
  type BarSpec,
  barsWithin,
  emptyBars,
  type Hours,
  isOpenIn,
  type Listed,
  pickBars,
  settledPart,
  subtract,
  TidegateError,
  type Window,
} from '@tidegate/core'
import type { Answer, Claim } from '@tidegate/db'
import type { BarsAnswer } from '@tidegate/relay'
import { flagsOf, withinHours } from './check.ts'

/** What is asked and what is known of it. */
export interface Question extends Pick<Claim, 'window' | 'doubts' | 'head'> {
  readonly spec: BarSpec
  readonly hours: Hours
  readonly listed: Listed
}

export interface Judgement {
  readonly answer: Answer
  /** Bars that were left out because they are of other hours. */
  readonly leaked: number
  /** Bars were left for later, of which the schedule as it was asked for does not say whether they belong to its hours. */
  readonly isUntold: boolean
  /**
   * IBKR said "no data" for the first time, where its own sessions say that the market was open, or where they could not be
   * asked for: it is to be asked again.
   */
  readonly isDoubtful: boolean
}

/** What a checked reply proves about a window. Nothing here asks or writes. */
export function judge({ window, spec, hours, listed, doubts, head }: Question, { bars, done }: BarsAnswer): Judgement {
  const { sessions } = listed
  const kept = withinHours(bars, spec, hours, sessions)
  const settled = settledPart(window, spec, { ...listed, asOf: done.asOf, lastBar: kept.bars.t.at(-1) })
  const covered = settled && before(settled, kept.openFrom)
  const final = covered ? barsWithin(kept.bars, covered) : emptyBars()
  const isBare = covered !== undefined && final.t.length === 0
  const isKnowable = isBare && sessions !== undefined && covered.end > (head ?? 0)
  const isMissed = isKnowable && isOpenIn(covered, spec, sessions)
  const isUnknown = isKnowable && subtract([covered], sessions.known).length > 0
  // Bars around a window that has none are IBKR's answer too, but empty is its own word alone: now, or before.
  const isEmpty = done.empty || (isBare && doubts > 0)
  return {
    answer: {
      bars: final,
      state: isEmpty ? 'empty' : 'filled',
      covered,
      flags: flagsOf(final, spec, sessions),
      isConfirmed: isMissed && isEmpty && doubts > 0,
    },
    leaked: kept.leaked,
    isUntold: kept.openFrom < Number.POSITIVE_INFINITY,
    isDoubtful: (isMissed || isUnknown) && done.empty && doubts === 0,
  }
}

function before({ start, end }: Window, sec: number): Window | undefined {
  return start < sec ? { start, end: Math.min(end, sec) } : undefined
}

/**
 * The reply with its bars in order of time, each once. Throws `internal` for one that has no bars without IBKR's word
 * that there are none, or bars in spite of it: a failure never looks like no data.
 */
export function checkedReply(reply: BarsAnswer): BarsAnswer {
  const { bars, done } = reply
  if (done.empty !== (bars.t.length === 0)) {
    throw new TidegateError(
      'internal',
      done.empty
        ? `The bridge sent ${bars.t.length} bars and said that there are none.`
        : 'The bridge sent no bars and did not say that there are none.',
    )
  }
  return { bars: ordered(bars), done }
}

/** Start of a reply's first bar, epoch seconds; later than any where it has none. */
export function firstBar(reply: BarsAnswer): number {
  return reply.bars.t[0] ?? Number.POSITIVE_INFINITY
}

/**
 * Whether the reply shows that it reached back to the window's start: it holds a bar from there or before.
 * IBKR's own "no data" reaches by its meaning.
 */
export function reaches(window: Window, reply: BarsAnswer): boolean {
  return reply.done.empty || firstBar(reply) <= window.start
}

/** The bars in order of time, each once; where a reply repeats a bar, the later one stands, as in the gateway's own updates. */
function ordered(bars: BarColumns): BarColumns {
  const { t } = bars
  if (t.every((time, i) => i === 0 || time > (t[i - 1] ?? 0))) return bars
  const last = new Map(t.map((time, i) => [time, i]))
  const order = [...last.keys()].sort((a, b) => a - b).map((time) => last.get(time) ?? 0)
  return pickBars(bars, order)
}
