import { createStore, type Database, type Store } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { beforeEach, expect, it } from 'vitest'
import { DEFINITION, NOW, wipe } from './fixture.ts'

/** Who may come in: keys of the HTTP interface, and inbound hooks. */
export function describeAccess(open: () => Database): void {
  let store: Store
  beforeEach(async () => {
    store = createStore(open())
    await wipe(open())
  })

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
    expect(await store.hook('nightly')).toEqual({ ...hook, secret: 'whsec_two' })
    expect(await store.hook('other')).toBeUndefined()
    expect(await store.hooks()).toEqual([{ name: 'nightly', dataset: 'stocks', createdAt: NOW }])
    expect(await store.removeHook('nightly')).toBe(true)
    expect(await store.removeHook('nightly')).toBe(false)
  })

  it('a call is taken once, until it is dropped or long ago', async () => {
    await putStocks()
    for (const name of ['one', 'two']) await store.putHook({ name, dataset: 'stocks', secret: 's', createdAt: NOW })
    const twice = await Promise.all([store.takeCall('one', 'c', NOW), store.takeCall('one', 'c', NOW)])
    expect(twice.sort()).toEqual([false, true])
    expect(await store.takeCall('two', 'c', NOW)).toBe(true)
    expect(await store.takeCall('none', 'c', NOW)).toBe(false)
    await store.dropCall('one', 'c')
    expect(await store.takeCall('one', 'c', NOW)).toBe(true)
    await store.pruneCalls(NOW)
    expect(await store.takeCall('one', 'c', NOW)).toBe(false)
    await store.pruneCalls(NOW + 1)
    expect(await store.takeCall('one', 'c', NOW)).toBe(true)
  })

  it('a hook ends with its dataset', async () => {
    await putStocks()
    await store.putHook({ name: 'one', dataset: 'stocks', secret: 's', createdAt: NOW })
    await store.takeCall('one', 'c', NOW)
    await open().rows(sql`delete from datasets where name = 'stocks'`)
    expect(await store.hooks()).toEqual([])
    expect(await store.takeCall('one', 'c', NOW)).toBe(false)
  })
}
