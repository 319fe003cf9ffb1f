import type { MarketEvents } from './events.ts'
import type { Ticks } from './ticks/ticks.ts'
import type { BarsQuery, Listing, MarketBar, PriceKind, TicksQuery } from './types.ts'

/** Prices that a split divides keep so many decimals. */
const DECIMALS = 6

const RATES: ReadonlySet<PriceKind> = new Set<PriceKind>([
  'HISTORICAL_VOLATILITY',
  'OPTION_IMPLIED_VOLATILITY',
  'FEE_RATE',
])

/** How many shares of now one of the generated market is. */
function ratioOf({ splits }: MarketEvents, { conId }: Listing, nowSec: number): number {
  return splits.reduce(
    (ratio, split) => (split.conId === conId && split.atSec <= nowSec ? ratio * split.ratio : ratio),
    1,
  )
}

/** Bars as the splits up to now have them: prices divided, volumes multiplied, counts as they were. IBKR restates every kind but rates. */
export function splitBars(events: MarketEvents, query: BarsQuery, bars: readonly MarketBar[]): readonly MarketBar[] {
  const ratio = ratioOf(events, query.listing, query.nowSec)
  if (ratio === 1 || RATES.has(query.whatToShow)) return bars
  const cut = cutBy(ratio)
  return bars.map((bar) => ({
    ...bar,
    open: cut(bar.open),
    high: cut(bar.high),
    low: cut(bar.low),
    close: cut(bar.close),
    volume: bar.volume < 0 ? bar.volume : Math.round(bar.volume * ratio),
    wap: bar.wap < 0 ? bar.wap : bar.wap / ratio,
  }))
}

/** Ticks by the same rule. */
export function splitTicks(events: MarketEvents, ticksOf: (listing: Listing) => Ticks): Ticks {
  const ratio = (query: TicksQuery) => ratioOf(events, query.listing, query.nowSec)
  return {
    trades(query) {
      const found = ticksOf(query.listing).trades(query)
      const by = ratio(query)
      const cut = cutBy(by)
      return by === 1 ? found : found.map((tick) => ({ ...tick, price: cut(tick.price), size: tick.size * by }))
    },
    quotes(query) {
      const found = ticksOf(query.listing).quotes(query)
      const by = ratio(query)
      const cut = cutBy(by)
      if (by === 1) return found
      return found.map((tick) => ({
        ...tick,
        bid: cut(tick.bid),
        ask: cut(tick.ask),
        bidSize: tick.bidSize * by,
        askSize: tick.askSize * by,
      }))
    },
    midpoints(query) {
      const found = ticksOf(query.listing).midpoints(query)
      const by = ratio(query)
      const cut = cutBy(by)
      return by === 1 ? found : found.map((tick) => ({ ...tick, price: cut(tick.price) }))
    },
  }
}

const cutBy =
  (ratio: number) =>
  (price: number): number =>
    Number((price / ratio).toFixed(DECIMALS))
