import { appendBars, type BarColumns, COLUMNS, emptyBars } from '@tidegate/core'
import type { Bar, Quote } from '@tidegate/relay'
import type { LiveEvent } from '../connection.ts'
import { barChunks } from '../kinds/bars.ts'

/** Bars that a subscription keeps for those who join later; the oldest go first. */
const MOST_BARS = 5000

/** How things stand with a subscription, for those who join it later or have missed something. */
export interface Snapshot {
  add(event: LiveEvent): void
  /** The same as events. Empty for what has no standing state, as ticks. */
  events(): Iterable<LiveEvent>
}

export function createSnapshot(): Snapshot {
  let history: BarColumns | undefined
  let quote: Quote | undefined
  return {
    add(event) {
      if (event.history) {
        history = emptyBars()
        appendBars(history, event.history)
      }
      if (event.bar && history) put(history, event.bar)
      if (event.quote) quote = { ...quote, ...event.quote }
    },
    *events() {
      if (history) for (const chunk of barChunks(history)) yield { history: chunk }
      if (quote) yield { quote }
    },
  }
}

/** A bar takes the place of the one that began with it, or comes after the last. */
function put(bars: BarColumns, bar: Bar): void {
  const last = bars.t.length - 1
  const at = bars.t[last] === bar.t ? last : last + 1
  for (const name of COLUMNS) {
    const column = bars[name] as (number | null)[]
    column[at] = bar[name]
    if (column.length > MOST_BARS) column.shift()
  }
}
