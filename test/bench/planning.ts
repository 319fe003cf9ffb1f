import { type ContractDetails, type DatasetDefinition, TidegateError } from '@tidegate/core'
import { type ChunkPlan, createStore, type Database, openPglite, openTcp, type Store } from '@tidegate/db'
import { createIngest, type Ingest, type Log } from '@tidegate/ingest'
import type { Relay } from '@tidegate/relay'
import { sql } from 'drizzle-orm'
import { startPostgres } from '../support/postgres.ts'
import type { Figure } from './figure.ts'

const SERIES = 10_000
const HOLES = 10
const ROUNDS = 5
const MOST_MS = 2000
/** A Wednesday, 18:00 UTC. */
const NOW_SEC = Date.UTC(2026, 3, 8, 18) / 1000
const NAME = 'all'
const DATASET: DatasetDefinition = {
  name: NAME,
  instruments: Array.from({ length: SERIES }, (_, i) => `S${i}.NASDAQ`),
  specs: ['1MIN'],
  since: '2016-04-08',
  hours: 'regular',
  schedule: { every: '1m' },
}
const nothing = () => {}
const quiet: Log = { info: nothing, warn: nothing, error: nothing }

/**
 * Minute bars of 10,000 instruments over ten years: the plan as it is told, and the first run of it as a tick cuts it,
 * without putting it down; where nothing is stored, and where ten holes and the last month are missing.
 */
export async function benchPlanning(): Promise<Figure[]> {
  const postgres = await startPostgres()
  const rows: Record<string, string>[] = []
  const figures: Figure[] = []
  const databases: readonly (readonly [string, () => Promise<Database>])[] = [
    ['PGlite', () => openPglite()],
    ['Postgres', async () => openTcp(await postgres.freshDatabase())],
  ]
  for (const [name, open] of databases) {
    const database = await open()
    await database.migrate()
    await declare(database)
    for (const stored of ['nothing', 'all but holes'] as const) {
      if (stored !== 'nothing') await cover(database)
      const { ingest, planned } = ingestOver(database)
      const told = await median(async () => (await ingest.plan({ dataset: NAME })).requests)
      const cut = await median(async () => {
        await database.rows(sql`update datasets set due_at = to_timestamp(${NOW_SEC}::float8)`)
        await ingest.tick()
        return planned.chunks.length
      })
      const put = await putDown(createStore(database), planned.chunks)
      rows.push({
        ...{ database: name, stored, requests: told.result.toLocaleString('en') },
        ...{ 'plan, ms': told.ms.toFixed(0), 'tick’s plan, ms': cut.ms.toFixed(0) },
        'its run put down, ms': `${put.toFixed(0)} (${cut.result.toLocaleString('en')} chunks)`,
      })
      const what = `${SERIES} series × 10 years, ${stored} stored, ${name}: ms`
      figures.push({ name: `plan of ${what}`, reached: told.ms, atMost: MOST_MS })
      figures.push({ name: `a tick’s plan of ${what}`, reached: cut.ms, atMost: MOST_MS })
      await database.rows(sql`delete from outbox`)
      await database.rows(sql`delete from chunks`)
    }
    await database.close()
  }
  console.log('\nPlanning')
  console.table(rows)
  await postgres.close()
  return figures
}

async function median(act: () => Promise<number>): Promise<{ readonly ms: number; readonly result: number }> {
  const times: number[] = []
  let result = 0
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now()
    result = await act()
    times.push(performance.now() - begun)
  }
  if (result === 0) throw new Error('There was nothing to plan.')
  return { ms: times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN, result }
}

async function putDown(store: Store, chunks: readonly ChunkPlan[]): Promise<number> {
  const begun = performance.now()
  const { chunkIds } = await store.createRun({ id: crypto.randomUUID(), source: 'bench', chunks, now: NOW_SEC })
  if (chunkIds.length !== chunks.length) throw new Error('Some chunks were left out.')
  return performance.now() - begun
}

async function declare(database: Database): Promise<void> {
  const store = createStore(database)
  await database.rows(sql`
    insert into instruments (id, details, updated_at)
    select value, ${JSON.stringify(detailsOf())}::jsonb, now() from jsonb_array_elements_text(${JSON.stringify(DATASET.instruments)}::jsonb)`)
  await store.putDataset(DATASET, NOW_SEC)
  await store.linkDataset(DATASET)
  await database.rows(sql`analyze`)
}

/** Ten years less the last month, and less a day here and there, elsewhere for every series. */
async function cover(database: Database): Promise<void> {
  await database.rows(sql`
    insert into coverage (series_id, state, windows)
    select s.id, 'filled', tstzmultirange(tstzrange('2016-04-08Z', '2026-03-08Z')) - (
      select range_agg(tstzrange(day, day + interval '1 day')) from (
        select timestamptz '2016-05-01Z' + make_interval(days => (s.id * 37 + k * 353) % 3500) as day from generate_series(1, ${HOLES}::int) k
      ) hole)
    from series s`)
  await database.rows(sql`analyze`)
}

function detailsOf(): ContractDetails {
  const contract = { conId: 1, symbol: 'S', secType: 'STK', exchange: 'SMART', primaryExchange: 'NASDAQ' } as const
  // biome-ignore format: what no benchmark looks at.
  return {
    contract: { ...contract, currency: 'USD' }, longName: '', minTick: 0.01, priceMagnifier: 1, timeZoneId: 'US/Eastern',
    tradingHours: '', liquidHours: '', stockType: 'COMMON', industry: '', category: '', contractMonth: '',
    realExpirationDate: '', underConId: 0, minSize: 1, sizeIncrement: 1, validExchanges: [], secIds: {},
  }
}

/** An ingest that puts down no run, and keeps what the last one would have held. */
function ingestOver(database: Database): {
  readonly ingest: Ingest
  readonly planned: { chunks: readonly ChunkPlan[] }
} {
  const planned: { chunks: readonly ChunkPlan[] } = { chunks: [] }
  const unused = async (): Promise<never> => {
    throw new TidegateError('disconnected', 'There is no gateway here: what is planned hangs on what is stored alone.')
  }
  const store: Store = {
    ...createStore(database),
    async createRun({ chunks }) {
      planned.chunks = chunks
      return { chunkIds: [] }
    },
  }
  const ingest = createIngest({
    store,
    relay: new Proxy({}, { get: () => unused }) as Relay,
    queue: { send: async () => {}, consume: async () => {} },
    now: () => NOW_SEC * 1000,
    random: Math.random,
    newId: () => crypto.randomUUID(),
    log: quiet,
  })
  return { ingest, planned }
}
