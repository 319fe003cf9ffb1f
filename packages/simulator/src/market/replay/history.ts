import { zoneOf } from '../../zone.ts'
import { DAY_SEC } from '../days.ts'
import type { History } from '../history.ts'
import type { Product } from '../listings/product.ts'
import { dayOfDate, visitBars, type Walk } from '../periods.ts'
import { isDated, secondsOf } from '../sizes.ts'
import { createTrading, type Trading } from '../trading.ts'
import type { BarsQuery, Listing, MarketBar, PriceKind } from '../types.ts'
import { lengthOf, type Series } from './series.ts'
import { addDays, stretchTrading } from './sessions.ts'
import { createRowTally } from './tally.ts'
import { createRowTicks } from './ticks.ts'

/** The history of a product as files have it: the kinds of price given, and nothing before, after or besides. */
export function createReplayHistory(product: Product, kinds: ReadonlyMap<PriceKind, Series>): History {
  const series = [...kinds.values()]
  const listing = spanning(product.listing, series)
  const trading = series.reduce(
    (before, one) => {
      if (isDated(one.barSize)) return addDays(before, one.rows)
      const starts = one.rows.map(({ timeSec }) => timeSec)
      return stretchTrading(before, starts, lengthOf(one))
    },
    tradingOf(product, listing),
  )
  const zone = zoneOf(listing.timeZoneId)

  return {
    listing,
    offers: (whatToShow) => [...kinds.keys()].some((kind) => kind === whatToShow),
    sessions: trading.sessions,
    ...createRowTicks(listing, kinds, (query, whatToShow, series) => {
      const walk = {
        ...query,
        barSize: series.barSize,
        zone,
        sessions: (from: number, to: number) => trading.sessions(query.useRTH, from, to),
      }
      return rowsWithin({ ...query, barSize: series.barSize, whatToShow }, walk, series)
    }),
    bars(query) {
      const found = kinds.get(query.whatToShow)
      if (!found || !isMadeOf(query.barSize, found)) return []
      const { useRTH, ...window } = query
      const walk = { ...window, zone, sessions: (from: number, to: number) => trading.sessions(useRTH, from, to) }
      if (isDated(found.barSize)) return barsOfDays(walk, found)
      return query.barSize === found.barSize ? rowsWithin(query, walk, found) : barsOfRows(walk, found)
    },
  }
}

/** The venue's hours from the session on in which the first row lies: that row may come after its opening. */
function tradingOf({ venue }: Product, listing: Listing): Trading {
  const [first] = createTrading(venue, { ...listing, headSec: 0 }).sessions(false, listing.headSec, listing.headSec + 1)
  return createTrading(venue, { ...listing, headSec: first?.startSec ?? listing.headSec })
}

/** A listing whose history is the files', even where they begin before it was listed or end after its last trade. */
function spanning(listing: Listing, series: readonly Series[]): Listing {
  const headSec = Math.min(...series.map(({ rows }) => rows[0]?.timeSec ?? listing.headSec))
  const endSec = Math.max(...series.map((one) => (one.rows.at(-1)?.timeSec ?? 0) + lengthOf(one)))
  return { ...listing, headSec, endSec: listing.endSec && Math.max(listing.endSec, endSec) }
}

/** Whether whole rows make a bar of this size. */
function isMadeOf(barSize: string, series: Series): boolean {
  if (isDated(barSize)) return true
  return !isDated(series.barSize) && secondsOf(barSize) % secondsOf(series.barSize) === 0
}

/** The file's rows as they are: those that had closed by now, with useRTH those within regular hours. */
function rowsWithin({ useRTH, startSec, endSec, nowSec }: BarsQuery, walk: Walk, series: Series): MarketBar[] {
  const { rows } = series
  const lastSec = Math.min(endSec, nowSec - lengthOf(series) + 1)
  const found = rows.slice(firstFrom(rows, startSec), firstFrom(rows, lastSec))
  if (!useRTH) return found
  const sessions = walk.sessions(startSec, lastSec)
  let at = 0
  return found.filter(({ timeSec }) => {
    while ((sessions[at]?.endSec ?? Number.POSITIVE_INFINITY) <= timeSec) at++
    return (sessions[at]?.startSec ?? Number.POSITIVE_INFINITY) <= timeSec
  })
}

function barsOfRows(walk: Walk, series: Series): MarketBar[] {
  const { rows } = series
  const lengthSec = lengthOf(series)
  const tally = createRowTally(series.averages)
  const made: MarketBar[] = []
  visitBars(walk, {
    take(_session, fromSec, toSec) {
      for (let i = firstFrom(rows, fromSec); i < rows.length; i++) {
        const row = rows[i]
        if (!row || row.timeSec >= toSec || row.timeSec + lengthSec > walk.nowSec) return
        tally.add(row)
      }
    },
    close(timeSec) {
      const bar = tally.bar(timeSec)
      if (bar) made.push(bar)
    },
  })
  return made
}

/** Bars of a file of days: a day belongs to the sessions of its date, and is known when the last of them is over. */
function barsOfDays(walk: Walk, series: Series): MarketBar[] {
  const byDay = new Map(series.rows.map((row) => [Math.floor(row.timeSec / DAY_SEC), row]))
  const tally = createRowTally(series.averages)
  const made: MarketBar[] = []
  let before: MarketBar | undefined
  visitBars(walk, {
    take(session) {
      const row = byDay.get(dayOfDate(session.date))
      // A date with two sessions has one bar.
      if (row && row !== before && session.endSec <= walk.nowSec) tally.add(row)
      before = row
    },
    close(timeSec) {
      const bar = tally.bar(timeSec)
      if (bar) made.push(bar)
    },
  })
  return made
}

/** The index of the first row at or after an instant. */
function firstFrom(rows: readonly MarketBar[], sec: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle]?.timeSec ?? 0) < sec) low = middle + 1
    else high = middle
  }
  return low
}
