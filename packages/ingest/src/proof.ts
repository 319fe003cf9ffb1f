import { emptyBars, TidegateError } from '@tidegate/core'
import type { Answer, Claim, Committed, FoundSplit } from '@tidegate/db'
import type { Asked } from './ask.ts'
import type { Origin } from './origin.ts'
import { type Overlap, overlapOf } from './overlap.ts'
import { type AgainOptions, isStill, NEAREST, probe } from './probe.ts'
import type { Place, Scales } from './scale.ts'
import { keptFrom } from './split.ts'
import type { IngestOptions } from './types.ts'

/** How long an answer waits for those of the chunks next to it, which may prove it without a request of its own. */
const BESIDE_MS = 5000
/** The bridge keeps answers for fifteen seconds: by then it asks anew. */
const STALE_MS = 16_000
/** How long a probe may take: whoever waits for it has an answer in hand, and a lease that runs. */
const PROBE_MS = 120_000

/** What is known of an answer once it was compared. */
export type Proven = Exclude<Overlap, { kind: 'unproven' }>

export interface ProofOptions extends Pick<IngestOptions, 'store' | 'relay' | 'now' | 'timeout'> {
  readonly origin: Origin
  readonly scales: Scales<Proven>
  readonly place: Place
  /** Aborts when nobody waits for this chunk any more. */
  readonly signal: AbortSignal
}

/**
 * Stores an answer that is of the scale of what is stored: readers never see two. It is by bars that both have, by bars that came
 * with another answer which was proven, or by stored bars that are asked for once more. Where nothing is stored that can
 * still be had, there is nothing to compare, and of several answers only one is the first. A split that shows is returned, and
 * nothing stored.
 */
export async function commitProven(
  claim: Claim,
  asked: Asked,
  answer: Answer,
  options: ProofOptions,
): Promise<Committed | { readonly found: FoundSplit }> {
  const { store, scales, now } = options
  const { window, series } = claim
  const note = () => {
    if (answer.bars.t.length > 0) scales.note(series.id, asked.whole, window)
  }
  for (;;) {
    const proof = await proofOf(claim, asked, answer, options)
    if (proof.kind === 'split') return { found: proof.found }
    const commit = () => store.commit(claim, { ...answer, corrections: proof.corrections }, secOf(now))
    if (proof.kind === 'agrees') {
      // Its neighbours need not wait until it is stored.
      note()
      return await commit()
    }
    const first = await scales.alone(series.id, async () =>
      (await nearOf(claim, options)).t.length === 0 ? commit() : undefined,
    )
    if (first?.held) note()
    if (first) return first
  }
}

/** `unproven`: nothing is stored that it could be compared with. */
async function proofOf(claim: Claim, asked: Asked, answer: Answer, options: ProofOptions): Promise<Overlap> {
  const { store, relay, now, timeout = (ms) => AbortSignal.timeout(ms), origin, scales, place, signal } = options
  const { id } = claim.series
  const tick = claim.instrument.details.minTick || 0
  const at = { nowSec: secOf(now), keptSec: await origin.keptSec() }
  const isNoted = () => scales.agrees(id, asked.whole, tick)
  const look = async (): Promise<Overlap> => {
    const overlap = await overlapOf(claim, asked, store, at)
    return overlap.kind === 'unproven' && isNoted() ? { ...overlap, kind: 'agrees' } : overlap
  }
  const seen = await look()
  if (seen.kind !== 'unproven') return seen
  // What brings nothing changes nothing.
  if (answer.bars.t.length + seen.corrections.t.length === 0) return { ...seen, kind: 'agrees' }
  const near = await nearOf(claim, options)
  if (near.t.length === 0) return { kind: 'unproven', corrections: emptyBars() }
  const again: AgainOptions = { relay, now, signal: timeout(PROBE_MS), admit: (simulated) => origin.admit(simulated) }
  let isSeen = false
  const proven = await scales.prove(id, {
    place,
    patience: timeout(BESIDE_MS),
    signal,
    isNoted,
    async look() {
      const found = await look()
      isSeen = found.kind !== 'unproven'
      return found.kind === 'unproven' ? undefined : found
    },
    probe: (turn) => probe(claim, { ...again, signal: timeout(PROBE_MS), near, turn, at }),
  })
  if (isSeen || proven.kind === 'split') return proven
  // What is stored was asked for after the answer came: that it is of one scale with it too has to be asked.
  if (await isStill(claim, asked, again)) return proven
  throw new TidegateError('busy', 'IBKR tells it anew since it was asked for: it is asked again.', {
    retryAfterMs: STALE_MS,
  })
}

/** Stored bars outside of the claim's window that IBKR can still be asked for. */
async function nearOf(claim: Claim, { store, now, origin }: ProofOptions) {
  const nowSec = secOf(now)
  const from = keptFrom(claim, nowSec, { keptSec: await origin.keptSec() }) ?? 0
  return store.nearest(claim.series.id, claim.window, { count: NEAREST, from })
}

function secOf(now: () => number): number {
  return Math.floor(now() / 1000)
}
