import { sessionsOf, type VenueName } from './calendar.ts'
import type { Day } from './days.ts'
import type { Session } from './types.ts'

/** A stretch of one session in which the market's character does not change: regular hours, or those before or after. */
export interface Segment {
  readonly startSec: number
  readonly endSec: number
  readonly regular: boolean
}

/** A date's trading, in order: its sessions cut where regular hours begin and end. */
export function segmentsOf(venue: VenueName, day: Day): readonly Segment[] {
  const regular = sessionsOf(venue, true, day)
  return sessionsOf(venue, false, day).flatMap((session) => cut(session, regular))
}

function cut(session: Session, regular: readonly Session[]): Segment[] {
  const edges = [session.startSec, session.endSec, ...regular.flatMap(({ startSec, endSec }) => [startSec, endSec])]
    .filter((sec) => sec >= session.startSec && sec <= session.endSec)
    .sort((a, b) => a - b)
  const segments: Segment[] = []
  for (const [i, startSec] of edges.entries()) {
    const endSec = edges[i + 1]
    if (endSec === undefined || endSec <= startSec) continue
    segments.push({
      startSec,
      endSec,
      regular: regular.some((one) => one.startSec <= startSec && endSec <= one.endSec),
    })
  }
  return segments
}
