import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { at, epoch, textsOf } from './sql.ts'

/** What a key may do: read and plan, start and cancel runs, or declare datasets, webhooks, hooks and keys. */
export type Scope = 'read' | 'run' | 'admin'

/** A key of the HTTP interface; the key itself is known to its owner alone. */
export interface ApiKey {
  readonly id: string
  /** What its maker calls it. */
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly createdAt: number
  readonly revokedAt: number | undefined
}

/** The keys of the HTTP interface. */
export interface ApiKeys {
  /** `hash` is SHA-256 of the whole key, hex. */
  putKey(key: Omit<ApiKey, 'revokedAt'> & { readonly hash: string }): Promise<void>
  /** All of them, revoked ones too, oldest first; never a hash. */
  apiKeys(): Promise<ApiKey[]>
  apiKey(id: string): Promise<(ApiKey & { readonly hash: string }) | undefined>
  /** From now on it opens nothing. False where there is no such key; a key revoked before stays as it was. */
  revokeKey(id: string, now: number): Promise<boolean>
}

interface Row extends Omit<ApiKey, 'revokedAt'> {
  readonly revokedAt: number | null
}

const KEY = sql`id, name, scopes, ${epoch(sql`created_at`)} as "createdAt", ${epoch(sql`revoked_at`)} as "revokedAt"`

export function apiKeysIn(database: Database): ApiKeys {
  return {
    async putKey({ id, name, hash, scopes, createdAt }) {
      await database.rows(sql`
        insert into api_keys (id, name, hash, scopes, created_at) values (${id}, ${name}, ${hash}, ${textsOf(scopes)}, ${at(createdAt)})`)
    },

    async apiKeys() {
      const rows = await database.rows<Row>(sql`select ${KEY} from api_keys order by created_at, id`)
      return rows.map(withRevoked)
    },

    async apiKey(id) {
      const [row] = await database.rows<Row & { readonly hash: string }>(sql`
        select ${KEY}, hash from api_keys where id = ${id}`)
      return row && withRevoked(row)
    },

    async revokeKey(id, now) {
      const rows = await database.rows(sql`
        update api_keys set revoked_at = coalesce(revoked_at, ${at(now)}) where id = ${id} returning id`)
      return rows.length === 1
    },
  }
}

function withRevoked<R extends Row>(row: R): Omit<R, 'revokedAt'> & { readonly revokedAt: number | undefined } {
  return { ...row, revokedAt: row.revokedAt ?? undefined }
}
