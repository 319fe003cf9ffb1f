import type { EventType } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { at, epoch, textsOf } from './sql.ts'

/** An address that is told of events. */
export interface Webhook {
  readonly id: string
  readonly url: string
  readonly events: readonly EventType[]
  readonly createdAt: number
  /** Since when it is told nothing more, because its address answered that it is gone. */
  readonly disabledAt: number | undefined
}

export type DeliveryState = 'waiting' | 'delivered' | 'given-up'

/** One event for one webhook. */
export interface Delivery {
  readonly id: string
  readonly webhookId: string
  readonly eventId: string
  /** An event type, or `webhook.test`. */
  readonly type: string
  readonly state: DeliveryState
  /** How often it was posted. */
  readonly attempts: number
  readonly createdAt: number
  /** When it is posted next; undefined once it is over. */
  readonly dueAt: number | undefined
  readonly endedAt: number | undefined
  /** What the last attempt that failed came to. */
  readonly error: string | undefined
}

export interface WebhookSummary extends Webhook {
  readonly deliveries: Readonly<Record<DeliveryState, number>>
  readonly last: Delivery | undefined
}

/** A delivery that its holder may post, until the lease is over. */
export interface ClaimedDelivery {
  readonly id: string
  readonly webhookId: string
  readonly eventId: string
  readonly url: string
  readonly secret: string
  readonly body: string
  /** This attempt's number, from 1: only its holder can settle it. */
  readonly attempt: number
}

/** What became of an attempt: taken, to be tried again at `notBefore`, given up, or the address is gone for good. */
export type DeliveryOutcome =
  | { readonly state: 'delivered' }
  | { readonly state: 'waiting'; readonly notBefore: number; readonly error: string }
  | { readonly state: 'given-up'; readonly error: string }
  | { readonly state: 'gone'; readonly error: string }

/** Who is told of events, and what became of it. */
export interface Webhooks {
  putWebhook(webhook: Pick<Webhook, 'id' | 'url' | 'events' | 'createdAt'> & { readonly secret: string }): Promise<void>
  /** All of them, oldest first, with what became of their deliveries; never a secret. */
  webhooks(): Promise<WebhookSummary[]>
  /** False where there is none. Its deliveries go with it. */
  removeWebhook(id: string): Promise<boolean>
  /** A webhook's deliveries, newest first; undefined where there is no such webhook. */
  deliveries(webhookId: string, limit: number): Promise<Delivery[] | undefined>
  delivery(id: string): Promise<Delivery | undefined>
  /** A delivery of type `webhook.test`, due now. False where there is no such webhook. */
  putTest(test: {
    readonly id: string
    readonly webhookId: string
    readonly eventId: string
    readonly body: string
    readonly now: number
  }): Promise<boolean>
  /** The webhooks that have something due. */
  dueWebhooks(now: number): Promise<string[]>
  /**
   * The oldest due delivery of a webhook, or the named one whenever it is due, leased until `now + leaseSec`. Undefined when
   * there is none, or another holds it.
   */
  claimDelivery(
    which: { readonly webhookId: string } | { readonly deliveryId: string },
    lease: { readonly now: number; readonly leaseSec: number },
  ): Promise<ClaimedDelivery | undefined>
  /** Ends an attempt. False, and nothing written, when it is no longer the claim's. */
  settleDelivery(
    claim: Pick<ClaimedDelivery, 'id' | 'attempt' | 'webhookId'>,
    outcome: DeliveryOutcome,
    now: number,
  ): Promise<boolean>
  /** Makes a delivery due again, whatever became of it, with all its attempts before it. False where there is none. */
  redoDelivery(id: string, now: number): Promise<boolean>
  /** Deliveries that ended before `endedBefore` are forgotten. */
  pruneDeliveries(endedBefore: number): Promise<void>
}

interface WebhookRow {
  readonly id: string
  readonly url: string
  readonly events: readonly EventType[]
  readonly createdAt: number
  readonly disabledAt: number | null
  readonly waiting: number
  readonly delivered: number
  readonly givenUp: number
  readonly last: DeliveryRow | null
}

interface DeliveryRow
  extends Pick<Delivery, 'id' | 'webhookId' | 'eventId' | 'type' | 'state' | 'attempts' | 'createdAt'> {
  readonly notBefore: number
  readonly endedAt: number | null
  readonly error: string | null
}

const DELIVERY = sql`d.id, d.webhook_id as "webhookId", d.event_id as "eventId", d.type, d.state, d.attempt as attempts,
  ${epoch(sql`d.created_at`)} as "createdAt", ${epoch(sql`d.not_before`)} as "notBefore", ${epoch(sql`d.ended_at`)} as "endedAt", d.error`

export function webhooksIn(database: Database): Webhooks {
  return {
    async putWebhook({ id, url, secret, events, createdAt }) {
      await database.rows(sql`
        insert into webhooks (id, url, secret, events, created_at) values (${id}, ${url}, ${secret}, ${textsOf(events)}, ${at(createdAt)})`)
    },

    async webhooks() {
      const count = (state: DeliveryState) => sql`count(*) filter (where d.state = ${state})::int`
      const rows = await database.rows<WebhookRow>(sql`
        select w.id, w.url, w.events, ${epoch(sql`w.created_at`)} as "createdAt", ${epoch(sql`w.disabled_at`)} as "disabledAt",
          c.waiting, c.delivered, c."givenUp", (select to_jsonb(x) from (
            select ${DELIVERY} from deliveries d where d.webhook_id = w.id order by d.position desc limit 1
          ) x) as last
        from webhooks w cross join lateral (
          select ${count('waiting')} as waiting, ${count('delivered')} as delivered, ${count('given-up')} as "givenUp"
          from deliveries d where d.webhook_id = w.id
        ) c order by w.created_at, w.id`)
      return rows.map(({ disabledAt, waiting, delivered, givenUp, last, ...row }) => ({
        ...row,
        disabledAt: disabledAt ?? undefined,
        deliveries: { waiting, delivered, 'given-up': givenUp },
        last: last ? deliveryOf(last) : undefined,
      }))
    },

    async removeWebhook(id) {
      return (await database.rows(sql`delete from webhooks where id = ${id} returning id`)).length === 1
    },

    async deliveries(webhookId, limit) {
      const [row] = await database.rows<{ found: DeliveryRow[] }>(sql`
        select (select coalesce(jsonb_agg(to_jsonb(x)), '[]') from (
          select ${DELIVERY} from deliveries d where d.webhook_id = w.id order by d.position desc limit ${limit}::int
        ) x) as found from webhooks w where w.id = ${webhookId}`)
      return row?.found.map(deliveryOf)
    },

    async delivery(id) {
      const [row] = await database.rows<DeliveryRow>(sql`select ${DELIVERY} from deliveries d where d.id = ${id}`)
      return row && deliveryOf(row)
    },

    async putTest({ id, webhookId, eventId, body, now }) {
      const rows = await database.rows(sql`
        insert into deliveries (id, webhook_id, event_id, type, body, created_at, not_before)
        select ${id}, w.id, ${eventId}, 'webhook.test', ${body}, ${at(now)}, ${at(now)} from webhooks w where w.id = ${webhookId}
        returning id`)
      return rows.length === 1
    },

    async dueWebhooks(now) {
      const rows = await database.rows<{ id: string }>(sql`
        select distinct webhook_id as id from deliveries where state = 'waiting' and not_before <= ${at(now)} order by 1`)
      return rows.map((row) => row.id)
    },

    async claimDelivery(which, { now, leaseSec }) {
      const named = 'deliveryId' in which ? sql`d.id = ${which.deliveryId}` : sql`d.webhook_id = ${which.webhookId}`
      const [row] = await database.rows<ClaimedDelivery>(sql`
        with claimed as (
          update deliveries set attempt = attempt + 1, not_before = ${at(now + leaseSec)} where id = (
            select d.id from deliveries d where d.state = 'waiting' and d.not_before <= ${at(now)} and ${named}
            order by d.position limit 1 for update skip locked
          ) returning *
        )
        select c.id, c.webhook_id as "webhookId", c.event_id as "eventId", w.url, w.secret, c.body, c.attempt
        from claimed c join webhooks w on w.id = c.webhook_id`)
      return row
    },

    async settleDelivery({ id, attempt, webhookId }, outcome, now) {
      const mine = sql`id = ${id} and attempt = ${attempt}::int and state = 'waiting'`
      if (outcome.state === 'gone') {
        const rows = await database.rows(sql`
          with mine as (select id from deliveries where ${mine} for update), closed as (
            update webhooks set disabled_at = ${at(now)} where id = ${webhookId} and exists (select 1 from mine)
          )
          update deliveries set state = 'given-up', ended_at = ${at(now)}, error = ${outcome.error}
          where webhook_id = ${webhookId} and state = 'waiting' and exists (select 1 from mine) returning id`)
        return rows.length > 0
      }
      const set =
        outcome.state === 'waiting'
          ? sql`not_before = ${at(outcome.notBefore)}, error = ${outcome.error}`
          : sql`state = ${outcome.state}::text, ended_at = ${at(now)}, error = ${outcome.state === 'delivered' ? null : outcome.error}::text`
      return (await database.rows(sql`update deliveries set ${set} where ${mine} returning id`)).length === 1
    },

    async redoDelivery(id, now) {
      const rows = await database.rows(sql`
        update deliveries set state = 'waiting', attempt = 0, not_before = ${at(now)}, ended_at = null where id = ${id} returning id`)
      return rows.length === 1
    },

    async pruneDeliveries(endedBefore) {
      await database.rows(sql`delete from deliveries where state <> 'waiting' and ended_at < ${at(endedBefore)}`)
    },
  }
}

function deliveryOf({ notBefore, endedAt, error, ...row }: DeliveryRow): Delivery {
  return {
    ...row,
    dueAt: row.state === 'waiting' ? notBefore : undefined,
    endedAt: endedAt ?? undefined,
    error: error ?? undefined,
  }
}
