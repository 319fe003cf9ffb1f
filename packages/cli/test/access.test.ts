import { EVENT_TYPES } from '@tidegate/core'
import type { EmbeddedDatabase } from '@tidegate/db'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { type Receiver, startReceiver } from '../../../test/support/receiver.ts'
import { wipe } from '../../../test/support/wipe.ts'
import { type Door, KEY, openDoor } from '../../functions/test/door.ts'
import { commandsTo, createFolders, NOW_MS, SLOW_MS, tidegate } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

let database: EmbeddedDatabase
let receiver: Receiver
let folders: Awaited<ReturnType<typeof createFolders>>
let door: Door
beforeAll(async () => {
  ;[database, receiver, folders] = await Promise.all([freshPglite(), startReceiver(), createFolders()])
})
afterAll(async () => {
  await folders?.remove()
  await receiver?.close()
  await database?.close()
})
beforeEach(async () => {
  await wipe(database)
  door = openDoor(database, NOW_MS / 1000)
})

const run = (...argv: string[]) => commandsTo((request) => door.app.fetch(request), KEY)(...argv)

describe('keys', () => {
  test('are made, listed and revoked', async () => {
    expect((await run('keys', 'list')).out).toBe('There are no keys but TIDEGATE_KEY.\n')
    const made = await run('keys', 'create', '--name', 'grafana', '--scopes', 'run,read')
    expect(made).toMatchObject({
      status: 0,
      err: expect.stringMatching(/^The key [0-9a-f]{12} may read, run\. .*once:\n$/),
    })
    expect(made.out).toMatch(/^tg_[0-9a-f]{12}_[\w-]{43}\n$/)
    const key = made.out.trim()
    expect((await door.call('GET', '/v1/series', { key })).status).toBe(200)
    const listed = await run('keys', 'list')
    expect(listed.out).toMatch(/[0-9a-f]{12} .* grafana .* read, run .* 2026-11-20 15:30 .* –/)
    expect(listed.out).not.toContain(key)
    const json = JSON.parse((await run('keys', 'list', '--json')).out)
    expect(json).toMatchObject({ keys: [{ name: 'grafana', scopes: ['read', 'run'], revokedAt: null }] })
    const [, id = ''] = key.split('_')
    expect(await run('keys', 'revoke', id)).toMatchObject({ status: 0, out: expect.stringContaining('is revoked') })
    expect((await door.call('GET', '/v1/series', { key })).status).toBe(401)
  })

  test('need a name and scopes that there are', async () => {
    expect(await run('keys', 'create', '--name', 'x')).toMatchObject({
      status: 2,
      err: expect.stringContaining('--scopes'),
    })
    expect(await run('keys', 'create', '--name', 'x', '--scopes', 'write')).toMatchObject({
      status: 2,
      err: expect.stringContaining('"write" is none of read, run, admin.'),
    })
    expect(await run('keys', 'revoke', 'none')).toMatchObject({ status: 1, err: 'tidegate: There is no key "none".\n' })
  })

  test('made where nothing runs yet are there when something does', async () => {
    const folder = await folders.next()
    const made = await tidegate(folder, ['keys', 'create', '--name', 'first', '--scopes', 'read'])
    expect(made.status).toBe(0)
    await folders.inStore(folder, async (store) => {
      expect(await store.apiKeys()).toMatchObject([{ name: 'first', scopes: ['read'] }])
    })
  })
})

describe('webhooks', () => {
  test('are added, listed, tried and removed', async () => {
    expect((await run('webhooks', 'list')).out).toContain('tidegate webhooks add URL')
    const added = await run('webhooks', 'add', `${receiver.url}/a`, '--events', 'run.failed,restatement')
    expect(added.out).toMatch(/^whsec_[\w+/=]{44}\n$/)
    const [, id = ''] = /^(whk_\w+) is told of run\.failed, restatement\./.exec(added.err) ?? []
    expect(await run('webhooks', 'test', id)).toMatchObject({ status: 0, out: `${id} took the test.\n` })
    receiver.answers.set('/a', 500)
    expect(await run('webhooks', 'test', id)).toMatchObject({
      status: 1,
      err: `${id} did not take the test. It answered 500.\n`,
    })
    const listed = await run('webhooks', 'list')
    expect(listed.out).toMatch(/whk_\w+ .*\/a .* run\.failed, restatement .* 1 .* 1 .* 0 .* It answered 500\./)
    expect(listed.out).not.toContain('whsec')
    expect(await run('webhooks', 'remove', id)).toMatchObject({ status: 0 })
    expect(await run('webhooks', 'remove', id)).toMatchObject({ status: 1 })
  })

  test('are told of everything unless it is said of what', async () => {
    await run('webhooks', 'add', `${receiver.url}/all`)
    expect((await door.world.store.webhooks())[0]?.events).toEqual(EVENT_TYPES)
    expect(await run('webhooks', 'add', 'nonsense')).toMatchObject({
      status: 1,
      err: expect.stringContaining('https://'),
    })
  })
})

describe('hooks', () => {
  test('are added to a dataset, listed and removed', async () => {
    expect(await run('hooks', 'add', 'nightly', '--dataset', 'stocks')).toMatchObject({
      status: 1,
      err: 'tidegate: There is no dataset "stocks": declare it first.\n',
    })
    await door.world.ingest.declare({
      ...{ name: 'stocks', instruments: ['AAPL'], specs: ['1HOUR'], since: '2026-04-06', hours: 'regular' },
      schedule: { every: '1h' },
    })
    const added = await run('hooks', 'add', 'nightly', '--dataset', 'stocks')
    expect(added.out).toMatch(/^whsec_/)
    expect(added.err).toContain('POST http://tidegate.test/v1/hooks/nightly starts a run of stocks.')
    expect((await run('hooks', 'list')).out).toMatch(/nightly .* stocks .* 2026-11-20 15:30/)
    expect(await run('hooks', 'remove', 'nightly')).toMatchObject({ status: 0 })
    expect((await run('hooks', 'list')).out).toContain('There are no hooks yet')
  })
})
