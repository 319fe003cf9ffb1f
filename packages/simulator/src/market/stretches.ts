import type { VenueName } from './calendar.ts'
import { dayOfDate } from './periods.ts'
import { type Segment, segmentsOf } from './segments.ts'
import type { Trading } from './trading.ts'
import type { TicksQuery } from './types.ts'

/** The part of a segment that ticks are asked of: whole seconds `[fromSec, toSec)`. */
export interface Stretch {
  readonly segment: Segment
  readonly fromSec: number
  readonly toSec: number
  /** What was traded before in the same session, oldest first. */
  readonly earlier: readonly Segment[]
}

/** Cuts a query into stretches of one segment each, oldest first. */
export function stretchesOf(venue: VenueName, trading: Trading, query: TicksQuery): Stretch[] {
  const { useRTH, startSec, nowSec } = query
  const endSec = Math.min(query.endSec, nowSec)
  if (startSec >= endSec) return []
  return trading.sessions(useRTH, startSec, endSec).flatMap((session) => {
    const segments = segmentsOf(venue, dayOfDate(session.date))
    return segments.flatMap((segment, i) => {
      const fromSec = Math.max(segment.startSec, session.startSec, startSec)
      const toSec = Math.min(segment.endSec, session.endSec, endSec)
      return fromSec < toSec ? [{ segment, fromSec, toSec, earlier: segments.slice(0, i) }] : []
    })
  })
}
