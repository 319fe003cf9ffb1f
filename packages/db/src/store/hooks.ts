import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { at, epoch } from './sql.ts'

/** A name that others call, signed, to start a run of a dataset. */
export interface Hook {
  readonly name: string
  readonly dataset: string
  readonly createdAt: number
}

/** A call of a hook: `taken`, the run is now to be opened under this id; `under-way`, somebody is at it; `started`, it was opened before. */
export interface TakenCall {
  readonly state: 'taken' | 'under-way' | 'started'
  readonly runId: string
}

/** Hooks, and what became of their calls. */
export interface Hooks {
  /** Makes a hook or replaces it, its secret too. Undefined, and nothing done, where there is no such dataset. */
  putHook(hook: Hook & { readonly secret: string }): Promise<{ readonly isNew: boolean } | undefined>
  /** All of them by name; never a secret. */
  hooks(): Promise<Hook[]>
  /** With its secret, and whether its dataset is paused. */
  hook(name: string): Promise<(Hook & { readonly secret: string; readonly paused: boolean }) | undefined>
  /** False where there is none. */
  removeHook(name: string): Promise<boolean>
  /**
   * Takes a call for `leaseSec`: whoever took it and has opened no run by then has died. A call's run has always the same id,
   * and `createRun` opens it once, so two who took the same call after all start one run. Undefined where the hook is gone.
   */
  takeCall(
    hook: string,
    callId: string,
    lease: { readonly now: number; readonly leaseSec: number },
  ): Promise<TakenCall | undefined>
  /** Gives back a call that was taken and came to nothing: it may come again at once. */
  dropCall(hook: string, callId: string): Promise<void>
  /** Calls taken before `takenBefore` are forgotten. */
  pruneCalls(takenBefore: number): Promise<void>
}

/** By its call alone, so that a run that was opened before is found whoever has forgotten the call. Names have no spaces. */
const RUN_OF_CALL = sql`left(encode(sha256(convert_to(name || ' ' || called.id, 'UTF8')), 'hex'), 32)::uuid::text`

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
      const [row] = await database.rows<Hook & { readonly secret: string; readonly paused: boolean }>(sql`
        select ${HOOK}, secret, (select paused from datasets d where d.name = hooks.dataset) as paused
        from hooks where name = ${name}`)
      return row
    },

    async removeHook(name) {
      return (await database.rows(sql`delete from hooks where name = ${name} returning name`)).length === 1
    },

    async takeCall(hook, callId, { now, leaseSec }) {
      const [row] = await database.rows<TakenCall>(sql`
        with call as (
          select name, ${RUN_OF_CALL} as run_id from hooks, (select ${callId}::text as id) called where name = ${hook}
        ), started as (
          select 1 from call join runs r on r.id = call.run_id
        ), taken as (
          insert into hook_calls (hook, call_id, at) select name, ${callId}, ${at(now)} from call where not exists (table started)
          on conflict (hook, call_id) do update set at = excluded.at where hook_calls.at <= ${at(now - leaseSec)}
          returning 1
        )
        select run_id as "runId", case when exists (table started) then 'started' when exists (table taken) then 'taken'
          else 'under-way' end as state from call`)
      return row
    },

    async dropCall(hook, callId) {
      await database.rows(sql`delete from hook_calls where hook = ${hook} and call_id = ${callId}`)
    },

    async pruneCalls(takenBefore) {
      await database.rows(sql`delete from hook_calls where at < ${at(takenBefore)}`)
    },
  }
}
