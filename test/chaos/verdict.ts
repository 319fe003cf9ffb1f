import { type BarColumns, COLUMNS, formatInstant, parseSpec, subtract, type Window } from '@tidegate/core'
import type { Database, SeriesSummary, Store } from '@tidegate/db'
import type { MarketBar } from '@tidegate/simulator'
import { sql } from 'drizzle-orm'
import type { HookCaller } from './caller.ts'
import type { Gateway } from './gateway.ts'
import type { Logins } from './logins.ts'
import type { ShakenReceiver } from './receiver.ts'
import type { Scales } from './scales.ts'
import { surelyWanted, truthQuery } from './wanted.ts'

/** What a dataset of the run was wanted since; undefined: since the market has it. */
export interface Want {
  readonly name: string
  readonly sinceSec: number | undefined
}

interface Parts {
  readonly database: Database
  readonly store: Store
  readonly logins: Logins
  readonly scales: Scales
  readonly receiver: ShakenReceiver
  readonly caller: HookCaller
  readonly wants: readonly Want[]
  /** When the last of it was asked for, epoch seconds. */
  readonly nowSec: number
  /** When it is judged, epoch seconds. */
  readonly endSec: number
  /** From when on all was calm, by every clock, epoch seconds. */
  readonly calmSec: number
}

const ENDS = { done: 'run.finished', failed: 'run.failed', cancelled: 'run.cancelled' } as const
/** What was on its way when it was put right still came before: seconds. */
const UNDERWAY_SEC = 600

/** What is wrong once the dust has settled; nothing, if all is well. */
export async function judge(parts: Parts): Promise<{ readonly faults: string[]; readonly bars: number }> {
  const faults = [
    ...(await leftovers(parts.database)),
    ...parts.logins.gateways.flatMap(violationsOf),
    ...(await untold(parts)),
    ...(await miscalled(parts)),
  ]
  let bars = 0
  for (const series of await parts.store.series()) {
    const { found, differences } = await compare(series, parts)
    bars += found
    faults.push(...differences)
  }
  return { faults: [...faults, ...(await uncovered(parts))], bars }
}

function violationsOf({ name, simulator }: Gateway): string[] {
  return simulator.violations.slice(0, 3).map(({ rule, text }) => `pacing was violated by ${name} (${rule}): ${text}`)
}

/** What is open though nothing is left to wait for. */
async function leftovers(database: Database): Promise<string[]> {
  const [row] = await database.rows<Record<string, number>>(sql`
    select (select count(*)::int from chunks where state in ('queued', 'leased')) as "open chunks",
      (select count(*)::int from runs where state = 'open') as "open runs",
      (select count(*)::int from outbox where delivered_at is null) as "undelivered outbox entries",
      (select count(*)::int from deliveries where state <> 'delivered') as "events not told"`)
  return Object.entries(row ?? {}).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []))
}

/** Runs whose end reached nobody, and deliveries that nobody has seen. */
async function untold({ database, receiver }: Parts): Promise<string[]> {
  const told = new Set(receiver.told.map(({ id }) => id))
  const ends = receiver.told.map(({ type, data }) => `${type} ${data.run}`)
  const deliveries = await database.rows<{ id: string }>(sql`select event_id as id from deliveries`)
  const missed = deliveries.filter(({ id }) => !told.has(id)).map(({ id }) => `event ${id} was not told`)
  const runs = await database.rows<{ id: string; state: keyof typeof ENDS }>(
    sql`select id, state from runs where state <> 'open'`,
  )
  const silent = runs.flatMap(({ id, state }) =>
    ends.includes(`${ENDS[state]} ${id}`) ? [] : [`nobody was told that ${id} is ${state}`],
  )
  return [...missed, ...silent]
}

/** Calls of the hook that started no run, or more than one; runs of it that nobody asked for. */
async function miscalled({ database, caller }: Parts): Promise<string[]> {
  const runs = await database.rows<{ id: string }>(
    sql`select id from runs where source = 'hook' order by created_at, id`,
  )
  return caller.faults(runs.map(({ id }) => id))
}

/**
 * Whether a series holds what the market had wherever it is covered, bit for bit, and nothing where it is not: all of it of one
 * scale, the newest of which anything came.
 */
async function compare(series: SeriesSummary, parts: Parts) {
  const { database, store, logins, scales, endSec, calmSec } = parts
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

/** What was wanted, is final, and is not covered. */
async function uncovered({ database, store, logins, wants, nowSec, endSec }: Parts): Promise<string[]> {
  const wanted = await database.rows<{ dataset: string; id: number }>(
    sql`select dataset, series_id as id from dataset_series order by series_id`,
  )
  const all = await store.series()
  return wants.flatMap(({ name, sinceSec }) => {
    const own = wanted.filter(({ dataset }) => dataset === name)
    if (own.length === 0) return [`dataset ${name} has no series`]
    return own.flatMap(({ id }) => {
      const series = all.find((one) => one.id === id)
      if (!series) return [`series ${id} is gone`]
      const first = sinceSec ?? headOf(series, logins, endSec)
      const window = surelyWanted(parseSpec(series.spec), first, nowSec)
      const gaps = window.start < window.end ? subtract([window], series.covered) : []
      return gaps.length > 0 ? [`${nameOf(series)}: not covered: ${gaps.slice(0, 4).map(textOf).join(', ')}`] : []
    })
  })
}

/** When the market's first bar of it begins, epoch seconds. */
function headOf({ instrumentId, spec, hours }: SeriesSummary, { truthAt }: Logins, endSec: number): number {
  const [first] = truthAt(endSec, truthQuery(instrumentId, spec, hours, { start: 0, end: endSec }))
  return first?.timeSec ?? endSec
}

function nameOf({ instrumentId, spec, hours }: SeriesSummary): string {
  return `${instrumentId} ${spec} ${hours}`
}

function textOf({ start, end }: Window): string {
  return `${formatInstant(start)} to ${formatInstant(end)}`
}

function instants(secs: readonly number[]): string {
  return `${secs.slice(0, 3).map(formatInstant).join(', ')}${secs.length > 3 ? ', …' : ''}`
}
