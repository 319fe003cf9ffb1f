import { zoneOf } from '../zone.ts'
import { DAY_SEC, type Day } from './days.ts'
import { dividendFactor } from './dividends.ts'
import { dayOfDate, type SessionsBetween, visitBars } from './periods.ts'
import { isDated } from './sizes.ts'
import type { BarsQuery, Listing, MarketBar } from './types.ts'

/** No month's days lie further from its window. */
const MONTH_REACH_SEC = 40 * DAY_SEC

/**
 * The bars of ADJUSTED_LAST: those of trades, each day's prices less the dividends since. Weeks and months are made of
 * adjusted days, as a dividend may fall within them.
 */
export function adjustedBars(
  listing: Listing,
  query: BarsQuery,
  sessions: SessionsBetween,
  traded: (query: BarsQuery) => readonly MarketBar[],
): readonly MarketBar[] {
  const zone = zoneOf(listing.timeZoneId)
  const today = localDay(query.nowSec)
  const { barSize, startSec, endSec, nowSec } = query

  function localDay(sec: number): Day {
    return Math.floor((sec + zone.offsetSec(sec)) / DAY_SEC)
  }

  function adjust(bar: MarketBar, day: Day): MarketBar {
    const factor = dividendFactor(listing, day, today)
    if (factor === 1) return bar
    const { open, high, low, close, wap } = bar
    // Not rounded: IBKR's adjusted prices stand on no tick either, and so all sizes of bars agree.
    return {
      ...bar,
      open: open * factor,
      high: high * factor,
      low: low * factor,
      close: close * factor,
      wap: wap * factor,
    }
  }

  if (!isDated(barSize)) return traded(query).map((bar) => adjust(bar, localDay(bar.timeSec)))
  if (barSize === '1 day') return traded(query).map((bar) => adjust(bar, bar.timeSec / DAY_SEC))

  const wide = { startSec: startSec - MONTH_REACH_SEC, endSec: endSec + MONTH_REACH_SEC }
  const days = traded({ ...query, ...wide, barSize: '1 day' }).map((bar) => adjust(bar, bar.timeSec / DAY_SEC))
  const byDay = new Map(days.map((bar) => [bar.timeSec / DAY_SEC, bar]))
  const made: MarketBar[] = []
  let own = new Set<MarketBar>()
  visitBars(
    { sessions, zone, barSize, startSec, endSec, nowSec },
    {
      take(session) {
        // A date with two sessions has one bar.
        const bar = byDay.get(dayOfDate(session.date))
        if (bar) own.add(bar)
      },
      close(timeSec) {
        const bar = sumOf(timeSec, [...own])
        if (bar) made.push(bar)
        own = new Set()
      },
    },
  )
  return made
}

/** One bar of several; undefined of none. */
function sumOf(timeSec: number, bars: readonly MarketBar[]): MarketBar | undefined {
  const [first, last] = [bars[0], bars.at(-1)]
  if (!first || !last) return undefined
  const volume = bars.reduce((sum, bar) => sum + bar.volume, 0)
  return {
    timeSec,
    open: first.open,
    high: Math.max(...bars.map(({ high }) => high)),
    low: Math.min(...bars.map(({ low }) => low)),
    close: last.close,
    volume,
    wap: bars.reduce((sum, bar) => sum + bar.wap * bar.volume, 0) / volume,
    count: bars.reduce((sum, bar) => sum + bar.count, 0),
  }
}
