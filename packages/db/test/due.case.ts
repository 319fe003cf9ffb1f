import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { DAY_SEC, HOUR_SEC, NOT_FOUND, openDatasets } from './declared.ts'
import {
  barsAt,
  claimed,
  DEFINITION,
  details,
  fill,
  filled,
  NOW,
  queue,
  type Subject,
  T0,
  windowOf,
} from './fixture.ts'

/** When datasets are due, and what is told of those that are. */
export function describeDue({ database, store }: Subject): void {
  const { declared, state } = openDatasets({ store })
  const due = async (now = NOW, givenUpSince = now - HOUR_SEC) => store.dueDatasets(now, givenUpSince)

  it('is by the clock, and never while paused', async () => {
    await declared()
    await store.advance([{ name: 'stocks', from: NOW, to: NOW + 60 }], NOW)
    expect(await due(NOW + 59)).toEqual([])
    expect(await due(NOW + 60)).toHaveLength(1)
    expect(await store.pauseDataset('stocks', true, NOW)).toBe(true)
    expect(await due(NOW + 60)).toEqual([])
    await store.pauseDataset('stocks', false, NOW)
    expect(await due(NOW + 60)).toHaveLength(1)
    expect(await store.pauseDataset('none', true, NOW)).toBe(false)
  })

  it('moves on only from where it was: who comes later with an older reading changes nothing', async () => {
    await declared()
    await store.advance([{ name: 'stocks', from: NOW, to: NOW + 60 }], NOW)
    await store.advance([{ name: 'stocks', from: NOW, to: NOW + 9999 }], NOW)
    await store.advance([], NOW)
    expect((await store.datasets())[0]?.dueAt).toBe(NOW + 60)
  })

  it('are all of them after a tick, and what was declared, by a clock that was ahead', async () => {
    await store.putDataset(DEFINITION, NOW)
    await store.putDataset({ ...DEFINITION, name: 'later' }, NOW + 30 * DAY_SEC)
    expect((await due()).map(({ name }) => name)).toEqual(['later', 'stocks'])
    const ahead = NOW + 30 * DAY_SEC
    await store.advance([{ name: 'stocks', from: NOW, to: ahead + 60 }], ahead)
    expect((await due(NOW + 60)).map(({ name }) => name)).toEqual(['later', 'stocks'])
    await store.advance(
      [
        { name: 'stocks', from: ahead + 60, to: NOW + 300 },
        { name: 'later', from: ahead, to: NOW + 300 },
      ],
      NOW + 60,
    )
    expect(await due(NOW + 120)).toEqual([])
    expect(await due(NOW + 300)).toHaveLength(2)
    // A clock that is a little behind changes nothing.
    await store.advance([{ name: 'stocks', from: NOW + 300, to: NOW + 900 }], NOW + 300)
    expect((await due(NOW + 200)).map(({ name }) => name)).toEqual([])
  })

  it('tells the gaps: what is wanted less what is covered, asked for or was given up lately', async () => {
    await declared({ since: '2024-03-06' })
    const [series] = (await due())[0]?.series ?? []
    const id = series?.id ?? 0
    const start = Date.UTC(2024, 2, 6) / 1000
    expect(series).toEqual({
      ...{ id, instrumentId: 'AAPL.NASDAQ', spec: '1-MINUTE-LAST', hours: 'regular', secType: 'STK' },
      ...{ timeZoneId: 'US/Eastern', expires: undefined, since: start, headAskedAt: undefined, headError: undefined },
      gaps: [{ start, end: NOW }],
    })
    const [answered, queued, failed] = [0, 1, 2].map((n) => windowOf(T0 + n * HOUR_SEC, 60))
    if (!answered || !queued || !failed) throw new Error('Three windows were made.')
    await fill(store, id, answered, filled(answered, barsAt([T0])))
    await queue(store, id, [queued])
    await store.giveUp(await claimed(store, id, failed), 'failed', NOT_FOUND, NOW)
    const gaps = async (at: number) => (await due(NOW, at))[0]?.series[0]?.gaps
    const tail = { start: failed.end, end: NOW }
    expect(await gaps(NOW)).toEqual([{ start, end: T0 }, tail])
    expect(await gaps(NOW + 1)).toEqual([
      { start, end: T0 },
      { start: failed.start, end: NOW },
    ])
    expect((await store.datasetNow('stocks', NOW))?.series[0]?.gaps).toEqual([
      { start, end: T0 },
      { start: failed.start, end: NOW },
    ])
    expect((await state())?.series[0]?.gaps).toEqual([
      { start, end: T0 },
      { start: queued.start, end: NOW },
    ])
  })

  it('of one that begins later is without gaps, and of one without series too', async () => {
    await declared({ since: '2024-12-01' })
    await store.putDataset({ ...DEFINITION, name: 'unknown', instruments: ['X.NYSE'] }, NOW)
    expect((await due()).map(({ name, series }) => [name, series.map(({ gaps }) => gaps)])).toEqual([
      ['stocks', [[]]],
      ['unknown', []],
    ])
    expect(await store.datasetNow('none', NOW)).toBeUndefined()
  })

  it('tells the sessions that a schedule follows: listed by the newest details of a calendar, and stored', async () => {
    const instruments = ['AAPL.NASDAQ', 'MSFT.NASDAQ']
    await declared({ instruments })
    expect((await due())[0]).toMatchObject({ calendars: [], sessions: [] })
    await declared({ instruments, schedule: { afterClose: '20m' } })
    await store.putInstrument('MSFT.NASDAQ', details('MSFT', { liquidHours: 'newest' }), NOW + 1)
    await database.rows(sql`update instruments set calendar = 'US' where id = any(array['AAPL.NASDAQ', 'MSFT.NASDAQ'])`)
    const session = sql`to_timestamp(${T0}::float8), to_timestamp(${T0 + HOUR_SEC}::float8), 0`
    await database.rows(sql`
      insert into sessions (calendar, hours, date, opens, closes, offset_sec)
      values ('US', 'regular', '2024-03-06', ${session}), ('US', 'all', '2024-03-06', ${session}), ('DE', 'regular', '2024-03-06', ${session})`)
    expect((await due())[0]).toMatchObject({
      calendars: [{ instrumentId: 'MSFT.NASDAQ', liquidHours: 'newest', tradingHours: '', timeZoneId: 'US/Eastern' }],
      sessions: [{ start: T0, end: T0 + HOUR_SEC }],
    })
    await database.rows(sql`delete from sessions`)
  })
}
