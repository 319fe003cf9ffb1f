import { parseInstant } from '@tidegate/core'
import { createStore, type Database } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { onEachDatabase } from './databases.ts'
import type { Figure } from './figure.ts'
import { coverAllButHoles } from './holes.ts'
import { median } from './median.ts'

const PER_SPEC = 125
const SPECS = ['1-MINUTE-LAST', '1-HOUR-LAST', '1-DAY-LAST', '1-WEEK-LAST']
const SERIES = PER_SPEC * SPECS.length
const CALENDARS = 5
const ROUNDS = 5
const MOST_MS = 1000
const SINCE = parseInstant('2016-04-08')
const NOW_SEC = parseInstant('2026-04-08')

/** How complete 500 series of ten years are, a page of `GET /v1/coverage`: of minutes, hours, days and weeks, each with ten holes. */
export async function benchCompleteness(): Promise<Figure[]> {
  const rows: Record<string, string>[] = []
  const figures: Figure[] = []
  await onEachDatabase(async (name, open) => {
    const database = await open()
    await fill(database)
    const store = createStore(database)
    const { ms } = await median(ROUNDS, async () => {
      const series = await store.judgedSeries({}, { after: 0, limit: SERIES }, { now: NOW_SEC, start: SINCE })
      const found = await store.completeness(
        series.map(({ id }) => ({ seriesId: id, start: SINCE, until: NOW_SEC })),
        NOW_SEC,
      )
      if (found.some(({ gaps, sessions }) => gaps === 0 || sessions.complete === 0))
        throw new Error('Nothing was found.')
    })
    const { ms: viewMs } = await median(ROUNDS, async () => {
      const found = await database.rows(sql`
        select instrument_id, spec, date, stored, expected, state from completeness
        where state in ('partial', 'missing') order by date desc limit 20`)
      if (found.length !== 20) throw new Error('Nothing was found.')
    })
    rows.push({ database: name, 'of a page of series, ms': ms.toFixed(0), 'newest of the view, ms': viewMs.toFixed(0) })
    figures.push({ name: `completeness of ${SERIES} series × 10 years, ${name}: ms`, reached: ms, atMost: MOST_MS })
    await database.close()
  })
  console.log('\nCompleteness')
  console.table(rows)
  return figures
}

/** Instruments of five calendars with a session each weekday, and coverage of all but a day here and there, elsewhere for every series. */
async function fill(database: Database): Promise<void> {
  await database.rows(sql`
    insert into instruments (id, details, updated_at, calendar)
    select 'S' || i || '.NASDAQ', '{"contract": {"secType": "STK"}, "timeZoneId": "US/Eastern"}', now(), 'C' || i % ${CALENDARS}::int
    from generate_series(1, ${PER_SPEC}::int) i`)
  await database.rows(sql`
    insert into series (instrument_id, spec, hours)
    select i.id, spec, 'regular' from instruments i, unnest(array[${sql.join(
      SPECS.map((spec) => sql`${spec}::text`),
      sql`, `,
    )}]) spec`)
  await database.rows(sql`
    insert into calendars (calendar, hours, zone, known, asked_at)
    select 'C' || c, 'regular', 'US/Eastern', tstzmultirange(tstzrange('2016-04-08Z', '2026-04-08Z')), '2026-04-08Z'
    from generate_series(0, ${CALENDARS}::int - 1) c`)
  await database.rows(sql`
    insert into sessions (calendar, hours, date, opens, closes, offset_sec)
    select 'C' || c, 'regular', day::date, day + interval '14.5 hours', day + interval '21 hours', -18000
    from generate_series(0, ${CALENDARS}::int - 1) c, generate_series(timestamptz '2016-04-08Z', '2026-04-07Z', interval '1 day') day
    where extract(isodow from day at time zone 'UTC') < 6`)
  await coverAllButHoles(database)
}
