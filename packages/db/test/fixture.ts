import { type BarColumns, type ContractDetails, type DatasetDefinition, emptyBars, type Window } from '@tidegate/core'
import type { Answer, Claim, Database, Series, Store } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { beforeEach } from 'vitest'

export { wipe } from '../../../test/support/wipe.ts'

/** A Wednesday, 14:30 UTC. */
export const T0 = 1_709_735_400
export const NOW = T0 + 86_400
export const LEASE = { now: NOW, leaseSec: 60 }

/** A dataset to be varied. */
export const DEFINITION: DatasetDefinition = {
  name: 'stocks',
  instruments: ['AAPL.NASDAQ'],
  specs: ['1MIN'],
  since: '2024-01-02',
  hours: 'regular',
  schedule: { every: '5m' },
}

/** Opens a migrated database of its own for a suite, which closes it. */
export type OpenDatabase = () => Promise<Database>

/** What the cases are held against: a store over a migrated database, which is empty before each test. */
export interface Subject {
  readonly database: Database
  readonly store: Store
}

export function details(symbol: string, more: Partial<ContractDetails> = {}): ContractDetails {
  return {
    contract: { conId: 1, symbol, secType: 'STK', exchange: 'SMART', primaryExchange: 'NASDAQ', currency: 'USD' },
    longName: `${symbol} Inc.`,
    minTick: 0.01,
    priceMagnifier: 1,
    timeZoneId: 'US/Eastern',
    tradingHours: '',
    liquidHours: '',
    stockType: 'COMMON',
    industry: '',
    category: '',
    contractMonth: '',
    realExpirationDate: '',
    underConId: 0,
    minSize: 1,
    sizeIncrement: 1,
    validExchanges: ['SMART', 'NASDAQ'],
    secIds: {},
    ...more,
  }
}

/** One bar at each time; `price` moves them all. */
export function barsAt(times: readonly number[], price = 100): BarColumns {
  const bars = emptyBars()
  for (const t of times) {
    bars.t.push(t)
    bars.o.push(price)
    bars.h.push(price + 2)
    bars.l.push(price - 1)
    bars.c.push(price + 1)
    bars.v.push(1000)
    bars.w.push(price + 0.5)
    bars.n.push(10)
  }
  return bars
}

export function minutes(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i * 60)
}

export function windowOf(from: number, count: number): Window {
  return { start: from, end: from + count * 60 }
}

/** The whole window answered with these bars. */
export function filled(covered: Window, bars: BarColumns): Answer {
  return { bars, state: 'filled', covered }
}

export function empty(covered: Window | undefined): Answer {
  return { bars: emptyBars(), state: 'empty', covered }
}

/** A series to write into. */
export async function anySeries(store: Store, symbol = 'AAPL'): Promise<Series> {
  const instrumentId = `${symbol}.NASDAQ`
  await store.putInstrument(instrumentId, details(symbol), NOW)
  const [series] = await store.ensureSeries([{ instrumentId, spec: '1-MINUTE-LAST', hours: 'regular' }])
  if (!series) throw new Error('No series came back.')
  return series
}

/** A series that each test of a suite finds made anew. */
export function eachSeries(store: Store): Series {
  const series: Series = { id: 0, instrumentId: '', spec: '', hours: 'regular' }
  beforeEach(async () => {
    Object.assign(series, await anySeries(store))
  })
  return series
}

let runs = 0
export function newRunId(): string {
  return `run-${++runs}`
}

/** Chunks of one new run, by their ids. */
export async function queue(store: Store, seriesId: number, windows: readonly Window[]): Promise<string[]> {
  const chunks = windows.map((window) => ({ seriesId, window }))
  return (await store.createRun({ id: newRunId(), source: 'test', chunks, now: NOW })).chunkIds
}

/** A chunk of this window, claimed. */
export async function claimed(store: Store, seriesId: number, window: Window): Promise<Claim> {
  const [id = ''] = await queue(store, seriesId, [window])
  return taken(store, id)
}

/** A chunk that may be claimed, claimed for a minute. */
export async function taken(store: Store, chunkId: string, now = NOW): Promise<Claim> {
  return held(await store.claim(chunkId, { ...LEASE, now }))
}

export function held(claim: Claim | undefined): Claim {
  if (!claim) throw new Error('There was nothing to claim.')
  return claim
}

/** Asks for a window and commits its answer. */
export async function fill(store: Store, seriesId: number, window: Window, answer: Answer) {
  return store.commit(await claimed(store, seriesId, window), answer, NOW)
}

type Entry = Awaited<ReturnType<Store['outbox']>>[number]

/** What the outbox holds, delivered. */
export async function deliver(store: Store): Promise<readonly Entry[]> {
  const entries = await store.outbox(10_000)
  await store.delivered(
    entries.map(({ id }) => id),
    NOW,
  )
  return entries
}

export async function coverageOf(database: Database, seriesId: number): Promise<Record<string, [number, number][]>> {
  const rows = await database.rows<{ state: string; start: number; end: number }>(sql`
    select state, extract(epoch from lower(w))::float8 as start, extract(epoch from upper(w))::float8 as "end"
    from coverage, unnest(windows) w where series_id = ${seriesId} order by state, w`)
  const found: Record<string, [number, number][]> = {}
  for (const { state, start, end } of rows) {
    found[state] ??= []
    found[state].push([start, end])
  }
  return found
}
