import {
  type BarColumns,
  barSize,
  barsWithin,
  chunkSpanSec,
  compareBars,
  gridSec,
  isToNow,
  keepBars,
  sliceBars,
  TidegateError,
} from '@tidegate/core'
import type { Claim } from '@tidegate/db'
import { type Asked, askWindow } from './ask.ts'
import { type Overlap, shapeOf } from './overlap.ts'
import { differing, type Now, splitOf } from './split.ts'
import type { IngestOptions } from './types.ts'

/** More than a split of any ratio takes to be known; and so many different ones in turn, for IBKR takes none twice within 15 seconds. */
const PROBE_BARS = 8
const PROBES = 8
/** How many stored bars on either side of a window are chosen from. */
export const NEAREST = PROBE_BARS * PROBES
/** An answer waits for it: it goes before others, and waits longer than they do. */
const WAIT_MS = 60_000

export interface AgainOptions extends Pick<IngestOptions, 'relay' | 'now'> {
  readonly signal: AbortSignal
  /** Throws for an answer of another origin than what is stored. */
  admit(simulated: boolean): Promise<void>
}

export interface ProbeOptions extends AgainOptions {
  /** Stored bars next to the claim's window, on either side, in order. */
  readonly near: BarColumns
  /** Counts the probes of this series. */
  readonly turn: number
  readonly at: Now
}

/**
 * Asks some bars that are stored once more, and compares: whether what IBKR says now is of the scale of what is stored. Bars that
 * differ one by one are corrections; where all of them do, the series is told anew. Throws `internal` where IBKR has none of
 * them any more: then nothing is known.
 */
export async function probe(
  claim: Claim,
  { near, turn, at, ...options }: ProbeOptions,
): Promise<Exclude<Overlap, { kind: 'unproven' }>> {
  const shape = shapeOf(claim)
  for (const stored of samplesOf(near, claim, turn)) {
    const came = await askAgain(claim, stored, options)
    const compared = compareBars(stored, came, claim.instrument.details.minTick || 0)
    const corrections = differing(stored, came)
    if (compared.kind === 'split' || (compared.kind === 'changed' && (isToNow(shape) || compared.agreeing === 0))) {
      const found = splitOf(claim, compared, { stored, came }, at)
      return found ? { kind: 'split', found } : { kind: 'agrees', corrections }
    }
    if (compared.agreeing > 0) return { kind: 'agrees', corrections }
  }
  throw new TidegateError(
    'internal',
    'IBKR has none of the bars that are stored nearby any more: whether a split lies between them and what came can not be told.',
  )
}

/**
 * Whether IBKR still says of some bars of an answer what it said in it. A probe of what is stored proves only what comes since: an
 * answer may be of before a split that has been told since, or of one that was taken back, and this proves that it is not.
 */
export async function isStill(claim: Claim, { whole }: Asked, options: AgainOptions): Promise<boolean> {
  const bars = barsWithin(whole, claim.window)
  const some = within(sliceBars(bars, Math.max(0, bars.t.length - PROBE_BARS), bars.t.length), claim)
  const compared = compareBars(some, await askAgain(claim, some, options), claim.instrument.details.minTick || 0)
  return compared.kind !== 'split' && compared.agreeing > 0
}

/** What IBKR says of these bars from now on. */
async function askAgain(
  claim: Claim,
  bars: BarColumns,
  { signal, admit, ...options }: AgainOptions,
): Promise<BarColumns> {
  const { spec } = shapeOf(claim)
  const [first = 0] = bars.t
  const window = { start: first, end: (bars.t.at(-1) ?? 0) + gridSec(spec) }
  // A bar more, so that none of these can be cut by the beginning of what is asked.
  const around = { start: first - barSize(spec).sec, end: window.end }
  const how = { isFresh: true, priority: 'interactive', waitMs: WAIT_MS } as const
  const asked = await askWindow({ ...claim, window, doubts: 0 }, options, signal, { around, ...how })
  await admit(asked.reply.done.simulated)
  return asked.whole
}

/** Those of the bars that one request asks for, the newest first of all. */
function within(bars: BarColumns, claim: Claim): BarColumns {
  const last = bars.t.at(-1) ?? 0
  const spanSec = chunkSpanSec(shapeOf(claim))
  return keepBars(bars, (t) => t > last - spanSec)
}

/** The stored bars to ask for, on the nearer side of the window first: some next to it, within what one request asks. */
function samplesOf(near: BarColumns, claim: Claim, turn: number): BarColumns[] {
  const { start, end } = claim.window
  const before = keepBars(near, (t) => t < start)
  const after = keepBars(near, (t) => t >= end)
  const isAfterFirst =
    (after.t[0] ?? Number.POSITIVE_INFINITY) - end < start - (before.t.at(-1) ?? Number.NEGATIVE_INFINITY)
  const sides = [
    {
      bars: before,
      takes: (from: number) =>
        sliceBars(before, Math.max(0, before.t.length - from - PROBE_BARS), before.t.length - from),
    },
    { bars: after, takes: (from: number) => sliceBars(after, from, from + PROBE_BARS) },
  ]
  return (isAfterFirst ? sides.toReversed() : sides).flatMap(({ bars, takes }) => {
    const all = bars.t.length
    if (all === 0) return []
    return [within(takes((turn % Math.ceil(all / PROBE_BARS)) * PROBE_BARS), claim)]
  })
}
