import { formatInstant, type Session } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { barsAt, empty, fill, filled, type Subject } from './fixture.ts'
import { openWeek } from './thanksgiving.ts'

const DAY_SEC = 86_400

/** Completeness as SQL shows it. */
export function describeView({ database, store }: Subject): void {
  const { declare, seriesOf } = openWeek({ store })

  it('the view completeness, the counts and the rows of sessions say the same', async () => {
    const specs = ['1-MINUTE-LAST', '1-DAY-LAST', '1-WEEK-LAST', '1-HOUR-LAST']
    const ids: number[] = []
    for (const spec of specs) ids.push(await seriesOf(spec))
    const now = Math.floor(Date.now() / 1000)
    // Sessions of the last days, whatever the day: the view goes by the database's clock.
    const day = (ago: number) => Math.floor(now / DAY_SEC - ago) * DAY_SEC
    const recent = [9, 8, 6, 4, 3, 1].map((ago): Session => {
      const date = formatInstant(day(ago)).slice(0, 10)
      return { date, start: day(ago) + 14 * 3600, end: day(ago) + 21 * 3600, offsetSec: -18_000 }
    })
    const known = { start: day(9) + 14 * 3600, end: day(1) + 21 * 3600 }
    await store.putSessions({
      calendar: 'STK NASDAQ',
      hours: 'regular',
      zone: 'US/Eastern',
      known,
      sessions: recent,
      askedAt: now,
    })
    for (const id of ids) {
      const [older, newer] = [
        { start: day(12), end: day(7) },
        { start: day(5), end: day(3) + 15 * 3600 },
      ]
      await fill(store, id, older, filled(older, barsAt([day(8) + 15 * 3600])))
      await fill(store, id, newer, empty(newer))
    }
    await declare('d', formatInstant(day(14)), ['1-DAY-LAST', '1-HOUR-LAST'])
    const found = await store.judgedSeries({}, { after: 0, limit: 9 }, { now })
    const judged = found.flatMap(({ id, window }) =>
      window ? [{ seriesId: id, start: window.start, until: window.end }] : [],
    )
    const counts = await store.completeness(judged, now)
    expect(counts.map(({ gaps }) => gaps)).toEqual([expect.any(Number), 3, expect.any(Number), 3])
    const view = await database.rows<{ series_id: number; state: string; wanted: boolean }>(sql`
      select series_id, state, wanted from completeness where state not in ('open', 'unknown')`)
    for (const [i, { id, wanted }] of found.entries()) {
      const of = view.filter((row) => row.series_id === id)
      const states = ['complete', 'empty', 'unavailable', 'partial', 'missing'] as const
      const told = Object.fromEntries(states.map((state) => [state, of.filter((row) => row.state === state).length]))
      expect({ id, ...counts[i]?.sessions }).toMatchObject({ id, ...told })
      expect(of.every((row) => row.wanted === wanted)).toBe(true)
    }
    const unknown = await database.rows<{ spec: string; opens: string }>(sql`
      select spec, extract(epoch from opens)::float8 as opens from completeness where state = 'unknown' and opens < to_timestamp(${day(9)}::float8) order by 1`)
    expect(unknown).toEqual([
      { spec: '1-DAY-LAST', opens: day(14) },
      { spec: '1-HOUR-LAST', opens: day(14) },
    ])
    expect(await store.datasetCompleteness(now)).toEqual(
      counts.flatMap((one, i) => (found[i]?.wanted ? [{ ...one, dataset: 'd' }] : [])),
    )
  })
}
