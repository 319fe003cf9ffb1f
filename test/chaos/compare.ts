import { type BarColumns, COLUMNS, formatInstant } from '@tidegate/core'
import type { Database, SeriesSummary, Store } from '@tidegate/db'
import type { MarketBar } from '@tidegate/simulator'
import { sql } from 'drizzle-orm'
import type { Logins } from './logins.ts'
import type { Scales } from './scales.ts'
import { truthQuery } from './wanted.ts'

/** What was on its way when it was put right still came before: seconds. */
const UNDERWAY_SEC = 600

export interface Comparing {
  readonly database: Database
  readonly store: Store
  readonly logins: Logins
  readonly scales: Scales
  /** When it is compared, epoch seconds. */
  readonly endSec: number
  /** From when on all was calm, by every clock, epoch seconds. */
  readonly calmSec: number
}

/**
 * Whether a series holds what the market had wherever it is covered, bit for bit, and nothing where it is not: all of it of one
 * scale, the newest of which anything came.
 */
export async function compare(
  series: SeriesSummary,
  { database, store, logins, scales, endSec, calmSec }: Comparing,
): Promise<{ readonly found: number; readonly differences: readonly string[] }> {
  const stored = await store.bars(series.id, { start: 0, end: 4e9 }, 1e7)
  const [last] = await database.rows<{ sec: number | null }>(
    sql`select extract(epoch from max(finished_at))::float8 as sec from chunks
      where series_id = ${series.id} and state = 'done' and rows > 0`,
  )
  // Instants of the storm are by clocks that jump.
  const cameSec = Math.max(0, last?.sec ?? 0)
  const ends = scales.endsOf(series.spec, endSec).filter((end) => cameSec < calmSec || end >= cameSec - UNDERWAY_SEC)
  const tried = ends.map((end) => {
    const truth = series.covered.flatMap((window) =>
      logins.truthAt(end, truthQuery(series.instrumentId, series.spec, series.hours, window)),
    )
    return differencesOf(nameOf(series), stored, columnsOf(truth))
  })
  const right = tried.find((differences) => differences.length === 0)
  return { found: stored.t.length, differences: right ?? tried[0] ?? [] }
}

/** What the market had, as it is stored. */
export function columnsOf(truth: readonly MarketBar[]): BarColumns {
  const orNull = (value: number) => (value === -1 ? null : value)
  return {
    t: truth.map((bar) => bar.timeSec),
    o: truth.map((bar) => bar.open),
    h: truth.map((bar) => bar.high),
    l: truth.map((bar) => bar.low),
    c: truth.map((bar) => bar.close),
    v: truth.map((bar) => orNull(bar.volume)),
    w: truth.map((bar) => orNull(bar.wap)),
    n: truth.map((bar) => orNull(bar.count)),
  }
}

function differencesOf(told: string, stored: BarColumns, expected: BarColumns): string[] {
  const have = new Set(stored.t)
  const should = new Set(expected.t)
  const missing = expected.t.filter((t) => !have.has(t))
  const extra = stored.t.filter((t) => !should.has(t))
  const differences: string[] = []
  if (missing.length > 0)
    differences.push(`${told}: covered, and ${missing.length} bars are missing: ${instants(missing)}`)
  if (extra.length > 0)
    differences.push(`${told}: ${extra.length} bars that are not covered, or not the market’s: ${instants(extra)}`)
  if (differences.length > 0) return differences
  return COLUMNS.flatMap((field) => {
    const at = expected[field].findIndex((value, i) => value !== stored[field][i])
    if (at < 0) return []
    const t = formatInstant(expected.t[at] ?? 0)
    return [`${told}: ${field} of ${t} is ${stored[field][at]}, the market had ${expected[field][at]}`]
  })
}

export function nameOf({ instrumentId, spec, hours }: SeriesSummary): string {
  return `${instrumentId} ${spec} ${hours}`
}

function instants(secs: readonly number[]): string {
  return `${secs.slice(0, 3).map(formatInstant).join(', ')}${secs.length > 3 ? ', …' : ''}`
}
