import { formatInstant, parseInstant, parseSpec, settledPart } from '@tidegate/core'
import type { PlanAnswer } from '@tidegate/functions'

/** How far behind ours a gateway's clock may be. */
const CLOCK_SLACK_SEC = 300
/** What is final last of all: a future, whose days are settled late, where on earth a date ends last. */
const LATEST = { secType: 'FUT', timeZoneId: '' } as const

export type SeriesKey = Pick<PlanAnswer['series'][number], 'instrumentId' | 'spec' | 'hours'>
export type Gap = PlanAnswer['series'][number]['gaps'][number]

/** What of a series is not covered. */
export interface Left {
  readonly key: SeriesKey
  readonly gaps: readonly Gap[]
  /** Silence at the newest end that is too fresh to be believed. */
  readonly pending: readonly Gap[]
  /** What closing the gaps takes; 0 where there are none. */
  readonly requests: number
}

/**
 * What is not covered of those series of a plan that have the `keys`, each up to the end, epoch seconds, that `until` has
 * for it. `nowSec` tells which silence is fresh.
 */
export function leftOf(
  plan: PlanAnswer,
  keys: ReadonlySet<string>,
  until: ReadonlyMap<string, number>,
  nowSec: number,
): Left[] {
  return plan.series.flatMap(({ instrumentId, spec, hours, gaps, requests }) => {
    const key = { instrumentId, spec, hours }
    if (!keys.has(keyOf(key))) return []
    const end = until.get(keyOf(key)) ?? Number.NEGATIVE_INFINITY
    const clipped = gaps.flatMap((gap) => {
      const gapEnd = Math.min(parseInstant(gap.end), end)
      return parseInstant(gap.start) < gapEnd ? [{ start: gap.start, end: formatInstant(gapEnd) }] : []
    })
    const believed = believedUntil(spec, nowSec)
    const missing = clipped.filter((gap) => parseInstant(gap.start) < believed)
    const pending = clipped.filter((gap) => parseInstant(gap.start) >= believed)
    return [{ key, gaps: missing, pending, requests: missing.length > 0 ? requests : 0 }]
  })
}

/** From when on a gateway's silence proves nothing yet, epoch seconds; as if its clock were a little behind ours. */
function believedUntil(spec: string, nowSec: number): number {
  const asOf = Math.floor(nowSec) - CLOCK_SLACK_SEC
  return settledPart({ start: 0, end: asOf }, parseSpec(spec), { ...LATEST, asOf, lastBar: undefined })?.end ?? 0
}

/** How far each series of a plan that has one of the `keys` can be had as of now, exclusive, epoch seconds. */
export function endsOf({ series }: PlanAnswer, keys: ReadonlySet<string>): Map<string, number> {
  const ends = series.map(({ wanted, ...key }) => [keyOf(key), wanted ? parseInstant(wanted.end) : undefined] as const)
  return new Map(ends.flatMap(([key, end]) => (end !== undefined && keys.has(key) ? [[key, end]] : [])))
}

export function isOpen(left: readonly Left[]): boolean {
  return left.some(({ gaps }) => gaps.length > 0)
}

export function keyOf({ instrumentId, spec, hours }: SeriesKey): string {
  return `${instrumentId} ${spec} ${hours}`
}
