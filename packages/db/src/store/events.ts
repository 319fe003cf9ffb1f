import type { EventType } from '@tidegate/core'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { at } from './sql.ts'

/** What happened, on its way to those who want to be told. */
export interface Events {
  /**
   * Makes of events that wait in the outbox, oldest first and at most `limit`, a delivery for each webhook that wants
   * their type. How many events that were; two callers at once take different ones.
   */
  spreadEvents(now: number, limit: number): Promise<number>
  /** Notes that a person must log in at the gateway, and the event `login.required`. False where that was noted before. */
  noteLogin(reason: string, now: number): Promise<boolean>
  /** The gateway is logged in: the next time it is not will be told again. */
  clearLogin(): Promise<void>
}

/**
 * A step of a statement that notes an event in the outbox for every row of `from`, a whole `from …` clause. `data` is JSON
 * over those rows, as `EventData` of core has it for this type; `iso` writes its instants.
 * It goes into the statement that does what is told of, so that neither is there without the other.
 */
export function noteEvents(type: EventType, data: SQL, from: SQL, now: number): SQL {
  return sql`insert into outbox (kind, event, at)
    select 'event', jsonb_build_object('type', ${type}::text, 'data', ${data}), ${at(now)} ${from}`
}

/** An instant as ISO text in UTC, whole seconds, as `formatInstant` writes it. */
export function iso(instant: SQL): SQL {
  return sql`to_char((${instant}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`
}

/**
 * Two steps of a statement, `login` and `login_told`, for every row of `from` where a login is required: the notice, and
 * the event where the notice is new. Two that note it at once wait for each other, and tell it once.
 */
export function loginSteps(reason: SQL, from: SQL, now: number): SQL {
  return sql`login as (
      insert into notices (kind, since) select 'login-required', ${at(now)} ${from} on conflict (kind) do nothing returning kind
    ), login_told as (
      ${noteEvents('login.required', sql`jsonb_build_object('reason', ${reason})`, sql`from login`, now)} returning 1
    )`
}

export function eventsIn(database: Database): Events {
  return {
    async spreadEvents(now, limit) {
      const [row] = await database.rows<{ taken: number }>(sql`
        with taken as (
          update outbox set delivered_at = ${at(now)} where id = any(array(
            select id from outbox where kind = 'event' and delivered_at is null
            order by outbox.id limit ${limit}::int for update skip locked
          )) returning outbox.id as position, 'evt_' || gen_random_uuid() as id, event, at
        ), made as (
          insert into deliveries (id, webhook_id, event_id, type, body, created_at, not_before)
          select 'dlv_' || gen_random_uuid(), w.id, t.id, t.event->>'type',
            json_build_object('id', t.id, 'type', t.event->>'type', 'timestamp', ${iso(sql`t.at`)}, 'data', t.event->'data')::text,
            ${at(now)}, ${at(now)}
          from taken t join webhooks w on w.disabled_at is null and t.event->>'type' = any(w.events) order by t.position
        )
        select count(*)::int as taken from taken`)
      return row?.taken ?? 0
    },

    async noteLogin(reason, now) {
      const rows = await database.rows(sql`
        with ${loginSteps(sql`${reason}::text`, sql``, now)} select kind from login`)
      return rows.length === 1
    },

    async clearLogin() {
      await database.rows(sql`delete from notices where kind = 'login-required'`)
    },
  }
}
