import type { MarketBar } from '../types.ts'

export interface RowTally {
  add(row: MarketBar): void
  /** The bar of the rows added since the last call; undefined where there was none. */
  bar(timeSec: number): MarketBar | undefined
}

/**
 * Makes longer bars of a file's rows: first open, highest high, lowest low, last close, volumes summed where every row
 * has one. With `averages`, open and close are the rows' means, as BID_ASK has them.
 */
export function createRowTally(averages: boolean): RowTally {
  let rows: MarketBar[] = []
  return {
    add: (row) => rows.push(row),
    bar(timeSec) {
      const [first, last] = [rows[0], rows.at(-1)]
      if (!first || !last) return undefined
      const made = {
        timeSec,
        open: averages ? mean(rows.map(({ open }) => open)) : first.open,
        high: Math.max(...rows.map(({ high }) => high)),
        low: Math.min(...rows.map(({ low }) => low)),
        close: averages ? mean(rows.map(({ close }) => close)) : last.close,
        volume: rows.some(({ volume }) => volume < 0) ? -1 : rows.reduce((sum, { volume }) => sum + volume, 0),
        wap: -1,
        count: -1,
      }
      rows = []
      return made
    },
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
