import { createBridge, readSettings } from '@tidegate/bridge'
import { type Answer, type ChunkPlan, createStore, type Database, type Store } from '@tidegate/db'
import { createIngest } from '@tidegate/ingest'
import { createRelay } from '@tidegate/relay'
import { startChild } from './child.ts'
import { onEachDatabase } from './databases.ts'
import { detailsOf } from './details.ts'
import type { Figure } from './figure.ts'
import { quiet } from './quiet.ts'

const KEY = 'a-key-for-the-benchmark-of-32-characters'
const WINDOW = { start: Date.UTC(2024, 0, 1) / 1000, end: Date.UTC(2024, 3, 1) / 1000 }
/** The first of them compiles what the others run. */
const ROUNDS = 5
/** Chunks under way at once, as a worker on Node has them. */
const AT_ONCE = 4
const LEAST_RATIO = 0.6

/** One chunk as it was committed, so that the same can be committed again with nothing before it. */
interface Written {
  readonly chunk: ChunkPlan
  readonly answer: Answer
}

/**
 * A quarter of a year of minute bars from the gateway's socket to committed rows, pacing off, against the commit statement
 * alone with the same rows, in turns: the share of the database's own speed that the whole way reaches.
 */
export async function benchPipeline(): Promise<Figure[]> {
  const simulator = await startChild('simulator.ts')
  const rows: Record<string, string>[] = []
  const figures: Figure[] = []
  await onEachDatabase(async (name, open) => {
    const ratios: number[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      const { written, barsPerSec: whole } = await fetchAll(await open(), simulator.said)
      const alone = await commitAll(await open(), written)
      ratios.push(whole / alone)
      rows.push({
        database: name,
        round: String(round),
        bars: written.reduce((sum, { answer }) => sum + answer.bars.t.length, 0).toLocaleString('en'),
        'socket to row, rows/s': Math.round(whole).toLocaleString('en'),
        'commit alone, rows/s': Math.round(alone).toLocaleString('en'),
        ratio: (whole / alone).toFixed(2),
      })
    }
    const median = ratios.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0
    figures.push({ name: `socket to row ÷ commit alone, ${name}`, reached: median, atLeast: LEAST_RATIO })
  })
  console.log('\nFrom the gateway’s socket to a committed row')
  console.table(rows)
  await simulator.stop()
  return figures
}

async function fetchAll(database: Database, port: string): Promise<{ written: Written[]; barsPerSec: number }> {
  const settings = readSettings({ IBKR_PORT: port, BRIDGE_KEY: KEY })
  const bridge = await createBridge({
    settings: { ...settings, messagesPerSec: 1_000_000 },
    log: quiet,
    listen: false,
    untilReady: true,
  })
  const written: Written[] = []
  const store = recording(createStore(database), written)
  const queued: string[] = []
  const ingest = createIngest({
    store,
    relay: createRelay({ url: 'http://bridge', key: KEY, fetch: bridge.fetch }),
    queue: { send: async (ids) => void queued.push(...ids), consume: async () => {} },
    now: Date.now,
    random: Math.random,
    newId: () => crypto.randomUUID(),
    log: quiet,
  })
  await ingest.start({ instruments: ['EUR/USD.IDEALPRO'], specs: ['1-MINUTE-MID'], hours: 'all', window: WINDOW })
  const tookSec = await timed(queued, async (id) => {
    const { outcome, error } = await ingest.work(id)
    if (outcome !== 'done') throw new Error(`A chunk ended ${outcome}: ${error?.message}`)
  })
  await bridge.close()
  await database.close()
  return { written, barsPerSec: countBars(written) / tookSec }
}

/** A store that notes what is committed through it. */
function recording(store: Store, written: Written[]): Store {
  const windows = new Map<string, ChunkPlan>()
  return {
    ...store,
    async claim(chunkId, lease) {
      const claim = await store.claim(chunkId, lease)
      if (claim) windows.set(chunkId, { seriesId: claim.series.id, window: claim.window })
      return claim
    },
    async commit(claim, answer, now) {
      const chunk = windows.get(claim.chunkId)
      if (chunk) written.push({ chunk, answer })
      return store.commit(claim, answer, now)
    },
  }
}

async function commitAll(database: Database, written: readonly Written[]): Promise<number> {
  const store = createStore(database)
  const now = Math.floor(Date.now() / 1000)
  const source = await anySeries(store, now)
  const chunks = written.map(({ chunk }) => ({ seriesId: source, window: chunk.window }))
  const { chunkIds } = await store.createRun({ id: 'bench', source: 'bench', chunks, now })
  const claims = await Promise.all(chunkIds.map((id) => store.claim(id, { now, leaseSec: 3600 })))
  const byStart = new Map(written.map(({ chunk, answer }) => [chunk.window.start, answer]))
  const tookSec = await timed(claims, async (claim) => {
    const answer = claim && byStart.get(claim.window.start)
    if (!answer || !(await store.commit(claim, answer, now)).held) throw new Error('A chunk could not be committed.')
  })
  await database.close()
  return countBars(written) / tookSec
}

async function anySeries(store: Store, now: number): Promise<number> {
  const contract = { conId: 1, symbol: 'EUR', secType: 'CASH', exchange: 'IDEALPRO', currency: 'USD' } as const
  const details = detailsOf({ contract, minTick: 0.00005, stockType: '', validExchanges: ['IDEALPRO'] })
  await store.putInstrument('EUR/USD.IDEALPRO', details, now)
  const [series] = await store.ensureSeries([{ instrumentId: 'EUR/USD.IDEALPRO', spec: '1-MINUTE-MID', hours: 'all' }])
  if (!series) throw new Error('The series could not be made.')
  return series.id
}

/** Seconds that all of them take, a few at a time. */
async function timed<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<number> {
  const rest = [...items]
  const begun = performance.now()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = rest.shift(); item !== undefined; item = rest.shift()) await act(item)
    }),
  )
  return (performance.now() - begun) / 1000
}

function countBars(written: readonly Written[]): number {
  return written.reduce((sum, { answer }) => sum + answer.bars.t.length, 0)
}
