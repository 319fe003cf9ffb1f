import {
  type BarColumns,
  type BarSpec,
  emptyBars,
  type Listed,
  settledPart,
  sliceBars,
  TidegateError,
  type Window,
} from '@tidegate/core'
import type { Answer } from '@tidegate/db'
import type { BarsAnswer } from '@tidegate/relay'

/** What a checked reply proves about a window. Nothing here asks or writes. */
export function answerFor(
  window: Window,
  spec: BarSpec,
  { secType, timeZoneId }: Listed,
  { bars, done }: BarsAnswer,
): Answer {
  const covered = settledPart(window, spec, { secType, timeZoneId, asOf: done.asOf, lastBar: bars.t.at(-1) })
  const final = covered ? within(bars, covered) : emptyBars()
  // Bars around a window that has none are IBKR's answer too, but empty is its own word alone.
  return { bars: final, state: done.empty ? 'empty' : 'filled', covered }
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
  const pick = <T>(column: readonly T[]) => order.map((i) => column[i] as T)
  return {
    t: pick(t),
    o: pick(bars.o),
    h: pick(bars.h),
    l: pick(bars.l),
    c: pick(bars.c),
    v: pick(bars.v),
    w: pick(bars.w),
    n: pick(bars.n),
  }
}

function within(bars: BarColumns, { start, end }: Window): BarColumns {
  let from = bars.t.findIndex((time) => time >= start)
  if (from < 0) from = bars.t.length
  let to = bars.t.length
  while (to > from && (bars.t[to - 1] ?? 0) >= end) to--
  return sliceBars(bars, from, to)
}
