import {
  type BarColumns,
  COLUMNS,
  type Comparison,
  isToNow,
  pickBars,
  positionAt,
  reachSec,
  unavailableFor,
} from '@tidegate/core'
import type { Claim, FoundSplit } from '@tidegate/db'
import { plannable, specOf } from './planning.ts'

const DAY_SEC = 86_400
/** Ratios measured of rounded prices differ by less; two splits by more. */
const SAME_RATIO = 0.002

export interface Now {
  /** Epoch seconds. */
  readonly nowSec: number
  /** By which clock IBKR's rules of what it keeps go, epoch seconds (`Origin.keptSec`). */
  readonly keptSec: number
}

interface Both {
  readonly stored: BarColumns
  readonly came: BarColumns
}

/**
 * What is to be collected again after stored bars differ from those that came. All that is stored is of one scale, so it is
 * all of it, up to where bars agree, which a dividend does not tell. Undefined where nothing of it can be had any more.
 */
export function splitOf(
  claim: Claim,
  compared: Exclude<Comparison, { kind: 'same' }>,
  { stored, came }: Both,
  now: Now,
): FoundSplit | undefined {
  const isWhole = isToNow({ spec: specOf(claim.series), secType: claim.instrument.details.contract.secType })
  const agreesFrom = compared.kind === 'split' && !isWhole ? compared.agreesFrom : undefined
  const since = keptFrom(claim, agreesFrom ?? now.nowSec, now)
  if (since !== undefined && since >= (agreesFrom ?? now.nowSec)) return undefined
  const ratio = compared.kind === 'split' ? compared.ratio : ratioAt(stored, came, compared.at.at(-1) ?? 0)
  return { ratio, since, before: agreesFrom }
}

/** From where on bars before `before` can be had again, epoch seconds, with a day to spare; undefined: all of them. */
export function keptFrom(
  { instrument, series }: Pick<Claim, 'instrument'> & { readonly series: Pick<Claim['series'], 'spec' | 'hours'> },
  before: number,
  { keptSec }: Pick<Now, 'keptSec'>,
): number | undefined {
  const want = { ...plannable(instrument), spec: specOf(series), hours: series.hours }
  const old = unavailableFor(want, { start: 0, end: before }, keptSec).flatMap(({ windows }) => windows)
  const ends = old.filter(({ start }) => start === 0).map(({ end }) => end + DAY_SEC)
  if (isToNow(want)) ends.push(keptSec - reachSec(want) + DAY_SEC)
  const since = Math.max(...ends)
  return since > 0 ? Math.ceil(since / DAY_SEC) * DAY_SEC : undefined
}

/** Whether two measured ratios are of one split. */
export function isSameRatio(one: number, other: number): boolean {
  return Math.abs(one / other - 1) <= SAME_RATIO
}

function ratioAt(stored: BarColumns, came: BarColumns, t: number): number {
  const [old, now] = [stored.c[stored.t.indexOf(t)], came.c[came.t.indexOf(t)]]
  return old && now ? now / old : 1
}

/** The bars that came and are stored otherwise, be it in their volume alone. */
export function differing(stored: BarColumns, came: BarColumns): BarColumns {
  const positions = stored.t.flatMap((t, i) => {
    const j = positionAt(came, t)
    return j !== undefined && COLUMNS.some((key) => stored[key][i] !== came[key][j]) ? [j] : []
  })
  return pickBars(came, positions)
}
