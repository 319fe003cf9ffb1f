import { type ErrorBody, type Hours, TidegateError, type Window } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { Claim } from '../store.ts'
import { at } from './sql.ts'

/** How long the chunks of a bar size may be, learned from requests that timed out. */
export interface LearnedSpan {
  readonly spec: string
  readonly secType: string
  readonly hours: Hours
  readonly spanSec: number
}

/** What timed out, and what comes in its place. */
export interface Halving {
  /** Together the claim's window, the older first. */
  readonly halves: readonly [Window, Window]
  readonly error: ErrorBody
  readonly now: number
  readonly notBefore: number
  /** What later plans cut by; undefined where the chunk was too short to tell. */
  readonly learned: LearnedSpan | undefined
  /** What was learned before this instant, epoch seconds, counts no more. */
  readonly forgottenBefore: number
  /** The older half is given up, and has failed with the error: nothing asks for it but the whole. Default false. */
  readonly isOlderLost?: boolean
}

export interface LearnedSpans {
  /** What was learned at or after `since`, epoch seconds: a slow day of IBKR's is no rule for ever. */
  spans(since: number): Promise<LearnedSpan[]>
  /**
   * Puts two chunks in the place of a claimed one, under its fence, and keeps what was learned: the chunk itself goes on
   * with the newer half, a new one of the same run asks for the older. Both are queued, from `notBefore` on. A learned
   * span never grows by it. The ids of what is queued, the newer half's first; undefined when the fence is no longer held.
   */
  halve(claim: Pick<Claim, 'chunkId' | 'fence' | 'window'>, halving: Halving): Promise<readonly string[] | undefined>
}

export function spansIn(database: Database): LearnedSpans {
  return {
    async spans(since) {
      return database.rows<LearnedSpan>(sql`
        select spec, sec_type as "secType", hours, span_sec as "spanSec" from spans where learned_at >= ${at(since)}`)
    },

    async halve(
      { chunkId, fence, window },
      { halves: [older, newer], error, now, notBefore, learned, forgottenBefore, isOlderLost = false },
    ) {
      checkHalves(window, older, newer)
      // The chunk is shortened before its other half is put beside it: open chunks of a series never overlap.
      const kept = learned
        ? sql`, kept as (
          insert into spans (spec, sec_type, hours, span_sec, learned_at)
          select ${learned.spec}, ${learned.secType}, ${learned.hours}, ${learned.spanSec}::int, ${at(now)} from held
          on conflict (spec, sec_type, hours) do update set learned_at = excluded.learned_at,
            span_sec = case when spans.learned_at < ${at(forgottenBefore)} then excluded.span_sec else least(spans.span_sec, excluded.span_sec) end
        )`
        : sql``
      const rows = await database.rows<{ id: string }>(sql`
        with held as (
          update chunks set state = 'queued', lease_until = null, win = tstzrange(${at(newer.start)}, ${at(newer.end)}),
            not_before = ${at(notBefore)}, error = ${JSON.stringify(error)}::jsonb,
            failures = case when error->>'kind' = ${error.kind}::text then failures + 1 else 1 end
          where id = ${chunkId}::bigint and fence = ${fence}::int and state = 'leased'
            and win = tstzrange(${at(window.start)}, ${at(window.end)})
          returning *
        ), put as (
          insert into chunks (run_id, series_id, win, not_before, error, failures, doubts, adjustment_id, state, finished_at)
          select run_id, series_id, tstzrange(${at(older.start)}, ${at(older.end)}), not_before, error, failures, doubts, adjustment_id,
            ${isOlderLost ? 'failed' : 'queued'}, ${at(isOlderLost ? now : undefined)}
          from held returning id
        )${kept}
        select id::text as id from held union all select id::text from put`)
      if (rows.length < 2) return undefined
      return rows.slice(0, isOlderLost ? 1 : 2).map((row) => row.id)
    },
  }
}

/** Nothing of a window may be lost on the way to its halves. */
function checkHalves(whole: Window, older: Window, newer: Window): void {
  const fits = older.start === whole.start && older.end === newer.start && newer.end === whole.end
  if (fits && older.start < older.end && newer.start < newer.end) return
  throw new TidegateError(
    'internal',
    `The halves of a chunk's window are not the whole of it: they meet at ${older.end}.`,
  )
}
