import type { Hours, Window } from '@tidegate/core'
import type { CalendarSessions, Store } from '@tidegate/db'

/** Whose sessions: series of one calendar and hours share them. */
interface Keeper {
  readonly instrumentId: string
  readonly hours: Hours
}

/** The stored sessions of a series' market, of those that were asked for; undefined where its calendar is not known. */
export type SessionsOf = (keeper: Keeper) => CalendarSessions | undefined

/**
 * The stored sessions of all of these, around every window that is given of one: one query for their calendars, and one for each
 * calendar and hours. Without any, none. IBKR is not asked.
 */
export async function storedSessions(
  parts: readonly { readonly keeper: Keeper; readonly window: Window }[],
  store: Pick<Store, 'calendars' | 'sessions'>,
): Promise<SessionsOf> {
  if (parts.length === 0) return () => undefined
  const ids = [...new Set(parts.map(({ keeper }) => keeper.instrumentId))]
  const named = await store.calendars(ids)
  const calendars = new Map(ids.map((id, i) => [id, named[i]]))
  const around = new Map<string, { calendar: string; hours: Hours; window: Window }>()
  for (const { keeper, window } of parts) {
    const calendar = calendars.get(keeper.instrumentId)
    if (calendar === undefined) continue
    const key = `${keeper.hours} ${calendar}`
    const before = around.get(key)?.window ?? window
    const wide = { start: Math.min(before.start, window.start), end: Math.max(before.end, window.end) }
    around.set(key, { calendar, hours: keeper.hours, window: wide })
  }
  const found = await Promise.all(
    [...around].map(async ([key, { calendar, hours, window }]) => {
      return [key, await store.sessions(calendar, hours, window)] as const
    }),
  )
  const known = new Map(found)
  return ({ instrumentId, hours }) => known.get(`${hours} ${calendars.get(instrumentId)}`)
}
