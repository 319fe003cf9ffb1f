import { countChunks, type KnownSessions, smallBarWeight, type Window } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { WantedSeries } from './planning.ts'
import type { SpanOf } from './spans.ts'

/** What is stored of the hours that a series' market keeps; undefined where nothing is, or where it changes no plan. */
export type OpeningsOf = (want: WantedSeries) => KnownSessions | undefined

/** Beyond so many requests nobody waits for a plan that knows each night; they take IBKR months. */
const MOST_REQUESTS = 200_000

/**
 * The stored sessions around all of these windows, one query for each calendar: of small bars alone, for whose short requests
 * a night is a dozen of them. Bars of a minute and more are asked in days. IBKR is not asked.
 */
export async function storedOpenings(
  parts: readonly {
    readonly want: WantedSeries
    readonly window: Window | undefined
    readonly gaps: readonly Window[]
  }[],
  store: Store,
  spanOf: SpanOf,
): Promise<OpeningsOf> {
  const small = parts.flatMap(({ want, window, gaps }) =>
    window && gaps.length > 0 && smallBarWeight(want.spec) > 0 ? [{ want, window, gaps }] : [],
  )
  const requests = small.reduce((sum, { want, gaps }) => sum + countChunks(gaps, spanOf(want)), 0)
  if (requests === 0 || requests > MOST_REQUESTS) return () => undefined
  const ids = [...new Set(small.map(({ want }) => want.instrumentId))]
  const named = await store.calendars(ids)
  const calendars = new Map(ids.map((id, i) => [id, named[i]]))
  const keyOf = ({ instrumentId, hours }: WantedSeries) => {
    const calendar = calendars.get(instrumentId)
    return calendar === undefined ? undefined : `${hours} ${calendar}`
  }
  const around = new Map<string, { want: WantedSeries; start: number; end: number }>()
  for (const { want, window } of small) {
    const key = keyOf(want)
    if (key === undefined) continue
    const before = around.get(key) ?? { want, ...window }
    const [start, end] = [Math.min(before.start, window.start), Math.max(before.end, window.end)]
    around.set(key, { want, start, end })
  }
  const known = new Map(
    await Promise.all(
      [...around].map(async ([key, { want, start, end }]) => {
        const calendar = calendars.get(want.instrumentId) ?? ''
        return [key, await store.sessions(calendar, want.hours, { start, end })] as const
      }),
    ),
  )
  return (want) => {
    const key = smallBarWeight(want.spec) > 0 ? keyOf(want) : undefined
    return key === undefined ? undefined : known.get(key)
  }
}
