import { intersect, parseSpec, type Window } from '@tidegate/core'
import type { DatasetSeries } from '@tidegate/db'
import type { GappedPart } from './cutting.ts'
import { type WantedSeries, wantedWindow } from './planning.ts'

/** A series of a dataset with what is wanted of it: undefined while none of it is final, or while its beginning is not known. */
export interface WantedNow extends Omit<GappedPart, 'window' | 'series'> {
  readonly series: DatasetSeries
  readonly window: Window | undefined
}

/**
 * What is wanted of datasets' series now, and what of that is missing. What is final hangs on few things, which thousands of
 * series share: it is worked out once for each.
 */
export function wantingAt(nowSec: number): (series: DatasetSeries) => WantedNow {
  const windows = new Map<string, Window | undefined>()
  const specs = new Map<string, WantedSeries['spec']>()

  function windowFor(want: WantedSeries, spec: string, since: number): Window | undefined {
    const key = `${spec} ${want.secType} ${want.timeZoneId} ${since}`
    if (!windows.has(key)) windows.set(key, wantedWindow({ start: since, end: nowSec }, want, nowSec))
    return windows.get(key)
  }

  return (series) => {
    const spec = specs.get(series.spec) ?? parseSpec(series.spec)
    specs.set(series.spec, spec)
    const { instrumentId, secType, timeZoneId, expires, hours, since } = series
    const want: WantedSeries = { instrumentId, secType, timeZoneId, expires, hours, spec }
    const window = since === undefined || since >= nowSec ? undefined : windowFor(want, series.spec, since)
    const gaps = window ? series.gaps.flatMap((gap) => onGrid(gap, since, window)) : []
    return { want, series, window, gaps }
  }
}

/** A gap at the beginning reaches to where the first bar starts, which may be earlier. */
function onGrid(gap: Window, since: number | undefined, window: Window): Window[] {
  const found = intersect(gap.start === since ? { start: window.start, end: gap.end } : gap, window)
  return found ? [found] : []
}
