import { type DatasetDefinition, TidegateError } from '@tidegate/core'
import { type ChunkPlan, createStore, type Database, type Store } from '@tidegate/db'
import { createIngest, type Ingest } from '@tidegate/ingest'
import type { Relay } from '@tidegate/relay'
import { sql } from 'drizzle-orm'
import { onEachDatabase } from './databases.ts'
import { detailsOf } from './details.ts'
import type { Figure } from './figure.ts'
import { coverAllButHoles } from './holes.ts'
import { median } from './median.ts'
import { quiet } from './quiet.ts'

const SERIES = 10_000
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

/**
 * Minute bars of 10,000 instruments over ten years: the plan as it is told, and the first run of it as a tick cuts it,
 * without putting it down; where nothing is stored, and where ten holes and the last month are missing.
 */
export async function benchPlanning(): Promise<Figure[]> {
  const rows: Record<string, string>[] = []
  const figures: Figure[] = []
  await onEachDatabase(async (name, open) => {
    const database = await open()
    await declare(database)
    for (const stored of ['nothing', 'all but holes'] as const) {
      if (stored !== 'nothing') await coverAllButHoles(database)
      const { ingest, planned } = ingestOver(database)
      const told = await median(ROUNDS, async () => (await ingest.plan({ dataset: NAME })).requests)
      const cut = await median(ROUNDS, async () => {
        await database.rows(sql`update datasets set due_at = to_timestamp(${NOW_SEC}::float8)`)
        await ingest.tick()
        return planned.chunks.length
      })
      if (told.result === 0 || cut.result === 0) throw new Error('There was nothing to plan.')
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
  })
  console.log('\nPlanning')
  console.table(rows)
  return figures
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
