import { formatInstant, parseSpec, subtract, type Window } from '@tidegate/core'
import type { Database, SeriesSummary } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import type { HookCaller } from './caller.ts'
import { type Comparing, compare, nameOf } from './compare.ts'
import type { Gateway } from './gateway.ts'
import type { Logins } from './logins.ts'
import type { ShakenReceiver } from './receiver.ts'
import { surelyWanted, truthQuery } from './wanted.ts'

/** What a dataset of the run was wanted since; undefined: since the market has it. */
export interface Want {
  readonly name: string
  readonly instruments: readonly string[]
  readonly sinceSec: number | undefined
}

interface Parts extends Comparing {
  readonly receiver: ShakenReceiver
  readonly caller: HookCaller
  readonly wants: readonly Want[]
  /** When the last of it was asked for, epoch seconds. */
  readonly nowSec: number
}

const ENDS = { done: 'run.finished', failed: 'run.failed', cancelled: 'run.cancelled' } as const

/** What is wrong once the dust has settled; nothing, if all is well. */
export async function judge(
  parts: Parts,
): Promise<{ readonly faults: string[]; readonly bars: number; readonly adjusted: number }> {
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
  const [applied] = await parts.database.rows<{ count: number }>(
    sql`select count(distinct series_id)::int as count from adjustments where state = 'applied'`,
  )
  return { faults: [...faults, ...(await uncovered(parts))], bars, adjusted: applied?.count ?? 0 }
}

function violationsOf({ name, simulator }: Gateway): string[] {
  return simulator.violations.slice(0, 3).map(({ rule, text }) => `pacing was violated by ${name} (${rule}): ${text}`)
}

/** What is open though nothing is left to wait for. */
async function leftovers(database: Database): Promise<string[]> {
  const [row] = await database.rows<Record<string, number>>(sql`
    select (select count(*)::int from chunks where state in ('queued', 'leased')) as "open chunks",
      (select count(*)::int from runs where state = 'open') as "open runs",
      (select count(*)::int from adjustments where state = 'collecting') as "splits not collected",
      (select count(*)::int from staged_bars) as "staged bars",
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
 * What was wanted, is final, and is not covered. The newest stretch need not be as long as no bar of the market's begins in it: it is
 * asked for with the next that does.
 */
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
      const open = window.start < window.end ? subtract([window], series.covered) : []
      const gaps = open.filter((gap) => gap.end < window.end || marketBars(series, logins, gap, endSec).length > 0)
      return gaps.length > 0 ? [`${nameOf(series)}: not covered: ${gaps.slice(0, 4).map(textOf).join(', ')}`] : []
    })
  })
}

/** When the market's first bar of it begins, epoch seconds. */
function headOf(series: SeriesSummary, logins: Logins, endSec: number): number {
  return marketBars(series, logins, { start: 0, end: endSec }, endSec)[0]?.timeSec ?? endSec
}

function marketBars({ instrumentId, spec, hours }: SeriesSummary, { truthAt }: Logins, window: Window, endSec: number) {
  return truthAt(endSec, truthQuery(instrumentId, spec, hours, window))
}

function textOf({ start, end }: Window): string {
  return `${formatInstant(start)} to ${formatInstant(end)}`
}
