import { parseInstant, type Session } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { anySeries, claimed, details, empty, NOW, type Subject, T0, taken, windowOf } from './fixture.ts'

const at = parseInstant

function regular(date: string): Session {
  return { date, start: at(`${date}T14:30Z`), end: at(`${date}T21:00Z`), offsetSec: -18_000 }
}

/** IBKR's schedules as they are stored, and chunks that are doubted because of them. */
export function describeSessions({ database, store }: Subject): void {
  const calendar = 'STK NASDAQ'
  const week = ['2026-11-23', '2026-11-24', '2026-11-25', '2026-11-27'].map(regular)
  const all = { start: at('2026-11-01'), end: at('2026-12-31') }
  const put = (sessions: readonly Session[], end: number, askedAt?: number) =>
    store.putSessions({
      calendar,
      hours: 'regular',
      zone: 'US/Eastern',
      known: { start: sessions[0]?.start ?? 0, end },
      sessions,
      askedAt,
    })

  describe('what is known of a calendar', () => {
    it('is nothing while it was not asked', async () => {
      expect(await store.sessions(calendar, 'regular', all)).toEqual({
        known: [],
        presumed: undefined,
        sessions: [],
        askedAt: undefined,
      })
    })

    it('is what an answer proves, of these hours alone, cut to the window', async () => {
      await put(week, at('2026-11-27T21:00Z'), at('2026-11-28T15:00Z'))
      expect(await store.sessions(calendar, 'regular', all)).toEqual({
        known: [{ start: at('2026-11-23T14:30Z'), end: at('2026-11-27T21:00Z') }],
        presumed: { start: at('2026-11-27T21:00Z'), end: at('2026-11-28T15:00Z') },
        sessions: week,
        askedAt: at('2026-11-28T15:00Z'),
      })
      const part = { start: at('2026-11-24T16:00Z'), end: at('2026-11-27T14:30Z') }
      expect(await store.sessions(calendar, 'regular', part)).toMatchObject({
        known: [part],
        presumed: undefined,
        sessions: [{ date: '2026-11-24' }, { date: '2026-11-25' }],
      })
      expect((await store.sessions(calendar, 'all', all)).known).toEqual([])
    })

    it('grows, and a later answer corrects what was still to come', async () => {
      const today = regular('2026-11-27')
      await put(week.slice(0, 2).concat(today), at('2026-11-25T12:00Z'), at('2026-11-25T12:00Z'))
      const half = { ...today, end: at('2026-11-27T18:00Z') }
      const next = [regular('2026-11-25'), half]
      await put(next, at('2026-11-27T18:00Z'), at('2026-11-27T20:00Z'))
      const found = await store.sessions(calendar, 'regular', all)
      expect(found.sessions).toEqual([...week.slice(0, 2), ...next])
      // Between the first answer and the second nothing was asked of the morning of the 25th.
      expect(found.known).toEqual([
        { start: at('2026-11-23T14:30Z'), end: at('2026-11-25T12:00Z') },
        { start: at('2026-11-25T14:30Z'), end: at('2026-11-27T18:00Z') },
      ])
      await put([regular('2026-11-24'), half], at('2026-11-27T18:00Z'))
      const without = await store.sessions(calendar, 'regular', all)
      expect(without.sessions.map(({ date }) => date)).toEqual(['2026-11-23', '2026-11-24', '2026-11-27'])
      expect(without.askedAt).toBe(at('2026-11-27T20:00Z'))
    })

    it('survives two answers at once', async () => {
      await Promise.all([0, 1, 2, 3].map(() => put(week, at('2026-11-27T21:00Z'), at('2026-11-28'))))
      expect((await store.sessions(calendar, 'regular', all)).sessions).toEqual(week)
    })
  })

  it('an instrument is stored with its calendar', async () => {
    await store.putInstrument('AAPL.NASDAQ', details('AAPL'), NOW)
    expect(await database.rows(sql`select id, calendar from instruments`)).toEqual([{ id: 'AAPL.NASDAQ', calendar }])
  })

  describe('a doubted chunk', () => {
    it('goes back to be asked again later, and says how often it was doubted', async () => {
      const series = await anySeries(store)
      const claim = await claimed(store, series.id, windowOf(T0, 10))
      expect(claim).toMatchObject({ doubts: 0, head: undefined })
      const why = { kind: 'busy', message: 'asked again' } as const
      expect(await store.doubt(claim, why, NOW + 3600)).toBe(true)
      expect((await store.run(claim.runId))?.series[0]?.error).toEqual(why)
      expect(await store.claim(claim.chunkId, { now: NOW + 3599, leaseSec: 60 })).toBeUndefined()
      const again = await taken(store, claim.chunkId, NOW + 3600)
      expect(again).toMatchObject({ doubts: 1, failed: { times: 0 } })
      expect(await store.doubt(claim, why, NOW + 9999)).toBe(false)
    })

    it('confirmed, is told once, in the statement that settles it', async () => {
      const series = await anySeries(store)
      const window = windowOf(T0, 10)
      const claim = await claimed(store, series.id, window)
      await taken(store, claim.chunkId, NOW + 61)
      const events = () =>
        database.rows(sql`select event, extract(epoch from at)::float8 as at from outbox where kind = 'event'`)
      expect(await store.commit(claim, { ...empty(window), isConfirmed: true }, NOW)).toMatchObject({
        held: false,
      })
      expect(await events()).toEqual([])
      const again = await claimed(store, series.id, windowOf(T0 + 6000, 10))
      await store.commit(again, { ...empty(again.window), isConfirmed: true }, NOW)
      const other = await claimed(store, series.id, windowOf(T0 + 12_000, 10))
      await store.commit(other, empty(other.window), NOW)
      expect(await events()).toEqual([
        {
          at: NOW,
          event: {
            type: 'gap.confirmed',
            data: {
              series: series.id,
              instrument: 'AAPL.NASDAQ',
              spec: '1-MINUTE-LAST',
              hours: 'regular',
              window: { start: '2024-03-06T16:10:00Z', end: '2024-03-06T16:20:00Z' },
            },
          },
        },
      ])
    })
  })
}
