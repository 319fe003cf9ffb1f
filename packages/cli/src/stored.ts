import { formatInstant, parseInstant } from '@tidegate/core'
import type { SeriesAnswer } from '@tidegate/functions'
import type { Client } from './client.ts'

const PAGE = 50_000

type Summary = SeriesAnswer['series'][number]
type Key = Pick<Summary, 'instrumentId' | 'spec' | 'hours'>

/** What is stored of a series within `[start, end)`: how many bars, the first and the last. */
export interface Stored {
  readonly bars: number
  readonly from: string | null
  readonly to: string | null
}

const NOTHING: Stored = { bars: 0, from: null, to: null }

/** Bars of a series within `[start, end)`, ISO. The bars are paged through only where the window holds a part of them. */
export async function storedIn(
  client: Client,
  known: SeriesAnswer,
  key: Key,
  start: string,
  end: string,
): Promise<Stored> {
  const { instrumentId, spec, hours } = key
  const summary = known.series.find((s) => s.instrumentId === instrumentId && s.spec === spec && s.hours === hours)
  if (!summary?.from || !summary.to) return NOTHING
  const [startSec, endSec] = [parseInstant(start), parseInstant(end)]
  const [fromSec, toSec] = [parseInstant(summary.from), parseInstant(summary.to)]
  if (startSec <= fromSec && toSec < endSec) return summary
  if (toSec < startSec || endSec <= fromSec) return NOTHING
  let bars = 0
  let [first, last]: (number | undefined)[] = []
  for (let next: string | null = start; next !== null; ) {
    const page = await client.bars({ instrument: instrumentId, spec, hours, start: next, end, limit: PAGE })
    bars += page.bars.t.length
    first ??= page.bars.t[0]
    last = page.bars.t.at(-1) ?? last
    next = page.next
  }
  return { bars, from: isoOrNull(first), to: isoOrNull(last) }
}

function isoOrNull(sec: number | undefined): string | null {
  return sec === undefined ? null : formatInstant(sec)
}
