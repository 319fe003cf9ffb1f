import { alignWindow, gridSec, isToNow } from '@tidegate/core'
import type { ChunkPlan, Collecting, SeriesSummary } from '@tidegate/db'
import { shapeOf } from './overlap.ts'
import { specOf } from './planning.ts'
import { openRun } from './run.ts'
import { isSameRatio, keptFrom } from './split.ts'
import type { IngestOptions } from './types.ts'

/** A split shows in all series of an instrument within a day, as they are updated; what is found later is another one. */
const LATELY_SEC = 86_400
const MOST_FOUND = 100

/**
 * A split changes every series of its instrument, and daily bars would show it a day later than minutes do: the newest bar of each
 * of the others is asked for once more, with what is beside it, so that each is found by its own answer. Once for a split, however
 * often this is called. Series that IBKR answers up to now only change with every dividend: they tell nothing of others.
 */
export async function askSiblings(found: Collecting, options: IngestOptions): Promise<void> {
  if (isToNow(shapeOf(found))) return
  const { store, now } = options
  const nowSec = Math.floor(now() / 1000)
  const id = `split-${found.id}`
  if (await store.run(id)) return
  const ofInstrument = { instrumentIds: [found.instrument.id] }
  const lately = (await store.adjustments({ ...ofInstrument, limit: MOST_FOUND })).filter(
    ({ foundAt, ratio }) => foundAt > nowSec - LATELY_SEC && isSameRatio(ratio, found.ratio),
  )
  if (lately.some((other) => other.id < found.id)) return
  const others = (await store.series(ofInstrument)).filter(
    ({ spec, hours }) => !lately.some((one) => one.spec === spec && one.hours === hours),
  )
  const chunks = others.flatMap((series) => newestOf(series, found, nowSec))
  if (chunks.length === 0) return
  await openRun({ id, source: 'adjustment', priority: 'scheduled', chunks, remaining: 0 }, options)
}

/** The newest stored bar of a series, if IBKR still has it. */
function newestOf(series: SeriesSummary, { instrument }: Collecting, nowSec: number): ChunkPlan[] {
  const { id, to } = series
  if (to === undefined) return []
  const spec = specOf(series)
  const window = alignWindow({ start: to, end: to + gridSec(spec) }, spec)
  const isKept = to >= (keptFrom({ instrument, series }, nowSec, { keptSec: nowSec }) ?? 0)
  return window && isKept ? [{ seriesId: id, window }] : []
}
