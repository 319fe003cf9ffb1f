import type { Listing, Market, Session, TicksQuery } from '../market/types.ts'
import { minusMonths } from './duration.ts'

const DAY_SECONDS = 86_400
/** Longer than any run of days on which a venue is closed. */
const LONGEST_BREAK_SECONDS = 14 * DAY_SECONDS
/** Time and sales are kept for three years. */
const KEPT_MONTHS = 36
/** Seconds looked at first; each further look is twice as long, so that a quiet session takes few. */
const FIRST_LOOK_SECONDS = 60

/** One page of ticks: those from `startSec` on, or those before `endSec` (exclusive). Epoch seconds. */
export interface Page {
  readonly listing: Listing
  readonly useRTH: boolean
  /** At least so many where the session has them; more where the last second has. */
  readonly count: number
  readonly startSec: number | undefined
  readonly endSec: number
  readonly nowSec: number
}

type Ticks<T> = (query: TicksQuery) => readonly T[]

/**
 * The ticks of a page, oldest first: `count` of them and the rest of the second at which the count is full. They are of
 * one session, as IBKR has it: the first from the start on, or the last before the end, that has any.
 */
export function pageOf<T extends { readonly timeSec: number }>(
  market: Market,
  page: Page,
  ticks: Ticks<T>,
): readonly T[] {
  const { startSec, nowSec, listing } = page
  const firstSec = Math.max(minusMonths(nowSec, KEPT_MONTHS), listing.headSec)
  const lastSec = Math.min(page.endSec, nowSec, listing.endSec ?? nowSec)
  return startSec === undefined
    ? backward(market, page, firstSec, lastSec, ticks)
    : forward(market, page, Math.max(startSec, firstSec), lastSec, ticks)
}

function forward<T extends { readonly timeSec: number }>(
  market: Market,
  { listing, useRTH, count, nowSec }: Page,
  fromSec: number,
  lastSec: number,
  ticks: Ticks<T>,
): readonly T[] {
  for (let from = fromSec; from < lastSec; from += LONGEST_BREAK_SECONDS) {
    const to = Math.min(from + LONGEST_BREAK_SECONDS, lastSec)
    for (const session of market.sessions(listing, useRTH, from, to)) {
      const [startSec, endSec] = within(session, fromSec, lastSec)
      const found: T[] = []
      let at = startSec
      for (let look = FIRST_LOOK_SECONDS; at < endSec && found.length < count; look *= 2) {
        const until = Math.min(at + look, endSec)
        for (const tick of ticks({ listing, useRTH, startSec: at, endSec: until, nowSec })) found.push(tick)
        at = until
      }
      const full = found[count - 1]
      if (full) return found.filter(({ timeSec }) => timeSec <= full.timeSec)
      if (found.length > 0) return found
    }
  }
  return []
}

function backward<T extends { readonly timeSec: number }>(
  market: Market,
  { listing, useRTH, count, nowSec }: Page,
  fromSec: number,
  lastSec: number,
  ticks: Ticks<T>,
): readonly T[] {
  for (let to = lastSec; to > fromSec; to -= LONGEST_BREAK_SECONDS) {
    const from = Math.max(to - LONGEST_BREAK_SECONDS, fromSec)
    for (const session of market.sessions(listing, useRTH, from, to).toReversed()) {
      const [startSec, endSec] = within(session, fromSec, lastSec)
      let found: readonly T[] = []
      let at = endSec
      for (let look = FIRST_LOOK_SECONDS; at > startSec && found.length < count; look *= 2) {
        const since = Math.max(at - look, startSec)
        found = [...ticks({ listing, useRTH, startSec: since, endSec: at, nowSec }), ...found]
        at = since
      }
      const full = found.at(-count)
      if (full && found.length >= count) return found.filter(({ timeSec }) => timeSec >= full.timeSec)
      if (found.length > 0) return found
    }
  }
  return []
}

const within = (session: Session, fromSec: number, toSec: number): [startSec: number, endSec: number] => [
  Math.max(session.startSec, fromSec),
  Math.min(session.endSec, toSec),
]
