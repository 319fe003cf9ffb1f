import { formatInstant, parseSpec, subtract, type Window } from '@tidegate/core'
import type { Database, SeriesSummary, Store } from '@tidegate/db'
import type { Simulator } from '@tidegate/simulator'
import { sql } from 'drizzle-orm'
import type { ShakenReceiver } from './receiver.ts'
import { surelyWanted, truthQuery } from './wanted.ts'

/** What a dataset of the run was wanted since. */
export interface Want {
  readonly name: string
  readonly sinceSec: number
}

interface Parts {
  readonly database: Database
  readonly store: Store
  readonly simulator: Simulator
  readonly receiver: ShakenReceiver
  readonly wants: readonly Want[]
  /** When the last of it was asked for, epoch seconds. */
  readonly nowSec: number
}

const FIELDS = ['t', 'o', 'h', 'l', 'c', 'v', 'w', 'n'] as const

/** What is wrong once the dust has settled; nothing, if all is well. */
export async function judge(parts: Parts): Promise<{ readonly faults: string[]; readonly bars: number }> {
  const faults = [...(await leftovers(parts.database)), ...violationsOf(parts.simulator), ...(await untold(parts))]
  let bars = 0
  for (const series of await parts.store.series()) {
    const { found, differences } = await compare(series, parts)
    bars += found
    faults.push(...differences)
  }
  return { faults: [...faults, ...(await uncovered(parts))], bars }
}

function violationsOf({ violations }: Simulator): string[] {
  return violations.slice(0, 3).map(({ rule, text }) => `pacing was violated (${rule}): ${text}`)
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
  const ends = new Map(receiver.told.map(({ type, data }) => [data.run, type]))
  const deliveries = await database.rows<{ id: string }>(sql`select event_id as id from deliveries`)
  const missed = deliveries.filter(({ id }) => !told.has(id)).map(({ id }) => `event ${id} was not told`)
  const runs = await database.rows<{ id: string; state: string }>(
    sql`select id, state from runs where state in ('done', 'failed')`,
  )
  const silent = runs.flatMap(({ id, state }) => {
    const expected = state === 'done' ? 'run.finished' : 'run.failed'
    return ends.get(id) === expected ? [] : [`the end of ${id} (${state}) was told as ${ends.get(id) ?? 'nothing'}`]
  })
  return [...missed, ...silent]
}

/** Whether a series holds what the market had wherever it is covered, bit for bit, and nothing where it is not. */
async function compare(series: SeriesSummary, { store, simulator }: Parts) {
  const stored = await store.bars(series.id, { start: 0, end: 4e9 }, 1e7)
  const truth = series.covered.flatMap((window) =>
    simulator.truth(truthQuery(series.instrumentId, series.spec, series.hours, window)),
  )
  const orNull = (value: number) => (value === -1 ? null : value)
  const expected = {
    t: truth.map((bar) => bar.timeSec),
    o: truth.map((bar) => bar.open),
    h: truth.map((bar) => bar.high),
    l: truth.map((bar) => bar.low),
    c: truth.map((bar) => bar.close),
    v: truth.map((bar) => orNull(bar.volume)),
    w: truth.map((bar) => orNull(bar.wap)),
    n: truth.map((bar) => orNull(bar.count)),
  }
  const differences: string[] = []
  const told = nameOf(series)
  const have = new Set(stored.t)
  const should = new Set(expected.t)
  const missing = expected.t.filter((t) => !have.has(t))
  const extra = stored.t.filter((t) => !should.has(t))
  if (missing.length > 0)
    differences.push(`${told}: covered, and ${missing.length} bars are missing: ${instants(missing)}`)
  if (extra.length > 0)
    differences.push(`${told}: ${extra.length} bars that are not covered, or not the market’s: ${instants(extra)}`)
  if (differences.length > 0) return { found: stored.t.length, differences }
  for (const field of FIELDS) {
    const at = expected[field].findIndex((value, i) => value !== stored[field][i])
    if (at < 0) continue
    const t = formatInstant(expected.t[at] ?? 0)
    differences.push(`${told}: ${field} of ${t} is ${stored[field][at]}, the market had ${expected[field][at]}`)
  }
  return { found: stored.t.length, differences }
}

/** What was wanted, is final, and is not covered. */
async function uncovered({ database, store, wants, nowSec }: Parts): Promise<string[]> {
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
      const window = surelyWanted(parseSpec(series.spec), sinceSec, nowSec)
      const gaps = window.start < window.end ? subtract([window], series.covered) : []
      return gaps.length > 0 ? [`${nameOf(series)}: not covered: ${gaps.slice(0, 4).map(textOf).join(', ')}`] : []
    })
  })
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
