import {
  type BarColumns,
  type BarSpec,
  flawOf,
  formatInstant,
  type Hours,
  isDated,
  isKnown,
  isOnGrid,
  type KnownSessions,
  keepBars,
  type Session,
} from '@tidegate/core'
import type { BarFlag } from '@tidegate/db'

/** A reply's bars without those that do not belong to its hours. */
export interface Kept {
  readonly bars: BarColumns
  /** How many were left out: gateways leak other hours into regular ones (ibkr-rules, "Bar size and duration"). */
  readonly leaked: number
  /** Start of the first bar of which it can't be told yet, epoch seconds: from there on nothing is settled. */
  readonly openFrom: number
}

/**
 * Leaves out timed bars of regular hours that lie outside of every session, where the schedule is known; where it is only
 * presumed to have none, or was asked for before, the bars from there on are left for later. Everything else is kept as it came.
 */
export function withinHours(bars: BarColumns, spec: BarSpec, hours: Hours, sessions: KnownSessions | undefined): Kept {
  const all = { bars, leaked: 0, openFrom: Number.POSITIVE_INFINITY }
  if (hours !== 'regular' || isDated(spec) || !sessions) return all
  const sessionOf = createFinder(sessions)
  const outside = bars.t.filter((t) => !sessionOf(t))
  if (outside.length === 0) return all
  const leaked = new Set(outside.filter((t) => isKnown({ start: t, end: t + 1 }, sessions)))
  const untoldFrom = sessions.presumed?.start ?? sessions.askedAt ?? Number.POSITIVE_INFINITY
  const openFrom = outside.find((t) => !leaked.has(t) && t >= untoldFrom)
  return {
    bars: leaked.size === 0 ? bars : keepBars(bars, (t) => !leaked.has(t)),
    leaked: leaked.size,
    openFrom: openFrom ?? Number.POSITIVE_INFINITY,
  }
}

/** Bars that do not look right, and why: their prices contradict each other, or they start where no bar of their size does. */
export function flagsOf(bars: BarColumns, spec: BarSpec, sessions: KnownSessions | undefined): BarFlag[] {
  const sessionOf = createFinder(sessions ?? { sessions: [] })
  return bars.t.flatMap((t, i) => {
    const why =
      flawOf(bars, i) ?? (isOnGrid(t, spec, sessionOf(t)) ? undefined : `starts at ${formatInstant(t)}, off the grid`)
    return why === undefined ? [] : [{ t, why }]
  })
}

/** Finds the session that an instant is in; instants come in order, so that the last one found is tried first. */
function createFinder({ sessions }: Pick<KnownSessions, 'sessions'>): (sec: number) => Session | undefined {
  let last: Session | undefined
  return (sec) => {
    if (!last || sec < last.start || sec >= last.end)
      last = sessions.find(({ start, end }) => start <= sec && sec < end)
    return last
  }
}
