import type { EmbeddedDatabase } from '@tidegate/db'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { type Receiver, startReceiver } from '../../../test/support/receiver.ts'
import { wipe } from '../../../test/support/wipe.ts'
import type { DeliveriesAnswer, DeliveryAnswer, NewWebhookAnswer, WebhooksAnswer } from '../src/index.ts'
import { type Door, openDoor } from './door.ts'

/** The library checks timestamps by the machine's clock. */
const NOW = Math.floor(Date.now() / 1000)
const AT = new Date(NOW * 1000).toISOString().replace('.000Z', 'Z')

let database: EmbeddedDatabase
let receiver: Receiver
let door: Door
beforeAll(async () => {
  ;[database, receiver] = await Promise.all([freshPglite(), startReceiver()])
})
afterAll(async () => {
  await receiver?.close()
  await database?.close()
})
beforeEach(async () => {
  await wipe(database)
  receiver.received.length = 0
  receiver.answers.clear()
  door = openDoor(database, NOW)
})

async function add(path = '/a', events = ['run.finished', 'run.failed']): Promise<NewWebhookAnswer> {
  const body = { url: `${receiver.url}${path}`, events }
  const answer = await door.call<NewWebhookAnswer>('POST', '/v1/webhooks', { body })
  expect(answer.status).toBe(201)
  return answer.body
}

describe('webhooks', () => {
  it('are added with a secret that is shown once, listed and removed', async () => {
    const { secret, ...webhook } = await add()
    expect(webhook).toEqual({
      id: expect.stringMatching(/^whk_[0-9a-f]{12}$/),
      url: `${receiver.url}/a`,
      events: ['run.finished', 'run.failed'],
      createdAt: AT,
    })
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    const deliveries = { waiting: 0, delivered: 0, givenUp: 0 }
    const listed = await door.call<WebhooksAnswer>('GET', '/v1/webhooks')
    expect(listed.body).toEqual({ webhooks: [{ ...webhook, disabledAt: null, deliveries, last: null }] })
    expect((await door.call('DELETE', `/v1/webhooks/${webhook.id}`)).body).toEqual({ removed: webhook.id })
    expect((await door.call('DELETE', `/v1/webhooks/${webhook.id}`)).status).toBe(404)
    expect((await door.call<WebhooksAnswer>('GET', '/v1/webhooks')).body).toEqual({ webhooks: [] })
  })

  it('can be tried: what is posted is signed with the secret, and the answer says what became of it', async () => {
    const { id, secret } = await add()
    const tried = await door.call<DeliveryAnswer>('POST', `/v1/webhooks/${id}/test`)
    expect(tried.body).toMatchObject({
      webhook: id,
      type: 'webhook.test',
      state: 'delivered',
      attempts: 1,
      error: null,
    })
    const [call] = receiver.received
    const body = new Webhook(secret).verify(call?.body ?? '', call?.headers as Record<string, string>)
    expect(body).toEqual({ id: tried.body.event, type: 'webhook.test', timestamp: AT, data: { webhook: id } })
    receiver.answers.set('/a', 404)
    const failed = await door.call<DeliveryAnswer>('POST', `/v1/webhooks/${id}/test`)
    expect(failed).toMatchObject({ status: 200, body: { state: 'waiting', error: 'It answered 404.' } })
    expect((await door.call('POST', '/v1/webhooks/whk_none/test')).status).toBe(404)
  })

  it('show their deliveries, which can be done again under the same id', async () => {
    const { id } = await add()
    await door.world.store.createRun({ id: 'r', source: 'test', chunks: [], now: NOW })
    await door.world.store.closeRuns(NOW)
    receiver.answers.set('/a', 500)
    const webhooks = { fetch: (request: Request) => fetch(request), allowPrivate: true }
    await door.world.another({ webhooks }).tell()
    const of = async () => (await door.call<DeliveriesAnswer>('GET', `/v1/webhooks/${id}/deliveries`)).body.deliveries
    const [failed] = await of()
    expect(failed).toMatchObject({ type: 'run.finished', state: 'waiting', attempts: 1, error: 'It answered 500.' })
    receiver.answers.delete('/a')
    const redone = await door.call<DeliveryAnswer>('POST', `/v1/deliveries/${failed?.id}/redo`)
    expect(redone.body).toMatchObject({ id: failed?.id, event: failed?.event, state: 'delivered', endedAt: AT })
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([failed?.event]))
    expect((await door.call<WebhooksAnswer>('GET', '/v1/webhooks')).body.webhooks[0]).toMatchObject({
      deliveries: { waiting: 0, delivered: 1, givenUp: 0 },
      last: { id: failed?.id },
    })
    expect((await door.call('GET', `/v1/webhooks/${id}/deliveries?limit=0`)).status).toBe(400)
    expect((await door.call('GET', '/v1/webhooks/whk_none/deliveries')).status).toBe(404)
    expect((await door.call('POST', '/v1/deliveries/dlv_none/redo')).status).toBe(404)
  })

  it('whose address is gone take no more, and say so', async () => {
    const { id } = await add()
    receiver.answers.set('/a', 410)
    const gone = await door.call<DeliveryAnswer>('POST', `/v1/webhooks/${id}/test`)
    expect(gone.body).toMatchObject({ state: 'given-up', error: 'It answered 410.' })
    for (const path of [`/v1/webhooks/${id}/test`, `/v1/deliveries/${gone.body.id}/redo`]) {
      expect(await door.call('POST', path)).toMatchObject({ status: 409, body: { error: { kind: 'conflict' } } })
    }
    const [webhook] = (await door.call<WebhooksAnswer>('GET', '/v1/webhooks')).body.webhooks
    expect(webhook?.disabledAt).toBe(AT)
  })

  it.each([
    [{ url: 'ftp://example.com/', events: ['run.failed'] }, /url: .*https:\/\/example\.com/],
    [{ url: 'http://169.254.169.254/', events: ['run.failed'] }, /url: 169\.254\.169\.254 is in a private network/],
    [{ url: 'https://u:p@example.com/', events: ['run.failed'] }, /must not hold a name or a password/],
    [{ url: 'https://example.com/', events: [] }, /events: expected some of run\.finished, /],
    [{ url: 'https://example.com/', events: ['run.ended'] }, /expected some of run\.finished, /],
    [{ url: 'https://example.com/' }, /events/],
    [{ url: 'https://example.com/', events: ['run.failed'], secret: 'x' }, /secret: there is no such field/],
  ])('%j is refused', async (body, message) => {
    const strict = openDoor(database, NOW, false)
    const answer = await strict.call('POST', '/v1/webhooks', { body })
    expect(answer).toMatchObject({ status: 400, body: { error: { message: expect.stringMatching(message) } } })
  })

  it('may not be any number', async () => {
    const webhook = {
      url: 'https://example.com/',
      secret: 'whsec_eA==',
      events: ['run.failed'],
      createdAt: NOW,
    } as const
    for (let i = 0; i < 50; i++) await door.world.store.putWebhook({ ...webhook, id: `whk_${i}` })
    const body = { url: 'https://example.com/', events: ['run.failed'] }
    expect(await door.call('POST', '/v1/webhooks', { body })).toMatchObject({ status: 409 })
  })
})
