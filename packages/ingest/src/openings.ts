import { countChunks, type KnownSessions, smallBarWeight, type Window } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { WantedSeries } from './planning.ts'
import type { SpanOf } from './spans.ts'
import { storedSessions } from './stored.ts'

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
  const sessionsOf = await storedSessions(
    small.map(({ want, window }) => ({ keeper: want, window })),
    store,
  )
  return (want) => (smallBarWeight(want.spec) > 0 ? sessionsOf(want) : undefined)
}
