import type { ErrorBody } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { Claim } from '../store.ts'
import { at } from './sql.ts'

/** What is not believed at once. */
export interface Doubts {
  /**
   * Puts a claimed chunk back to be asked again from `notBefore` on, because IBKR said "no data" where its sessions say that
   * the market was open; `why` says so until then, and counts as no failure. False when the fence is no longer held.
   */
  doubt(claim: Pick<Claim, 'chunkId' | 'fence'>, why: ErrorBody, notBefore: number): Promise<boolean>
}

export function doubtsIn(database: Database): Doubts {
  return {
    async doubt({ chunkId, fence }, why, notBefore) {
      const rows = await database.rows(sql`
        update chunks set state = 'queued', lease_until = null, not_before = ${at(notBefore)}, doubts = doubts + 1,
          error = ${JSON.stringify(why)}::jsonb, failures = 0
        where id = ${chunkId}::bigint and fence = ${fence}::int and state = 'leased' returning 1 as held`)
      return rows.length === 1
    },
  }
}
