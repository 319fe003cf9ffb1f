import type { Ticks } from '../ticks/ticks.ts'
import type { Listing, MarketBar, MidTick, PriceKind, QuoteTick, TicksQuery, TradeTick } from '../types.ts'
import { lengthOf, type Series } from './series.ts'

/** Rows that had closed by now and begin in the window, as `History.bars` gives them. */
export type RowsWithin = (query: TicksQuery, kind: PriceKind, series: Series) => readonly MarketBar[]

/**
 * Ticks as far as a file's bars tell of them: four prices a row (open, the extremes, close) at its quarters, its volume
 * shared out among them. Together they make the row again. Days have no ticks, nor does a kind no file gave.
 */
export function createRowTicks(listing: Listing, kinds: ReadonlyMap<PriceKind, Series>, rowsWithin: RowsWithin): Ticks {
  const exchange = listing.validExchanges.find((one) => one !== 'SMART') ?? ''

  function ticksOf<T>(
    query: TicksQuery,
    kind: PriceKind,
    make: (timeSec: number, at: Corner, row: MarketBar, part: number) => T,
  ): T[] {
    const series = kinds.get(kind)
    if (!series || series.barSize === '1 day') return []
    const lengthSec = lengthOf(series)
    const wide = { ...query, startSec: query.startSec - lengthSec }
    return rowsWithin(wide, kind, series).flatMap((row) =>
      cornersOf(row).flatMap((corner, part) => {
        const timeSec = row.timeSec + Math.floor((lengthSec * part) / 4)
        const inside = timeSec >= query.startSec && timeSec < query.endSec
        return inside ? [make(timeSec, corner, row, part)] : []
      }),
    )
  }

  return {
    trades: (query) =>
      ticksOf(query, 'TRADES', (timeSec, corner, row, part): TradeTick => {
        const size = row.volume < 0 ? 0 : partOf(row.volume, part)
        const plain = { pastLimit: false, unreported: false, exchange, conditions: '' }
        return { timeSec, price: row[corner], size, ...plain }
      }),
    midpoints: (query) =>
      ticksOf(query, 'MIDPOINT', (timeSec, corner, row): MidTick => ({ timeSec, price: row[corner] })),
    quotes(query) {
      // Bid and ask of a row go the same way, so that they never cross.
      const asks = new Map(ticksOf(query, 'ASK', (_timeSec, _corner, row) => [row.timeSec, row] as const))
      const plain = { bidSize: 1, askSize: 1, askPastHigh: false, bidPastLow: false }
      return ticksOf(query, 'BID', (timeSec, corner, row): QuoteTick[] => {
        const ask = asks.get(row.timeSec)?.[corner]
        return ask === undefined ? [] : [{ timeSec, bid: row[corner], ask, ...plain }]
      }).flat()
    },
  }
}

type Corner = 'open' | 'high' | 'low' | 'close'

/** A rising bar falls first, a falling one rises first: the shorter way through all four prices. */
function cornersOf({ open, close }: MarketBar): readonly Corner[] {
  return close >= open ? ['open', 'low', 'high', 'close'] : ['open', 'high', 'low', 'close']
}

/** A quarter of a volume, the last with the rest. */
function partOf(volume: number, part: number): number {
  const quarter = Math.floor(volume / 4)
  return part < 3 ? quarter : volume - 3 * quarter
}
