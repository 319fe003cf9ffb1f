import { chunkSpanSec, formatSpec, type SeriesShape, type Spans } from '@tidegate/core'
import type { LearnedSpan, Store } from '@tidegate/db'

/** What timeouts have taught is forgotten after this long: the gateway may have had bad days. */
export const FORGET_SEC = 30 * 86_400

/** How long one request of a series may be, seconds. */
export type SpanOf = (shape: SeriesShape) => number

/** Spans as the setting has them, shortened to what was learned from requests that timed out. One query. */
export async function knownSpans(store: Store, spans: Spans | undefined, nowSec: number): Promise<SpanOf> {
  const learned = await store.spans(nowSec - FORGET_SEC)
  const known = new Map(learned.map((one) => [keyOf(one), one.spanSec]))
  return (shape) => {
    const { secType, hours } = shape
    const most = known.get(keyOf({ spec: formatSpec(shape.spec), secType, hours }))
    return Math.min(chunkSpanSec(shape, spans), most ?? Number.POSITIVE_INFINITY)
  }
}

function keyOf({ spec, secType, hours }: Omit<LearnedSpan, 'spanSec'>): string {
  return `${spec} ${secType} ${hours}`
}
