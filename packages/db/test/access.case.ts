import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { anySeries, DEFINITION, NOW, type Subject, T0, windowOf } from './fixture.ts'

/** Who may come in: keys of the HTTP interface, and inbound hooks. */
export function describeAccess({ database, store }: Subject): void {
  const putStocks = () => store.putDataset(DEFINITION, NOW)

  it('a key is found by its id, listed without its hash, and revoked once', async () => {
    const key = { id: 'k1', name: 'grafana', scopes: ['read', 'run'], createdAt: NOW } as const
    await store.putKey({ ...key, hash: 'abc' })
    await store.putKey({ ...key, id: 'k2', hash: 'def', scopes: ['admin'], createdAt: NOW + 1 })
    expect(await store.apiKey('k1')).toEqual({ ...key, hash: 'abc', revokedAt: undefined })
    expect(await store.apiKey('k3')).toBeUndefined()
    expect(await store.revokeKey('k1', NOW + 5)).toBe(true)
    expect(await store.revokeKey('k1', NOW + 9)).toBe(true)
    expect(await store.revokeKey('k3', NOW)).toBe(false)
    expect(await store.apiKeys()).toEqual([
      { ...key, revokedAt: NOW + 5 },
      { ...key, id: 'k2', scopes: ['admin'], createdAt: NOW + 1, revokedAt: undefined },
    ])
    await expect(store.putKey({ ...key, id: 'k4', hash: 'abc' })).rejects.toMatchObject({ kind: 'internal' })
  })

  it('a hook belongs to a dataset, and is replaced by name', async () => {
    const hook = { name: 'nightly', dataset: 'stocks', secret: 'whsec_one', createdAt: NOW }
    expect(await store.putHook(hook)).toBeUndefined()
    await putStocks()
    expect(await store.putHook(hook)).toEqual({ isNew: true })
    expect(await store.putHook({ ...hook, secret: 'whsec_two' })).toEqual({ isNew: false })
    expect(await store.hook('nightly')).toEqual({ ...hook, secret: 'whsec_two', paused: false })
    await store.pauseDataset('stocks', true, NOW)
    expect(await store.hook('nightly')).toMatchObject({ paused: true })
    expect(await store.hook('other')).toBeUndefined()
    expect(await store.hooks()).toEqual([{ name: 'nightly', dataset: 'stocks', createdAt: NOW }])
    expect(await store.removeHook('nightly')).toBe(true)
    expect(await store.removeHook('nightly')).toBe(false)
  })

  const take = (hook: string, id: string, now = NOW) => store.takeCall(hook, id, { now, leaseSec: 60 })
  const stateOf = async (...call: Parameters<typeof take>) => (await take(...call))?.state

  it('a call is taken once, until it is dropped, its lease is over, or long ago', async () => {
    await putStocks()
    for (const name of ['one', 'two']) await store.putHook({ name, dataset: 'stocks', secret: 's', createdAt: NOW })
    const twice = await Promise.all([stateOf('one', 'c'), stateOf('one', 'c')])
    expect(twice.sort()).toEqual(['taken', 'under-way'])
    expect(await stateOf('two', 'c')).toBe('taken')
    expect(await take('none', 'c')).toBeUndefined()
    await store.dropCall('one', 'c')
    expect(await stateOf('one', 'c')).toBe('taken')
    expect(await stateOf('one', 'c', NOW + 59)).toBe('under-way')
    expect(await stateOf('one', 'c', NOW + 60)).toBe('taken')
    expect(await stateOf('one', 'c', NOW + 61)).toBe('under-way')
    await store.pruneCalls(NOW + 60)
    expect(await stateOf('one', 'c', NOW + 61)).toBe('under-way')
    await store.pruneCalls(NOW + 61)
    expect(await stateOf('one', 'c', NOW + 61)).toBe('taken')
  })

  it('a call has a run of its own, which is opened once, and found for good', async () => {
    await putStocks()
    for (const name of ['one', 'two']) await store.putHook({ name, dataset: 'stocks', secret: 's', createdAt: NOW })
    const calls = [await take('one', 'c'), await take('one', 'd'), await take('two', 'c')]
    const ids = calls.map((call) => call?.runId ?? '')
    expect(new Set(ids).size).toBe(3)
    const [id = ''] = ids
    expect(await take('one', 'c', NOW + 60)).toEqual({ state: 'taken', runId: id })
    const series = await anySeries(store)
    const run = { id, source: 'hook', dataset: 'stocks', now: NOW }
    const opened = await Promise.all(
      [0, 100].map((from) =>
        store.createRun({ ...run, chunks: [{ seriesId: series.id, window: windowOf(T0 + from * 60, 5) }] }),
      ),
    )
    expect(opened.map(({ chunkIds }) => chunkIds.length).sort()).toEqual([0, 1])
    for (const now of [NOW, NOW + 86_400]) {
      expect(await take('one', 'c', now)).toEqual({ state: 'started', runId: id })
      await store.pruneCalls(now + 1)
    }
    expect(await store.runs({ limit: 9 })).toHaveLength(1)
  })

  it('a hook ends with its dataset', async () => {
    await putStocks()
    await store.putHook({ name: 'one', dataset: 'stocks', secret: 's', createdAt: NOW })
    await take('one', 'c')
    await database.rows(sql`delete from datasets where name = 'stocks'`)
    expect(await store.hooks()).toEqual([])
    expect(await take('one', 'c')).toBeUndefined()
  })
}
