import { createStore, type TcpDatabase } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { anySeries, barsAt, DEFINITION, LEASE, minutes, NOW, T0, taken, windowOf } from './fixture.ts'

const ROUNDS = 12

/** What two connections do to each other; an embedded database has but one. */
export function describeRaces(openMigrated: () => Promise<TcpDatabase>): void {
  let database: TcpDatabase
  beforeAll(async () => {
    database = await openMigrated()
  })
  afterAll(() => database?.close())

  it('an answer that is being stored while its dataset’s data are dropped leaves nothing behind', async () => {
    const store = createStore(database)
    const { id } = await anySeries(store)
    await store.putDataset(DEFINITION, NOW)
    await store.linkDataset(DEFINITION)
    const window = windowOf(T0, 60)
    const run = { id: 'run', source: 'tick', dataset: 'stocks', chunks: [{ seriesId: id, window }], now: NOW }
    const [chunkId = ''] = (await store.createRun(run)).chunkIds
    const claim = await taken(store, chunkId)
    const { promise: stored, resolve: letGo } = Promise.withResolvers<void>()
    const { promise: written, resolve: wrote } = Promise.withResolvers<void>()
    const storing = database.orm.transaction(async (transaction) => {
      const own = createStore({
        ...database,
        rows: async (statement) => ((await transaction.execute(statement)) as { readonly rows: never[] }).rows,
      })
      expect(await own.commit(claim, { bars: barsAt([T0]), state: 'filled', covered: window }, NOW)).toMatchObject({
        held: true,
      })
      wrote()
      await stored
    })
    await written
    const removing = store.removeDataset('stocks', { dropData: true }, NOW)
    await waiting()
    letGo()
    await storing
    expect(await removing).toBe(true)
    expect(await store.series()).toEqual([])
    expect(await store.bars(id, window, 10)).toMatchObject({ t: [] })
    expect(await database.rows(sql`select 1 from coverage`)).toEqual([])
  })

  it('however many answers come while a dataset’s data are dropped, nothing is left and nobody fails', async () => {
    const store = createStore(database)
    for (let round = 0; round < ROUNDS; round++) {
      const series = [await anySeries(store), await anySeries(store, 'MSFT')]
      const definition = { ...DEFINITION, instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'] }
      await store.putDataset(definition, NOW)
      await store.linkDataset(definition)
      const chunks = series.flatMap(({ id }) =>
        Array.from({ length: 6 }, (_, i) => ({ seriesId: id, window: windowOf(T0 + i * 600, 10) })),
      )
      const run = { id: `round-${round}`, source: 'tick', dataset: 'stocks', chunks, now: NOW }
      const waiting = (await store.createRun(run)).chunkIds
      const work = async () => {
        for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
          const claim = await store.claim(id, LEASE)
          if (!claim) continue
          const bars = barsAt(minutes(claim.window.start, 10))
          await store.commit(claim, { bars, state: 'filled', covered: claim.window }, NOW)
        }
      }
      const remove = async () => {
        // Anywhere from before the first answer until after the last.
        const left = round % chunks.length
        while (waiting.length > left) await new Promise(setImmediate)
        return store.removeDataset('stocks', { dropData: true }, NOW)
      }
      const results = await Promise.all([remove(), work(), work(), work(), store.closeRuns(NOW)])
      expect(results[0]).toBe(true)
      expect(await store.series()).toEqual([])
      const [left] = await database.rows(sql`
        select (select count(*) from bars)::int as bars, (select count(*) from coverage)::int as coverage,
          (select count(*) from chunks)::int as chunks`)
      expect(left).toEqual({ bars: 0, coverage: 0, chunks: 0 })
    }
  })

  /** Until some statement waits for a row that another holds. */
  async function waiting(): Promise<void> {
    const locks = () => database.rows(sql`select 1 from pg_locks where not granted`)
    await expect.poll(locks, { interval: 5 }).not.toEqual([])
  }
}
