import type { BarColumns, Window } from '@tidegate/core'

const DAY_SEC = 86_400

export interface Session extends Window {
  /** 00:00 UTC of the date it is booked under. */
  readonly date: number
}

/** A market by rule: what it traded is a function of time alone. */
export interface Market {
  /** Seconds into a UTC day at which its session begins, and how long it lasts. */
  readonly opensAt: number
  readonly lastsSec: number
  /** Dates (00:00 UTC) without a session, besides weekends. */
  readonly holidays: ReadonlySet<number>
  /** Nothing was traded before. */
  readonly headSec: number
  /** Whether the bars of intraday sizes start on the clock's grid (an hour at 10:00) or on the session's (at 22:15, 23:15). */
  readonly grid: 'clock' | 'session'
  /** Whether nothing was traded in the bar that starts here. */
  readonly quiet: (startSec: number) => boolean
}

/** New York's regular hours in winter. */
export const STOCKS: Market = {
  opensAt: 14.5 * 3600,
  lastsSec: 6.5 * 3600,
  holidays: new Set(),
  headSec: 0,
  grid: 'clock',
  quiet: () => false,
}

/** FX: from 22:15 UTC of the day before to 22:00, off the hour. */
export const FX: Market = { ...STOCKS, opensAt: 22.25 * 3600, lastsSec: 23.75 * 3600, grid: 'session' }

/** Sessions that touch the window, oldest first. One that runs into the next day has that day's date. */
export function sessionsIn(market: Market, { start, end }: Window): Session[] {
  const found: Session[] = []
  for (let day = Math.floor(start / DAY_SEC) - 2; day * DAY_SEC < end; day++) {
    const from = Math.max(day * DAY_SEC + market.opensAt, market.headSec)
    const to = day * DAY_SEC + market.opensAt + market.lastsSec
    const date = Math.floor((to - 1) / DAY_SEC) * DAY_SEC
    const weekday = new Date(date * 1000).getUTCDay()
    if (weekday === 0 || weekday === 6 || market.holidays.has(date)) continue
    if (from < to && from < end && to > start) found.push({ start: from, end: to, date })
  }
  return found
}

/**
 * Bars that start within the window, as they stood at `cutSec`: what had not closed by then is there, cut short.
 * `sizeSec` of a day gives one bar a session.
 */
export function barsIn(market: Market, sizeSec: number, window: Window, cutSec: number): BarColumns {
  const bars: BarColumns = { t: [], o: [], h: [], l: [], c: [], v: [], w: [], n: [] }
  const add = (t: number, from: number, to: number) => {
    const until = Math.min(to, cutSec)
    if (t < window.start || t >= window.end || from >= until || market.quiet(t)) return
    const [open, close] = [priceAt(from), priceAt(until)]
    bars.t.push(t)
    bars.o.push(open)
    bars.h.push(Math.max(open, close) + 1)
    bars.l.push(Math.min(open, close) - 1)
    bars.c.push(close)
    bars.v.push((until - from) * 3)
    bars.w.push((open + close) / 2)
    bars.n.push(until - from)
  }
  const around = { start: window.start - 2 * DAY_SEC, end: window.end + 2 * DAY_SEC }
  for (const session of sessionsIn(market, around)) {
    if (sizeSec === DAY_SEC) add(session.date, session.start, session.end)
    else for (const [from, to] of slots(market, session, sizeSec)) add(from, from, to)
  }
  return bars
}

function* slots(market: Market, session: Session, sizeSec: number): Generator<[number, number]> {
  const origin = market.grid === 'clock' ? 0 : session.start
  for (let from = session.start; from < session.end; ) {
    const next = Math.floor((from - origin) / sizeSec + 1) * sizeSec + origin
    yield [from, Math.min(next, session.end)]
    from = next
  }
}

/** Bars as they are told after a split of so many shares for one. */
export function splitBars(ratio: number, bars: BarColumns): BarColumns {
  const by = (column: readonly number[]) => column.map((price) => Number((price / ratio).toFixed(6)))
  return { ...bars, o: by(bars.o), h: by(bars.h), l: by(bars.l), c: by(bars.c) }
}

function priceAt(sec: number): number {
  return 100 + ((Math.floor(sec) * 7919) % 10_007) / 100
}
