import type { EmbeddedDatabase } from '@tidegate/db'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { type Receiver, startReceiver } from '../../../test/support/receiver.ts'
import { describeError } from '../src/describe.ts'
import type { NewHookAnswer, NewWebhookAnswer } from '../src/index.ts'
import { KEY, openDoor } from './door.ts'

const NOW = Math.floor(Date.now() / 1000)

let database: EmbeddedDatabase
let receiver: Receiver
beforeAll(async () => {
  ;[database, receiver] = await Promise.all([freshPglite(), startReceiver()])
})
afterAll(async () => {
  await receiver?.close()
  await database?.close()
})

it('no key and no secret is ever logged, whatever goes wrong', async () => {
  const door = openDoor(database, NOW)
  const { call, world, log } = door
  await world.ingest.declare({
    ...{ name: 'd', instruments: ['AAPL'], specs: ['1HOUR'], since: '2026-04-06', hours: 'regular' },
    schedule: { every: '1h' },
  })
  const { key } = await door.keyFor('read')
  const body = { url: `${receiver.url}/token-in-a-path`, events: ['run.finished'] }
  const webhook = (await call<NewWebhookAnswer>('POST', '/v1/webhooks', { body })).body
  const hook = (await call<NewHookAnswer>('PUT', '/v1/hooks/h', { body: { dataset: 'd' } })).body
  await call('GET', '/v1/keys', { key })
  await call('GET', '/v1/series', { key: `${key}x` })
  await call('GET', `/v1/bars?key=${key}`)
  await call('POST', '/v1/hooks/h', { key: '', body: hook.secret, headers: { 'webhook-signature': hook.secret } })
  for (const answer of [500, 302, 204, 410]) {
    receiver.answers.set('/token-in-a-path', answer)
    await call('POST', `/v1/webhooks/${webhook.id}/test`)
  }
  // A database that refuses what it is given repeats it in its error.
  await database.client.exec(
    'alter table webhooks add check (length(url) < 10) not valid; alter table api_keys add check (length(name) < 2) not valid',
  )
  expect((await call('POST', '/v1/webhooks', { body })).status).toBe(500)
  expect((await call('POST', '/v1/keys', { body: { name: 'longer', scopes: ['read'] } })).status).toBe(500)
  const stored = await database.client.query<{ hash: string }>('select hash from api_keys')
  const written = log.entries.map((entry) =>
    JSON.stringify(entry, (_, value) => (value instanceof Error ? describeError(value) : value)),
  )
  expect(written.length).toBeGreaterThan(8)
  const secrets = [key, KEY, webhook.secret, hook.secret, 'token-in-a-path', ...stored.rows.map(({ hash }) => hash)]
  for (const secret of secrets) expect(written.filter((line) => line.includes(secret))).toEqual([])
})
