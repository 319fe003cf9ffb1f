import { formatInstant, type Window } from '@tidegate/core'
import type { Relay, SessionsRequest } from '@tidegate/relay'
import { type Market, sessionsIn } from './market.ts'

const YEAR_SEC = 365 * 86_400

/** IBKR's schedule of a market by rule: the sessions that a year before the end touches, each whole. */
export function scheduleOf(
  { current }: { readonly current: () => Market },
  now: () => number,
  asked: SessionsRequest[],
): Relay['sessions'] {
  return async (request) => {
    asked.push(request)
    const end = Math.min(request.end ?? Number.POSITIVE_INFINITY, Math.floor(now() / 1000))
    const window: Window = { start: end - YEAR_SEC, end }
    const sessions = sessionsIn(current(), window).map(({ start, end, date }) => ({
      start,
      end,
      date: formatInstant(date).slice(0, 10),
    }))
    return { zone: 'Etc/UTC', sessions, empty: sessions.length === 0, simulated: true }
  }
}
