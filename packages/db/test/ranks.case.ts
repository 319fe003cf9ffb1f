import {
  formatInstant,
  intersect,
  isDated,
  merge,
  parseInstant,
  parseSpec,
  subtract,
  totalSec,
  type Window,
} from '@tidegate/core'
import type { Judged, SeriesCompleteness } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { details, NOW, type Subject, wipe } from './fixture.ts'

const DAY = 86_400
/** So coarse that what is covered often begins and ends with a session. */
const STEP = DAY / 4
const FIRST = parseInstant('2026-09-28')
const STATES = ['empty', 'filled', 'unavailable'] as const
const SPECS = ['1-MINUTE-LAST', '4-HOUR-LAST', '1-DAY-LAST', '1-WEEK-LAST', '1-MONTH-LAST']
const CALENDAR = { calendar: 'FUT ES CME', hours: 'regular' } as const

const instant = fc.integer({ min: 0, max: 240 }).map((n) => FIRST + n * STEP)
const window = fc
  .record({ start: instant, steps: fc.integer({ min: 1, max: 120 }) })
  .map(({ start, steps }): Window => ({ start, end: start + steps * STEP }))
const market = fc.record({
  sessions: fc.array(fc.record({ closed: fc.integer({ min: 0, max: 12 }), open: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 10,
    maxLength: 40,
  }),
  known: window,
  /** From the beginning to the last trading date. */
  days: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined, freq: 1 }),
  answers: fc.array(fc.record({ window, state: fc.constantFrom(...STATES) }), { minLength: 4, maxLength: 12 }),
})
type Market = typeof market extends fc.Arbitrary<infer M> ? M : never

/** What is counted by rank, for many series at once, is what their sessions say one by one. */
export function describeRanks({ database, store }: Subject): void {
  it('whatever the sessions, the coverage and the window', async () => {
    await fc.assert(
      fc.asyncProperty(market, window, instant, async (given, { start, end }, now) => {
        const { ids, ...held } = await put(given)
        const judged = ids.map((seriesId) => ({ seriesId, start, until: end }))
        const expected = await Promise.all(judged.map((one) => plain(one, given, held, now)))
        expect(await store.completeness(judged, now)).toEqual(expected)
      }),
      { numRuns: 6 },
    )
  })

  async function put({ sessions, known, days, answers }: Market) {
    await wipe(database)
    const expires = days === undefined ? '' : dateOf(FIRST + days * DAY).replaceAll('-', '')
    const { contract, ...rest } = details('ES')
    await store.putInstrument(
      'ES',
      { ...rest, contract: { ...contract, secType: 'FUT', exchange: 'CME', lastTradeDateOrContractMonth: expires } },
      NOW,
    )
    let closes = FIRST
    const held = sessions.map((one) => {
      const opens = closes + one.closed * STEP
      closes = opens + one.open * STEP
      return { date: dateOf(closes), start: opens, end: closes, offsetSec: 0 }
    })
    await store.putSessions({ ...CALENDAR, zone: 'US/Central', known, sessions: held, askedAt: undefined })
    const series = await store.ensureSeries(SPECS.map((spec) => ({ instrumentId: 'ES', spec, hours: 'regular' })))
    const dated = new Set(series.filter(({ spec }) => isDated(parseSpec(spec))).map(({ id }) => id))
    const states = { empty: [] as Window[], filled: [] as Window[], unavailable: [] as Window[] }
    for (const { window, state } of answers) {
      for (const name of STATES) {
        states[name] = name === state ? merge([...states[name], window]) : subtract(states[name], [window])
      }
    }
    await database.rows(sql`
      insert into coverage (series_id, state, windows)
      select s.id, x.state, (select coalesce(range_agg(tstzrange(to_timestamp(w.start), to_timestamp(w.end))), '{}')
        from jsonb_to_recordset(x.windows) as w(start float8, "end" float8))
      from series s, jsonb_each(${JSON.stringify(states)}::jsonb) as x(state, windows)`)
    return {
      ids: series.map(({ id }) => id),
      answered: merge(Object.values(states).flat()),
      never: states.unavailable,
      dated,
      first: parseInstant(held[0]?.date ?? ''),
    }
  }

  /** The definition: each session by itself, as the view has it, and each gap against all of them. */
  async function plain(
    judged: Judged,
    { known }: Market,
    { answered, never, dated, first }: Omit<Awaited<ReturnType<typeof put>>, 'ids'>,
    now: number,
  ): Promise<SeriesCompleteness> {
    const { seriesId, start, until } = judged
    const span = [{ start, end: until }]
    const all = await store.sessionRows(judged, until, 1000)
    const sessions = { complete: 0, empty: 0, unavailable: 0, partial: 0, missing: 0, open: 0 }
    for (const row of all) sessions[row.state]++
    const old = [{ start: Math.min(until, now - DAY), end: Math.max(until, start) }]
    const told = dated.has(seriesId) ? [known, { start: first, end: known.start }] : [known]
    const gaps = subtract(span, answered).filter((gap) => {
      const unknown = subtract([gap], [...old, ...told])
      return unknown.length > 0 || all.some((row) => row.ends <= until && row.starts < gap.end && row.ends > gap.start)
    })
    const unknown = subtract(span, [...old, ...told, ...never])
    const days = (windows: readonly Window[]) => totalSec(windows) / DAY
    const had = sessions.complete + sessions.empty
    return {
      seriesId,
      sessions,
      missing: gaps.slice(0, 100),
      gaps: gaps.length,
      unavailable: never.flatMap((window) => intersect(window, { start, end: until }) ?? []),
      unknown: subtract(
        unknown,
        answered.flatMap((window) => intersect(window, { start: known.end, end: until }) ?? []),
      ),
      share: {
        had: had + days(unknown) - days(subtract(unknown, answered)),
        due: had + sessions.partial + sessions.missing + days(unknown),
      },
      flagged: 0,
    }
  }
}

function dateOf(sec: number): string {
  return formatInstant(sec).slice(0, 10)
}
