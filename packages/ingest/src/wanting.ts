import { intersect, parseSpec, type Window } from '@tidegate/core'
import type { DatasetSeries, Store } from '@tidegate/db'
import type { GappedPart } from './cutting.ts'
import { type WantedSeries, wantedWindow } from './planning.ts'
import { settlementsOf } from './settlements.ts'
import { isShort, mayStart, type Tail } from './starts.ts'

/** A series of a dataset with what is wanted of it: undefined while none of it is final, or while its beginning is not known. */
export interface WantedNow extends Omit<GappedPart, 'window' | 'series'> {
  readonly series: DatasetSeries
  readonly window: Window | undefined
}

/**
 * What is wanted of these series of datasets now, and what of that is missing, in their order. What is final hangs on few
 * things, which thousands of series share: it is worked out once for each. A query where there are futures' days, and where
 * what is newest is shorter than a bar.
 */
export async function wantingNow(
  series: readonly DatasetSeries[],
  nowSec: number,
  store: Pick<Store, 'calendars' | 'sessions'>,
): Promise<WantedNow[]> {
  const windows = new Map<string, Window | undefined>()
  const specs = new Map<string, WantedSeries['spec']>()
  const wants = series.map((own) => {
    const { instrumentId, secType, timeZoneId, expires, hours } = own
    const spec = specs.get(own.spec) ?? parseSpec(own.spec)
    specs.set(own.spec, spec)
    return { own, want: { instrumentId, secType, timeZoneId, expires, hours, spec } }
  })
  const settlements = await settlementsOf(
    wants.map(({ want }) => want),
    store,
    nowSec,
  )

  function windowFor(want: WantedSeries, spec: string, since: number): Window | undefined {
    const window = { start: since, end: nowSec }
    const sessions = settlements(want)
    if (sessions) return wantedWindow(window, want, nowSec, sessions)
    const key = `${spec} ${want.secType} ${want.timeZoneId} ${since}`
    if (!windows.has(key)) windows.set(key, wantedWindow(window, want, nowSec, undefined))
    return windows.get(key)
  }

  const all = wants.map(({ own, want }): WantedNow => {
    const { since } = own
    const window = since === undefined || since >= nowSec ? undefined : windowFor(want, own.spec, since)
    return { want, series: own, window, gaps: window ? own.gaps.flatMap((gap) => onGrid(gap, since, window)) : [] }
  })
  return withoutStartless(all, store, nowSec)
}

/** What is newest is left where no bar may start in it yet: of hourly bars there is something to ask once an hour, or twice. */
async function withoutStartless(
  all: readonly WantedNow[],
  store: Pick<Store, 'calendars' | 'sessions'>,
  nowSec: number,
): Promise<WantedNow[]> {
  const tails = new Map(
    all.flatMap((one): [WantedNow, Tail][] => {
      const last = one.gaps.at(-1)
      const tail = last && last.end === one.window?.end ? { want: one.want, window: last } : undefined
      return tail && isShort(tail) ? [[one, tail]] : []
    }),
  )
  const having = await mayStart([...tails.values()], store, nowSec)
  const ends = new Map([...tails].flatMap(([one, { window }], i) => (having[i] ? [] : [[one, window.start] as const])))
  return all.map((one): WantedNow => {
    const { window, gaps } = one
    const end = ends.get(one)
    if (end === undefined || !window) return one
    const shorter = end > window.start ? { start: window.start, end } : undefined
    return { ...one, window: shorter, gaps: gaps.slice(0, -1) }
  })
}

/** A gap at the beginning reaches to where the first bar starts, which may be earlier. */
function onGrid(gap: Window, since: number | undefined, window: Window): Window[] {
  const found = intersect(gap.start === since ? { start: window.start, end: gap.end } : gap, window)
  return found ? [found] : []
}
