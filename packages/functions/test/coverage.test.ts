import { parseInstant } from '@tidegate/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import type {
  CompletenessAnswer,
  CoverageAnswer,
  DatasetAnswer,
  ErrorAnswer,
  SessionsAnswer,
  StartedAnswer,
} from '../src/index.ts'
import { openWorld, type World } from './world.ts'

/** The clocks of New York went forward on 8 March; Good Friday was 3 April. */
const SPAN = { start: '2026-03-05', end: '2026-03-12' }
const EASTER = { start: '2026-03-30', end: '2026-04-07' }
const THANKSGIVING = { start: '2025-11-24', end: '2025-12-01' }
const CHRISTMAS = { start: '2025-12-22', end: '2025-12-27' }

let world: World
let closeDatabase: () => Promise<void>
beforeAll(async () => {
  const database = await freshPglite()
  closeDatabase = () => database.close()
  world = await openWorld(database)
}, 60_000)
afterAll(async () => {
  await world?.close()
  await closeDatabase?.()
})

interface Wanted {
  readonly start: string
  readonly end: string
}

async function fill(instrument: string, spec: string, hours: string, window: Wanted): Promise<void> {
  const body = { instruments: [instrument], specs: [spec], hours, ...window }
  const { body: started } = await world.call<StartedAnswer>('POST', '/v1/runs', body)
  expect(await world.ended(started.id)).toMatchObject({ state: 'done' })
}

const query = (fields: Record<string, string>) => `/v1/coverage?${new URLSearchParams(fields)}`
const coverage = async (fields: Record<string, string>) => (await world.call<CoverageAnswer>('GET', query(fields))).body
const sessions = async (fields: Record<string, string>) =>
  (await world.call<SessionsAnswer>('GET', query({ detail: 'sessions', ...fields }))).body

/** The gateway's own market, not its answers: bars it has in each session. */
async function expectTrue(
  contract: object,
  series: Record<'instrument' | 'spec' | 'hours' | 'start' | 'end', string>,
  { barSize, whatToShow }: { barSize: string; whatToShow: 'TRADES' | 'MIDPOINT' },
) {
  const found = await sessions(series)
  for (const { opens, closes, expected, stored, state } of found.sessions) {
    // The window's end cuts it.
    if (state === 'partial') continue
    const bars = world.simulator.truth({
      contract,
      barSize,
      whatToShow,
      useRTH: series.hours === 'regular',
      startSec: Math.max(parseInstant(opens), parseInstant(series.start)),
      endSec: parseInstant(closes),
    })
    expect({ opens, expected, stored }).toEqual({ opens, expected: bars.length, stored: bars.length })
  }
  return found.sessions.map(({ date, opens, closes, expected, state }) => [
    date,
    opens.slice(11, 16),
    closes.slice(11, 16),
    expected,
    state,
  ])
}

const AAPL = { symbol: 'AAPL', secType: 'STK', primaryExchange: 'NASDAQ' }

describe('half days, holidays and changed clocks count as the market had them', () => {
  it('Thanksgiving’s Friday, and Christmas Eve', async () => {
    const series = { instrument: 'AAPL.NASDAQ', spec: '1MIN', hours: 'regular' } as const
    await fill('AAPL.NASDAQ', '1MIN', 'regular', THANKSGIVING)
    expect(await expectTrue(AAPL, { ...series, ...THANKSGIVING }, { barSize: '1 min', whatToShow: 'TRADES' })).toEqual([
      ['2025-11-24', '14:30', '21:00', 390, 'complete'],
      ['2025-11-25', '14:30', '21:00', 390, 'complete'],
      ['2025-11-26', '14:30', '21:00', 390, 'complete'],
      ['2025-11-28', '14:30', '18:00', 210, 'complete'],
    ])
    await fill('AAPL.NASDAQ', '1HOUR', 'regular', CHRISTMAS)
    const hours = { ...series, spec: '1HOUR', ...CHRISTMAS }
    expect(await expectTrue(AAPL, hours, { barSize: '1 hour', whatToShow: 'TRADES' })).toEqual([
      ['2025-12-22', '14:30', '21:00', 7, 'complete'],
      ['2025-12-23', '14:30', '21:00', 7, 'complete'],
      ['2025-12-24', '14:30', '18:00', 4, 'complete'],
      ['2025-12-26', '14:30', '21:00', 7, 'complete'],
    ])
  })

  it('a week in which New York’s clocks change: the overnight sessions of a future, and the week of a pair', async () => {
    const future = { instrument: 'ESM6.CME', spec: '1HOUR', hours: 'all', ...SPAN } as const
    await fill('ESM6.CME', '1HOUR', 'all', SPAN)
    const es = await expectTrue({ localSymbol: 'ESM6', secType: 'FUT' }, future, {
      barSize: '1 hour',
      whatToShow: 'TRADES',
    })
    // The session that is under way when the window begins counts from there.
    expect(es).toEqual([
      ['2026-03-05', '23:00', '22:00', 22, 'complete'],
      ['2026-03-06', '23:00', '22:00', 23, 'complete'],
      ['2026-03-09', '22:00', '21:00', 23, 'complete'],
      ['2026-03-10', '22:00', '21:00', 23, 'complete'],
      ['2026-03-11', '22:00', '21:00', 23, 'complete'],
      ['2026-03-12', '22:00', '21:00', 23, 'partial'],
    ])
    const pair = { instrument: 'EUR/USD', spec: '4-HOUR-MID', hours: 'all', ...SPAN } as const
    await fill('EUR/USD', '4-HOUR-MID', 'all', SPAN)
    const fx = await expectTrue({ symbol: 'EUR', secType: 'CASH', currency: 'USD' }, pair, {
      barSize: '4 hours',
      whatToShow: 'MIDPOINT',
    })
    expect(fx.slice(0, 4)).toEqual([
      ['2026-03-05', '22:15', '22:00', 6, 'complete'],
      ['2026-03-06', '22:15', '22:00', 7, 'complete'],
      ['2026-03-09', '21:15', '21:00', 7, 'complete'],
      ['2026-03-10', '21:15', '21:00', 7, 'complete'],
    ])
  })

  it('minutes without a trade are fewer bars, and nothing is missing', async () => {
    const window = { start: '2026-03-30', end: '2026-04-01' }
    await fill('VOD.NASDAQ', '1MIN', 'regular', window)
    const thin = { instrument: 'VOD.NASDAQ', spec: '1MIN', hours: 'regular', ...window }
    const found = await sessions(thin)
    expect(found.sessions).toMatchObject([
      { expected: 390, covered: true, state: 'complete' },
      { expected: 390, covered: true, state: 'complete' },
    ])
    expect(found.sessions.every(({ stored, expected }) => stored > 200 && stored < expected)).toBe(true)
    expect((await coverage(thin)).series).toMatchObject([{ complete: true, percent: 100, gaps: 0, missing: [] }])
  })

  it('days are one bar each, Good Friday none', async () => {
    await fill('AAPL.NASDAQ', 'DAILY', 'regular', EASTER)
    const days = { instrument: 'AAPL.NASDAQ', spec: 'DAILY', hours: 'regular', ...EASTER }
    expect((await sessions(days)).sessions.map(({ date, stored, state }) => [date, stored, state])).toEqual([
      ['2026-03-30', 1, 'complete'],
      ['2026-03-31', 1, 'complete'],
      ['2026-04-01', 1, 'complete'],
      ['2026-04-02', 1, 'complete'],
      ['2026-04-06', 1, 'complete'],
    ])
  })
})

describe('how complete a series is', () => {
  it('is judged from what is covered first to what is final: what is due and not there is named', async () => {
    const fields = { instrument: 'AAPL.NASDAQ', spec: 'DAILY' }
    const { series, next } = await coverage(fields)
    expect(next).toBeNull()
    expect(series).toEqual([
      {
        instrumentId: 'AAPL.NASDAQ',
        spec: '1-DAY-LAST',
        hours: 'regular',
        datasets: [],
        wanted: true,
        window: { start: '2026-03-30T00:00:00Z', end: '2026-04-08T00:00:00Z' },
        complete: false,
        percent: 83.3,
        sessions: { complete: 5, empty: 0, unavailable: 0, partial: 0, missing: 1, open: 0 },
        missing: [{ start: '2026-04-07T00:00:00Z', end: '2026-04-08T00:00:00Z' }],
        gaps: 1,
        unavailable: [],
        unknown: [],
        flagged: 0,
      },
    ])
    const earlier = await coverage({ ...fields, start: '2026-03-26' })
    expect(earlier.series[0]).toMatchObject({ sessions: { missing: 3 }, gaps: 2 })
    // The weekend before is no gap.
    const weekend = await coverage({ ...fields, start: '2026-03-28', end: '2026-04-05' })
    expect(weekend.series[0]).toMatchObject({ complete: true, percent: 100 })
  })

  it('is of time whose sessions are not known by its days, and of time that has not come nothing', async () => {
    const fields = { instrument: 'AAPL.NASDAQ', spec: 'DAILY' }
    const [long] = (await coverage({ ...fields, start: '2016-04-07' })).series
    const { complete = 0, missing = 0 } = long?.sessions ?? {}
    expect(long?.unknown).toMatchObject([{ start: '2016-04-07T00:00:00Z' }])
    expect(long?.percent).toBeLessThan((100 * complete) / (complete + missing) / 5)
    const [later] = (await coverage({ ...fields, start: '2026-06-01' })).series
    expect(later).toMatchObject({ window: null, complete: null, percent: null, gaps: 0 })
  })

  it('of a dataset is since that wants it; what is told of datasets themselves agrees', async () => {
    const definition = { instruments: ['AAPL.NASDAQ'], specs: ['DAILY', '1HOUR'], schedule: { every: '1d' } }
    const declare = (name: string, since: string) =>
      world.call('POST', '/v1/datasets', { ...definition, name, since, hours: 'regular' })
    await declare('easter', '2026-03-30T15:00Z')
    await declare('march', '2026-03-25')
    try {
      const easter = (await coverage({ dataset: 'easter' })).series
      expect(easter).toMatchObject([
        { spec: '1-HOUR-LAST', window: { start: '2026-03-30T15:00:00Z' }, datasets: ['easter', 'march'] },
        { spec: '1-DAY-LAST', window: { start: '2026-03-30T00:00:00Z' }, sessions: { complete: 5, missing: 1 } },
      ])
      const all = (await coverage({ instrument: 'AAPL.NASDAQ' })).series
      expect(all.map(({ spec, wanted, window }) => [spec, wanted, window?.start.slice(0, 10)])).toEqual([
        ['1-MINUTE-LAST', false, '2025-11-24'],
        ['1-HOUR-LAST', true, '2026-03-25'],
        ['1-DAY-LAST', true, '2026-03-25'],
      ])
      const { body } = await world.call<DatasetAnswer>('GET', '/v1/datasets/easter')
      const shareOf = (percent: number | null | undefined) => expect.closeTo((percent ?? Number.NaN) / 100, 2)
      expect(body.series.map(({ spec, complete }) => [spec, complete])).toEqual(
        easter.map(({ spec, percent }) => [spec, shareOf(percent)]),
      )
      const sum = (read: (sessions: CompletenessAnswer['sessions']) => number) =>
        easter.reduce((total, { sessions }) => total + read(sessions), 0)
      const due = sum(({ complete, partial, missing }) => complete + partial + missing)
      expect(body.complete).toBeCloseTo(sum(({ complete }) => complete) / due, 2)
    } finally {
      for (const name of ['easter', 'march']) await world.call('DELETE', `/v1/datasets/${name}`)
    }
  })

  it('tells what can never be had, with the reason, and not as complete', async () => {
    const window = { start: '2025-03-03', end: '2025-03-04' }
    await fill('AAPL.NASDAQ', '5-SECOND-LAST', 'regular', window)
    const [found] = (await coverage({ instrument: 'AAPL.NASDAQ', spec: '5-SECOND-LAST', ...window })).series
    expect(found).toMatchObject({ complete: true, percent: null, gaps: 0, unknown: [] })
    expect(found?.unavailable).toEqual([
      {
        windows: [{ start: '2025-03-03T00:00:00Z', end: '2025-03-04T00:00:00Z' }],
        why: expect.stringContaining('six months'),
      },
    ])
  })

  it('is told of all series, a page at a time', async () => {
    const all = (await coverage({})).series.map(({ instrumentId, spec }) => `${instrumentId} ${spec}`)
    expect(all.length).toBeGreaterThan(4)
    const first = await coverage({ limit: '2' })
    expect(first.series).toHaveLength(2)
    const rest = await coverage({ after: String(first.next) })
    expect([...first.series, ...rest.series].map(({ instrumentId, spec }) => `${instrumentId} ${spec}`)).toEqual(all)
    expect((await coverage({ instrument: 'KO.NYSE' })).series).toEqual([])
  })

  it('has its sessions in pages too', async () => {
    const fields = { instrument: 'AAPL.NASDAQ', spec: 'DAILY', limit: '4' }
    const first = await sessions(fields)
    expect(first).toMatchObject({ instrumentId: 'AAPL.NASDAQ', spec: '1-DAY-LAST', next: '2026-04-06T00:00:00Z' })
    const rest = await sessions({ ...fields, start: String(first.next) })
    expect(rest.sessions.map(({ date, state }) => [date, state])).toEqual([
      ['2026-04-06', 'complete'],
      ['2026-04-07', 'missing'],
      ['2026-04-08', 'open'],
    ])
    expect(rest.next).toBeNull()
  })

  it.each([
    [{ start: '2026-04-02', end: '2026-04-02' }, 400, 'start must be before the end'],
    [{ limit: '501' }, 400, 'limit: expected a whole number from 1 to 500'],
    [{ hours: 'some' }, 400, 'hours: expected regular or all'],
    [{ dataset: 'none' }, 404, 'There is no dataset "none".'],
    [{ dataset: 'a b' }, 400, 'dataset: expected the name of a dataset'],
    [{ detail: 'all' }, 400, 'detail: expected series or sessions'],
    [{ detail: 'sessions' }, 400, 'one series'],
    [{ detail: 'sessions', instrument: 'KO.NYSE' }, 404, 'No such series'],
  ])('refuses %o', async (fields, status, message) => {
    const answer = await world.call<ErrorAnswer>('GET', query(fields as Record<string, string>))
    expect(answer.status).toBe(status)
    expect(answer.body.error.message).toContain(message)
  })
})
