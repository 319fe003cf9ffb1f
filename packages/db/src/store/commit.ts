import {
  appendBars,
  type BarColumns,
  emptyBars,
  formatInstant,
  keepBars,
  TidegateError,
  type Window,
} from '@tidegate/core'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { Answer, Store } from '../store.ts'
import { restatedData, WAITS } from './adjustments.ts'
import { iso, noteEvents } from './events.ts'
import { arrayOf, at, textsOf } from './sql.ts'

/**
 * The one statement that stores a chunk's answer: rows, what they changed, their coverage, the chunk's end and the outbox,
 * all or nothing and only under the chunk's fence. One statement, so that it is as safe over Neon's HTTP as over TCP.
 * It writes the coverage of every state, always in the same order: two commits of a series at once then wait for each
 * other rather than deadlock.
 */
export function commitTo(database: Database): Store['commit'] {
  return async ({ chunkId, fence, window: asked }, answer, now) => {
    checkAnswer(asked, answer)
    const { state, covered, flags = [], isConfirmed = false } = answer
    const bars = withCorrections(answer)
    const window = covered
      ? sql`tstzmultirange(tstzrange(${at(covered.start)}, ${at(covered.end)}))`
      : sql`null::tstzmultirange`
    const [row] = await database.rows<{ held: number; written: number; restated: number }>(sql`
      with held as (
        update chunks c set state = 'done', lease_until = null, error = null, finished_at = ${at(now)}, rows = ${answer.bars.t.length}::int
        where id = ${chunkId}::bigint and fence = ${fence}::int and state = 'leased' and adjustment_id is null and not ${WAITS}
        returning id, series_id
      ), incoming as (
        select h.series_id, to_timestamp(u.t) as ts, u.o, u.h, u.l, u.c, u.v, u.w, u.n
        from held h, unnest(
          ${arrayOf(bars.t, 'float8')}, ${arrayOf(bars.o, 'float8')}, ${arrayOf(bars.h, 'float8')}, ${arrayOf(bars.l, 'float8')},
          ${arrayOf(bars.c, 'float8')}, ${arrayOf(bars.v, 'float8')}, ${arrayOf(bars.w, 'float8')}, ${arrayOf(bars.n, 'int8')}
        ) as u(t, o, h, l, c, v, w, n)
        where to_timestamp(u.t) <@ ${covered ? sql`tstzrange(${at(covered.start)}, ${at(covered.end)})` : sql`'empty'::tstzrange`}
          or exists (select 1 from bars b where b.series_id = h.series_id and b.ts = to_timestamp(u.t))
      ), changed as (
        insert into restatements (series_id, ts, old, new, at)
        select b.series_id, b.ts, array[b.open, b.high, b.low, b.close], array[i.o, i.h, i.l, i.c], ${at(now)}
        from bars b join incoming i using (series_id, ts)
        where (b.open, b.high, b.low, b.close) is distinct from (i.o, i.h, i.l, i.c)
        returning series_id, ts
      ), put as (
        insert into bars (series_id, ts, open, high, low, close, volume, wap, count)
        select series_id, ts, o, h, l, c, v, w, n from incoming
        on conflict (series_id, ts) do update set open = excluded.open, high = excluded.high, low = excluded.low,
          close = excluded.close, volume = excluded.volume, wap = excluded.wap, count = excluded.count
        where (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.wap, bars.count)
          is distinct from (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume, excluded.wap, excluded.count)
        returning 1
      ), covered as (
        insert into coverage (series_id, state, windows)
        select series_id, s, case when s = ${state}::text then ${window} else '{}' end
        from held cross join unnest(array['empty', 'filled', 'unavailable']) s where ${window} is not null order by s
        on conflict (series_id, state) do update set windows =
          case when coverage.state = ${state}::text then coverage.windows + ${window} else coverage.windows - ${window} end
        returning 1
      ), flags as (
        select h.series_id, to_timestamp(f.t) as ts, f.why
        from held h, unnest(${arrayOf(
          flags.map(({ t }) => t),
          'float8',
        )}, ${textsOf(flags.map(({ why }) => why))}) as f(t, why)
      ), flagged as (
        insert into flagged_bars (series_id, ts, why, at) select series_id, ts, why, ${at(now)} from flags
        on conflict (series_id, ts) do update set why = excluded.why, at = excluded.at where flagged_bars.why <> excluded.why
      ), cleared as (
        delete from flagged_bars f using incoming i
        where f.series_id = i.series_id and f.ts = i.ts and f.ts not in (select ts from flags)
      ), noted as (
        insert into outbox (kind, chunk_id) select 'chunk-settled', id from held returning 1
      ), confirmed as (
        ${noteEvents('gap.confirmed', gapData(covered), sql`from held join series s on s.id = held.series_id where ${isConfirmed && covered !== undefined}::boolean`, now)}
      ), told as (
        ${noteEvents(
          'restatement',
          restatedData(sql`null`, sql`x`),
          sql`from (
            select series_id, count(*) as bars, min(ts) as first, max(ts) as last from changed group by series_id
          ) x join series s on s.id = x.series_id`,
          now,
        )}
      )
      select (select count(*) from held)::int as held, (select count(*) from put)::int as written,
        (select count(*) from changed)::int as restated`)
    return { held: row?.held === 1, written: row?.written ?? 0, restated: row?.restated ?? 0 }
  }
}

/** The bars with the corrections before and behind them, in order: rows are locked in the order of time. */
function withCorrections({ bars, covered, corrections }: Answer): BarColumns {
  if (!corrections || corrections.t.length === 0) return bars
  const all = keepBars(corrections, (t) => covered === undefined || t < covered.start)
  appendBars(all, bars)
  appendBars(all, covered ? keepBars(corrections, (t) => t >= covered.end) : emptyBars())
  return all
}

/** `gap.confirmed` of core's EventData. */
function gapData(covered: Window | undefined) {
  const { start, end } = covered ?? { start: 0, end: 0 }
  return sql`jsonb_build_object('series', s.id, 'instrument', s.instrument_id, 'spec', s.spec, 'hours', s.hours,
    'window', jsonb_build_object('start', ${iso(at(start))}, 'end', ${iso(at(end))}))`
}

/** Rows and coverage go together: nothing is claimed that was not asked for, nothing is written that is not claimed. */
function checkAnswer(asked: Window, { bars: { t }, covered, state, flags = [] }: Answer): void {
  const refuse = (what: string): never => {
    throw new TidegateError('internal', `An answer can't be stored: ${what}.`)
  }
  if (covered && (covered.start < asked.start || covered.end > asked.end || covered.start >= covered.end)) {
    refuse(`it covers ${textOf(covered)}, and its chunk asked for ${textOf(asked)}`)
  }
  if (t.length > 0 && state !== 'filled') refuse(`it holds ${t.length} bars and calls its window ${state}`)
  let last = Number.NEGATIVE_INFINITY
  for (const time of t) {
    if (!covered || time < covered.start || time >= covered.end) {
      refuse(`its bar of ${formatInstant(time)} is outside what it covers, ${covered ? textOf(covered) : 'nothing'}`)
    }
    if (time <= last) refuse(`its bar of ${formatInstant(time)} follows that of ${formatInstant(last)}`)
    last = time
  }
  const times = new Set(t)
  for (const flag of flags) if (!times.has(flag.t)) refuse(`it flags ${formatInstant(flag.t)}, of which it has no bar`)
}

function textOf({ start, end }: Window): string {
  return `${formatInstant(start)} to ${formatInstant(end)}`
}
