import { type KnownSessions, settles } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { WantedSeries } from './planning.ts'
import { storedSessions } from './stored.ts'

const DAY_SEC = 86_400
/** So long after a venue's schedule was last had, it is no longer counted on: nothing is asked for early then. */
const HEARD_SEC = 5 * DAY_SEC

/** The sessions by which a series' days are settled, as far as stored; undefined where they do not count, or are not had. */
export type SettlementsOf = (
  want: Pick<WantedSeries, 'instrumentId' | 'spec' | 'secType' | 'hours'>,
) => KnownSessions | undefined

/**
 * The stored sessions of the last days, by which futures' daily bars become final: of those among the wanted alone, and
 * without them no query. IBKR is not asked.
 */
export async function settlementsOf(
  wanted: readonly Pick<WantedSeries, 'instrumentId' | 'spec' | 'secType' | 'hours'>[],
  store: Pick<Store, 'calendars' | 'sessions'>,
  nowSec: number,
): Promise<SettlementsOf> {
  const window = { start: nowSec - 4 * DAY_SEC, end: nowSec }
  const settling = wanted.filter(({ spec, secType }) => settles(spec, secType))
  const sessionsOf = await storedSessions(
    settling.map((keeper) => ({ keeper, window })),
    store,
  )
  return (want) => {
    const found = settles(want.spec, want.secType) ? sessionsOf(want) : undefined
    return found?.askedAt !== undefined && found.askedAt > nowSec - HEARD_SEC ? found : undefined
  }
}
