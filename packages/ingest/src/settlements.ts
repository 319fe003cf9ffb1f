import { type KnownSessions, settles } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { WantedSeries } from './planning.ts'

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
  const settling = wanted.filter(({ spec, secType }) => settles(spec, secType))
  if (settling.length === 0) return () => undefined
  const ids = [...new Set(settling.map(({ instrumentId }) => instrumentId))]
  const named = await store.calendars(ids)
  const calendars = new Map(ids.map((id, i) => [id, named[i]]))
  const keyOf = ({ instrumentId, hours }: (typeof settling)[number]) => {
    const calendar = calendars.get(instrumentId)
    return calendar === undefined ? undefined : `${hours} ${calendar}`
  }
  const asked = new Map(settling.map((want) => [keyOf(want), want]))
  const known = new Map<string, KnownSessions>()
  await Promise.all(
    [...asked].map(async ([key, { instrumentId, hours }]) => {
      const calendar = calendars.get(instrumentId)
      if (key === undefined || calendar === undefined) return
      const found = await store.sessions(calendar, hours, { start: nowSec - 4 * DAY_SEC, end: nowSec })
      if (found.askedAt !== undefined && found.askedAt > nowSec - HEARD_SEC) known.set(key, found)
    }),
  )
  return (want) => (settles(want.spec, want.secType) ? known.get(keyOf(want) ?? '') : undefined)
}
