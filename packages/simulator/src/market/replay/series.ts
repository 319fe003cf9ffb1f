import { DAY_SEC } from '../days.ts'
import { isDated, secondsOf } from '../sizes.ts'
import type { MarketBar } from '../types.ts'
import type { Table } from './table.ts'

export type ReplayKind = 'TRADES' | 'BID' | 'ASK' | 'MIDPOINT'

/** A kind of price as files have it. */
export interface Series {
  /** IBKR's literal size of the rows. */
  readonly barSize: string
  /** In order of time. */
  readonly rows: readonly MarketBar[]
  /** Open and close are averages over the bar, as BID_ASK has them. */
  readonly averages: boolean
}

// biome-ignore format: a table
const SIZES = [
  '1 secs', '5 secs', '10 secs', '15 secs', '30 secs', '1 min', '2 mins', '3 mins', '5 mins', '10 mins', '15 mins', '20 mins', '30 mins',
  '1 hour', '2 hours', '3 hours', '4 hours', '8 hours',
] as const

/** The size of a file's bars: the distance from row to row that is met most often. A single row is taken for a minute. */
export function sizeOf(path: string, { timeSec }: Table): string {
  const counts = new Map<number, number>()
  for (let i = 1; i < timeSec.length; i++) {
    const distance = (timeSec[i] ?? 0) - (timeSec[i - 1] ?? 0)
    counts.set(distance, (counts.get(distance) ?? 0) + 1)
  }
  const [usual = 60] = [...counts].sort(([a, often], [b, other]) => other - often || a - b)[0] ?? []
  if (usual === DAY_SEC) return '1 day'
  const size = SIZES.find((one) => secondsOf(one) === usual)
  if (!size)
    throw new Error(`${path}: most rows are ${usual} s apart; expected the length of an IBKR bar, 1 s to 1 day.`)
  return size
}

/** Seconds from a row's start to its end; a day's is its date. */
export function lengthOf({ barSize }: Pick<Series, 'barSize'>): number {
  return isDated(barSize) ? DAY_SEC : secondsOf(barSize)
}

export function rowsOf(table: Table): MarketBar[] {
  const { timeSec, open, high, low, close, volume } = table
  return timeSec.map((sec, i) => ({
    timeSec: sec,
    open: open[i] ?? 0,
    high: high[i] ?? 0,
    low: low[i] ?? 0,
    close: close[i] ?? 0,
    volume: volume[i] ?? -1,
    wap: -1,
    count: -1,
  }))
}

/** The mid price of every bar that both sides have: the mean of their opens, highs, lows and closes, exact in decimals. */
export function midOf(bid: Series, ask: Series, decimals: number): Series {
  const mean = meanOf(decimals)
  return joined(bid, ask, false, (b, a) => ({
    open: mean(b.open, a.open),
    high: mean(b.high, a.high),
    low: mean(b.low, a.low),
    close: mean(b.close, a.close),
  }))
}

/** BID_ASK of every bar that both sides have. Of a bar's average bid a file tells no more than its four prices: their mean stands in for it. */
export function spreadOf(bid: Series, ask: Series, decimals: number): Series {
  const mean = meanOf(decimals)
  const average = ({ open, high, low, close }: MarketBar) => mean(open, high, low, close)
  return joined(bid, ask, true, (b, a) => ({ open: average(b), high: a.high, low: b.low, close: average(a) }))
}

type Prices = Pick<MarketBar, 'open' | 'high' | 'low' | 'close'>

function joined(bid: Series, ask: Series, averages: boolean, join: (bid: MarketBar, ask: MarketBar) => Prices): Series {
  const asks = new Map(ask.rows.map((row) => [row.timeSec, row]))
  const rows = bid.rows.flatMap((row) => {
    const other = asks.get(row.timeSec)
    return other ? [{ timeSec: row.timeSec, ...join(row, other), volume: -1, wap: -1, count: -1 }] : []
  })
  return { barSize: bid.barSize, rows, averages }
}

/** The mean as the double nearest to its exact decimal: sums are made of whole numbers. */
function meanOf(decimals: number): (...prices: number[]) => number {
  const scale = 10 ** decimals
  return (...prices) => prices.reduce((sum, price) => sum + Math.round(price * scale), 0) / (prices.length * scale)
}
