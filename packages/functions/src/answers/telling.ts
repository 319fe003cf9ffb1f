import { type EventType, formatInstant } from '@tidegate/core'
import type { ApiKey, Delivery, DeliveryState, Hook, Scope, WebhookSummary } from '@tidegate/db'

/** One event for one webhook, in `GET /v1/webhooks/:id/deliveries`. Instants are ISO texts in UTC. */
export interface DeliveryAnswer {
  readonly id: string
  readonly webhook: string
  /** The event's id: `webhook-id`, and `id` in the body. */
  readonly event: string
  readonly type: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly createdAt: string
  /** When it is posted next; null once it is over. */
  readonly dueAt: string | null
  readonly endedAt: string | null
  /** What the last attempt that failed came to. */
  readonly error: string | null
}

export interface DeliveriesAnswer {
  readonly deliveries: readonly DeliveryAnswer[]
}

/** `GET /v1/webhooks`. */
export interface WebhooksAnswer {
  readonly webhooks: readonly {
    readonly id: string
    readonly url: string
    readonly events: readonly EventType[]
    readonly createdAt: string
    /** Since when it is told nothing more, because its address answered 410; null while it is. */
    readonly disabledAt: string | null
    readonly deliveries: { readonly waiting: number; readonly delivered: number; readonly givenUp: number }
    readonly last: DeliveryAnswer | null
  }[]
}

/** `POST /v1/webhooks`: the only answer that holds the secret. */
export interface NewWebhookAnswer {
  readonly id: string
  readonly url: string
  readonly events: readonly EventType[]
  readonly createdAt: string
  readonly secret: string
}

export interface HookAnswer {
  readonly name: string
  readonly dataset: string
  readonly createdAt: string
}

/** `GET /v1/hooks`. */
export interface HooksAnswer {
  readonly hooks: readonly HookAnswer[]
}

/** `PUT /v1/hooks/:name`: the only answer that holds the secret. */
export interface NewHookAnswer extends HookAnswer {
  readonly secret: string
}

/** `POST /v1/hooks/:name`. */
export interface CalledAnswer {
  /** The run's. */
  readonly id: string
}

export interface KeyAnswer {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly createdAt: string
  readonly revokedAt: string | null
}

/** `GET /v1/keys`. */
export interface KeysAnswer {
  readonly keys: readonly KeyAnswer[]
}

/** `POST /v1/keys`: the only answer that holds the key. */
export interface NewKeyAnswer extends KeyAnswer {
  readonly key: string
}

export function deliveryAnswer(delivery: Delivery): DeliveryAnswer {
  const { id, webhookId, eventId, type, state, attempts, createdAt, dueAt, endedAt, error } = delivery
  return {
    id,
    webhook: webhookId,
    event: eventId,
    type,
    state,
    attempts,
    createdAt: formatInstant(createdAt),
    dueAt: instantOrNull(dueAt),
    endedAt: instantOrNull(endedAt),
    error: error ?? null,
  }
}

export function webhooksAnswer(webhooks: readonly WebhookSummary[]): WebhooksAnswer {
  return {
    webhooks: webhooks.map(({ id, url, events, createdAt, disabledAt, deliveries, last }) => ({
      id,
      url,
      events,
      createdAt: formatInstant(createdAt),
      disabledAt: instantOrNull(disabledAt),
      deliveries: {
        waiting: deliveries.waiting,
        delivered: deliveries.delivered,
        givenUp: deliveries['given-up'],
      },
      last: last ? deliveryAnswer(last) : null,
    })),
  }
}

export function hookAnswer({ name, dataset, createdAt }: Hook): HookAnswer {
  return { name, dataset, createdAt: formatInstant(createdAt) }
}

export function keyAnswer({ id, name, scopes, createdAt, revokedAt }: ApiKey): KeyAnswer {
  return { id, name, scopes, createdAt: formatInstant(createdAt), revokedAt: instantOrNull(revokedAt) }
}

function instantOrNull(sec: number | undefined): string | null {
  return sec === undefined ? null : formatInstant(sec)
}
