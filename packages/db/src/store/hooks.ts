import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { at, epoch } from './sql.ts'

/** A name that others call, signed, to start a run of a dataset. */
export interface Hook {
  readonly name: string
  readonly dataset: string
  readonly createdAt: number
}

/** Hooks, and which calls of theirs were taken. */
export interface Hooks {
  /** Makes a hook or replaces it, its secret too. Undefined, and nothing done, where there is no such dataset. */
  putHook(hook: Hook & { readonly secret: string }): Promise<{ readonly isNew: boolean } | undefined>
  /** All of them by name; never a secret. */
  hooks(): Promise<Hook[]>
  hook(name: string): Promise<(Hook & { readonly secret: string }) | undefined>
  /** False where there is none. */
  removeHook(name: string): Promise<boolean>
  /** Notes that a call is taken. False when it was before, or the hook is gone. */
  takeCall(hook: string, callId: string, now: number): Promise<boolean>
  /** A call that was taken and came to nothing may come again. */
  dropCall(hook: string, callId: string): Promise<void>
  /** Calls taken before `takenBefore` are forgotten. */
  pruneCalls(takenBefore: number): Promise<void>
}

const HOOK = sql`name, dataset, ${epoch(sql`created_at`)} as "createdAt"`

export function hooksIn(database: Database): Hooks {
  return {
    async putHook({ name, dataset, secret, createdAt }) {
      const [row] = await database.rows<{ isNew: boolean }>(sql`
        insert into hooks (name, dataset, secret, created_at)
        select ${name}, d.name, ${secret}, ${at(createdAt)} from datasets d where d.name = ${dataset}
        on conflict (name) do update set dataset = excluded.dataset, secret = excluded.secret, created_at = excluded.created_at
        returning xmax = 0 as "isNew"`)
      return row
    },

    async hooks() {
      return database.rows<Hook>(sql`select ${HOOK} from hooks order by name`)
    },

    async hook(name) {
      const [row] = await database.rows<Hook & { readonly secret: string }>(sql`
        select ${HOOK}, secret from hooks where name = ${name}`)
      return row
    },

    async removeHook(name) {
      return (await database.rows(sql`delete from hooks where name = ${name} returning name`)).length === 1
    },

    async takeCall(hook, callId, now) {
      const rows = await database.rows(sql`
        insert into hook_calls (hook, call_id, at) select name, ${callId}, ${at(now)} from hooks where name = ${hook}
        on conflict (hook, call_id) do nothing returning hook`)
      return rows.length === 1
    },

    async dropCall(hook, callId) {
      await database.rows(sql`delete from hook_calls where hook = ${hook} and call_id = ${callId}`)
    },

    async pruneCalls(takenBefore) {
      await database.rows(sql`delete from hook_calls where at < ${at(takenBefore)}`)
    },
  }
}
