import { type BarColumns, compareBars, firstFrom, sliceBars, type Window } from '@tidegate/core'

/** Bars of an answer that are kept on either side of each end of its window: what answers next to it have too. */
const KEPT_BARS = 10
/** As long as what was asked beside it may take; and so many answers a series, and series. */
const KEPT_MS = 600_000
const MOST_KEPT = 40
const MOST_SERIES = 1000

/** Bars of answers that were proven, series by series: another answer that has some of them is of one scale with them. */
export interface Notes {
  /** Notes what came at both ends of a window with an answer that was proven: it is of the scale of what is stored. */
  note(seriesId: number, came: BarColumns, window: Window): void
  /** Whether bars that were noted come as they did. */
  agrees(seriesId: number, came: BarColumns, tick: number): boolean
  /** What was noted of a series holds no longer: it is told anew. */
  forget(seriesId: number): void
}

interface Noted {
  readonly bars: BarColumns
  readonly atMs: number
}

/** Notes of this process, for ten minutes each. `now` is epoch milliseconds. */
export function createNotes(now: () => number): Notes {
  const series = new Map<number, readonly Noted[]>()

  function notedOf(seriesId: number): readonly Noted[] {
    const sinceMs = now() - KEPT_MS
    return (series.get(seriesId) ?? []).filter(({ atMs }) => atMs > sinceMs)
  }

  return {
    note(seriesId, came, { start, end }) {
      const atMs = now()
      const fresh = [endOf(came, start), endOf(came, end)].flatMap((bars) =>
        bars.t.length > 0 ? [{ bars, atMs }] : [],
      )
      const kept = [...notedOf(seriesId), ...fresh].slice(-2 * MOST_KEPT)
      // The one noted last is the last to go.
      series.delete(seriesId)
      series.set(seriesId, kept)
      for (const id of series.keys()) {
        if (series.size <= MOST_SERIES) break
        series.delete(id)
      }
    },

    agrees(seriesId, came, tick) {
      const compared = notedOf(seriesId).map(({ bars }) => compareBars(bars, came, tick))
      const agreeing = compared.flatMap((one) => (one.kind === 'same' ? [one.agreeing] : []))
      return agreeing.length === compared.length && agreeing.some((count) => count > 0)
    },

    forget: (seriesId) => void series.delete(seriesId),
  }
}

/** The bars next to an instant, on both sides of it. */
function endOf(bars: BarColumns, sec: number): BarColumns {
  const position = firstFrom(bars.t, sec)
  return sliceBars(bars, Math.max(0, position - KEPT_BARS), position + KEPT_BARS)
}
