import { EVENT_TYPES, formatInstant, TidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import { checkTarget, type Ingest } from '@tidegate/ingest'
import { Hono } from 'hono'
import { z } from 'zod'
import {
  type DeliveriesAnswer,
  type DeliveryAnswer,
  deliveryAnswer,
  type NewWebhookAnswer,
  type WebhooksAnswer,
  webhooksAnswer,
} from '../answers/telling.ts'
import { bodyOf, check, parsed } from '../check.ts'
import { mintId, mintSecret, type RandomBytes } from '../mint.ts'

/** Each has its line in every pass, so there may not be any number of them. */
const MOST_WEBHOOKS = 50
const ID = /^[a-z]+_[\w-]{1,64}$/

export interface WebhookRoutesOptions {
  readonly store: Store
  readonly ingest: Ingest
  /** Whether addresses in private networks may be told. */
  readonly allowPrivate: boolean
  readonly bytes: RandomBytes
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** Who is told of what, what became of it, and telling it again. */
export function webhookRoutes({ store, ingest, allowPrivate, bytes, now }: WebhookRoutesOptions): Hono {
  const expected = `expected some of ${EVENT_TYPES.join(', ')}`
  const schema = z.strictObject({
    url: z
      .string({ error: 'expected a URL such as https://example.com/hook' })
      .transform(parsed((url) => checkTarget(url, { allowPrivate }).href)),
    events: z.array(z.enum(EVENT_TYPES, { error: expected }), { error: expected }).min(1, expected),
  })
  const page = z.strictObject({
    limit: z.coerce
      .number()
      .int()
      .min(1, 'expected a whole number from 1 to 1000')
      .max(1000, 'expected a whole number from 1 to 1000')
      .default(100),
  })
  const nowSec = () => Math.floor(now() / 1000)
  const routes = new Hono()

  /** Refuses what can not be told: a webhook that is not there, or whose address said that it is gone. */
  async function live(id: string): Promise<void> {
    const webhook = (await store.webhooks()).find((one) => one.id === id)
    if (!webhook) throw absent('webhook', id)
    if (webhook.disabledAt === undefined) return
    throw new TidegateError(
      'conflict',
      `The address of ${id} has answered that it is gone: remove the webhook, and add it anew.`,
    )
  }

  async function tellAtOnce(deliveryId: string): Promise<DeliveryAnswer> {
    await ingest.tell(deliveryId)
    const delivery = await store.delivery(deliveryId)
    if (!delivery) throw absent('delivery', deliveryId)
    return deliveryAnswer(delivery)
  }

  routes.post('/webhooks', async (c) => {
    const { url, events } = await bodyOf(c, schema)
    if ((await store.webhooks()).length >= MOST_WEBHOOKS) {
      throw new TidegateError(
        'conflict',
        `There are ${MOST_WEBHOOKS} webhooks, the most there may be: remove one first.`,
      )
    }
    const webhook = { id: mintId('whk', bytes), url, events: [...new Set(events)], createdAt: nowSec() }
    const secret = mintSecret(bytes)
    await store.putWebhook({ ...webhook, secret })
    return c.json<NewWebhookAnswer>({ ...webhook, createdAt: formatInstant(webhook.createdAt), secret }, 201)
  })

  routes.get('/webhooks', async (c) => c.json<WebhooksAnswer>(webhooksAnswer(await store.webhooks())))

  routes.delete('/webhooks/:id', async (c) => {
    const id = c.req.param('id')
    if (!ID.test(id) || !(await store.removeWebhook(id))) throw absent('webhook', id)
    return c.json({ removed: id })
  })

  routes.get('/webhooks/:id/deliveries', async (c) => {
    const id = c.req.param('id')
    const { limit } = check(page, c.req.query())
    const deliveries = ID.test(id) ? await store.deliveries(id, limit) : undefined
    if (!deliveries) throw absent('webhook', id)
    return c.json<DeliveriesAnswer>({ deliveries: deliveries.map(deliveryAnswer) })
  })

  routes.post('/webhooks/:id/test', async (c) => {
    const webhookId = c.req.param('id')
    await live(webhookId)
    const [id, eventId] = [mintId('dlv', bytes), mintId('evt', bytes)]
    const timestamp = formatInstant(nowSec())
    const body = JSON.stringify({ id: eventId, type: 'webhook.test', timestamp, data: { webhook: webhookId } })
    if (!(await store.putTest({ id, webhookId, eventId, body, now: nowSec() }))) throw absent('webhook', webhookId)
    return c.json<DeliveryAnswer>(await tellAtOnce(id))
  })

  routes.post('/deliveries/:id/redo', async (c) => {
    const id = c.req.param('id')
    const delivery = ID.test(id) ? await store.delivery(id) : undefined
    if (!delivery) throw absent('delivery', id)
    await live(delivery.webhookId)
    await store.redoDelivery(id, nowSec())
    return c.json<DeliveryAnswer>(await tellAtOnce(id))
  })

  return routes
}

function absent(what: string, id: string): TidegateError {
  return new TidegateError('not-found', `There is no ${what} "${id.slice(0, 64)}".`)
}
