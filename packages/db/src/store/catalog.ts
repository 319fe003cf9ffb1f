import { calendarOf } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { Series, Store } from '../store.ts'
import { at, epoch, textsOf } from './sql.ts'

type Catalog = Pick<Store, 'putInstrument' | 'instrument' | 'instrumentIds' | 'ensureSeries' | 'stampOrigin' | 'ping'>

/** Instruments and series: what is wanted, rather than what has come. */
export function catalogIn(database: Database): Catalog {
  return {
    async putInstrument(id, details, now, alias) {
      await database.rows(sql`
        with put as (
          insert into instruments (id, details, updated_at, calendar)
          values (${id}, ${JSON.stringify(details)}::jsonb, ${at(now)}, ${calendarOf(details.contract) ?? null}::text)
          on conflict (id) do update set details = excluded.details, updated_at = excluded.updated_at, calendar = excluded.calendar
          returning id
        )
        insert into instrument_aliases (alias, instrument_id) select ${alias ?? null}::text, id from put where ${alias ?? null}::text is not null
        on conflict (alias) do update set instrument_id = excluded.instrument_id`)
    },

    async instrument(idOrAlias) {
      const [row] = await database.rows<NonNullable<Awaited<ReturnType<Store['instrument']>>>>(sql`
        select id, details, ${epoch(sql`updated_at`)} as "updatedAt" from instruments
        where id = ${idOrAlias} or id = (select instrument_id from instrument_aliases where alias = ${idOrAlias})
        order by (id = ${idOrAlias}) desc limit 1`)
      return row
    },

    async instrumentIds(name) {
      const rows = await database.rows<{ id: string }>(sql`
        select id from instruments where id = ${name} or starts_with(id, ${name}::text || '.') order by id`)
      return rows.map((row) => row.id)
    },

    async ensureSeries(keys) {
      if (keys.length === 0) return []
      const columns = sql`${textsOf(keys.map((k) => k.instrumentId))}, ${textsOf(keys.map((k) => k.spec))}, ${textsOf(keys.map((k) => k.hours))}`
      await database.rows(sql`
        insert into series (instrument_id, spec, hours)
        select distinct k.i, k.s, k.h from unnest(${columns}) as k(i, s, h)
        where not exists (select 1 from series x where x.instrument_id = k.i and x.spec = k.s and x.hours = k.h)
        on conflict do nothing`)
      return database.rows<Series>(sql`
        select s.id, s.instrument_id as "instrumentId", s.spec, s.hours
        from unnest(${columns}) with ordinality as k(i, s, h, n)
        join series s on s.instrument_id = k.i and s.spec = k.s and s.hours = k.h order by k.n`)
    },

    async stampOrigin(origin) {
      const [row] = await database.rows<{ origin: 'simulated' | 'gateway' }>(sql`
        insert into origin (one, origin) values (1, ${origin})
        on conflict (one) do update set origin = origin.origin returning origin`)
      return row?.origin ?? origin
    },

    async ping() {
      await database.rows(sql`select 1 as alive`)
    },
  }
}
