import { barSize, isDated, type Window } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { WantedSeries } from './planning.ts'
import { storedSessions } from './stored.ts'

const DAY_SEC = 86_400
/** Sessions of so long ago still tell on which minutes bars start: a closed week and a weekend lie between at most. */
const BACK_SEC = 10 * DAY_SEC
/** Without sessions: markets open on quarters of an hour, and where one does not, its bar is only asked for a little later. */
const ASSUMED_SEC = 900

/** The newest part of what is wanted of a series, from the end of what is covered. */
export interface Tail {
  readonly want: WantedSeries
  readonly window: Window
}

/** Whether the window is shorter than a bar and of a bar longer than a minute, so that it may be that none starts in it. */
export function isShort({ want: { spec }, window }: Tail): boolean {
  if (isDated(spec)) return false
  const { sec } = barSize(spec)
  return sec > 60 && window.end - window.start < sec
}

/**
 * For each of them whether a bar may start in it: by the stored sessions' clocks and openings, as in `isOnGrid` of core. What has
 * no start is left until it is long enough to have one: nothing is lost by it. Two queries for each calendar at most.
 */
export async function mayStart(
  tails: readonly Tail[],
  store: Pick<Store, 'calendars' | 'sessions'>,
  nowSec: number,
): Promise<boolean[]> {
  const window = { start: nowSec - BACK_SEC, end: nowSec }
  const sessionsOf = await storedSessions(
    tails.map(({ want }) => ({ keeper: want, window })),
    store,
  )
  return tails.map(({ want, window }) => {
    const { sec } = barSize(want.spec)
    const { sessions = [] } = sessionsOf(want) ?? {}
    if (sessions.length === 0) return holds(window, 0, greatestCommon(sec, ASSUMED_SEC))
    return sessions.some(({ start, offsetSec }) => holds(window, -offsetSec, sec) || holds(window, start, sec))
  })
}

/** Whether the window holds an instant that lies a multiple of `step` from `from`. */
function holds({ start, end }: Window, from: number, step: number): boolean {
  return start + ((((from - start) % step) + step) % step) < end
}

function greatestCommon(a: number, b: number): number {
  return b === 0 ? a : greatestCommon(b, a % b)
}
