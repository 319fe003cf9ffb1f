import type { DatasetDefinition, SecType } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import {
  barsAt,
  coverageOf,
  DEFINITION,
  details,
  fill,
  filled,
  NOW,
  newRunId,
  queue,
  type Subject,
  T0,
  windowOf,
} from './fixture.ts'

const HOUR_SEC = 3600
const DAY_SEC = 86_400
const SINCE = Date.UTC(2024, 0, 2) / 1000
const ERROR = { kind: 'not-found', message: 'No such contract.' } as const

/** Declared wants: what they come to, when they are due, and what removing them leaves. */
export function describeDatasets({ database, store }: Subject): void {
  /** Declared, its instruments found, its series made. */
  async function declared(more: Partial<DatasetDefinition> = {}, secType: SecType = 'STK'): Promise<void> {
    const definition = { ...DEFINITION, ...more }
    await store.putDataset(definition, NOW)
    for (const name of definition.instruments) {
      const told = details(name.split('.')[0] ?? name)
      await store.putInstrument(name, { ...told, contract: { ...told.contract, secType } }, NOW)
    }
    const found = definition.instruments.map((name) => ({ name, instrumentId: name }))
    await store.noteInstruments(definition.name, found, NOW)
    await store.linkDataset(definition)
  }

  const state = async (name = DEFINITION.name, now = NOW) => (await store.wanted(now, name))[0]
  const specs = async (name?: string) => (await state(name))?.series.map((s) => `${s.instrumentId} ${s.spec}`)

  describe('declaring', () => {
    it('is idempotent: the same definition again changes nothing, another replaces it and is due at once', async () => {
      expect(await store.putDataset(DEFINITION, NOW)).toEqual({ created: true, changed: true })
      const first = await store.datasets()
      expect(first).toEqual([
        {
          name: 'stocks',
          definition: DEFINITION,
          ...{ since: SINCE, paused: false, dueAt: NOW, createdAt: NOW, updatedAt: NOW },
        },
      ])
      await store.advance([{ name: 'stocks', from: NOW, to: NOW + HOUR_SEC }], NOW)
      expect(await store.putDataset({ ...DEFINITION }, NOW + 5)).toEqual({ created: false, changed: false })
      expect(await store.datasets()).toEqual([{ ...first[0], dueAt: NOW + HOUR_SEC }])
      const other = { ...DEFINITION, priority: 'backfill' as const }
      expect(await store.putDataset(other, NOW + 9)).toEqual({ created: false, changed: true })
      expect(await store.datasets()).toMatchObject([{ definition: other, dueAt: NOW + 9, updatedAt: NOW + 9 }])
    })

    it('is changed from what it was read as alone: of several at once one gets through', async () => {
      const to = (spec: string) => ({ ...DEFINITION, specs: [spec], instruments: ['MSFT.NASDAQ'] })
      expect(await store.changeDataset(DEFINITION, to('5MIN'), NOW)).toBe('outdated')
      await store.putDataset(DEFINITION, NOW)
      await store.linkDataset(DEFINITION)
      expect(await store.changeDataset(DEFINITION, { ...DEFINITION }, NOW + 5)).toBe('same')
      expect(await store.datasets('stocks')).toMatchObject([{ dueAt: NOW, updatedAt: NOW }])
      const wanted = ['5MIN', '1HOUR', 'DAILY'].map(to)
      const became = await Promise.all(wanted.map((one) => store.changeDataset(DEFINITION, one, NOW + 9)))
      expect([...became].sort()).toEqual(['changed', 'outdated', 'outdated'])
      const definition = wanted[became.indexOf('changed')]
      expect(await store.datasets('stocks')).toMatchObject([{ definition, dueAt: NOW + 9, updatedAt: NOW + 9 }])
      expect((await state())?.unresolved.map(({ name }) => name)).toEqual(['MSFT.NASDAQ'])
      expect((await store.datasetNow('stocks', NOW))?.linked).toBe(false)
      expect(await store.datasets('other')).toEqual([])
    })

    it('counts a relative beginning from the day it was declared, and keeps it as long as its text stays', async () => {
      const back = { ...DEFINITION, since: '90d' }
      const began = Math.floor(NOW / DAY_SEC) * DAY_SEC - 90 * DAY_SEC
      await store.putDataset(back, NOW)
      await store.putDataset({ ...back, specs: ['5MIN'] }, NOW + 10 * DAY_SEC)
      expect((await store.datasets())[0]?.since).toBe(began)
      await store.putDataset({ ...back, since: '91d' }, NOW + 10 * DAY_SEC)
      expect((await store.datasets())[0]?.since).toBe(began + 9 * DAY_SEC)
      await store.putDataset({ ...back, since: 'head' }, NOW)
      expect((await store.datasets())[0]?.since).toBeUndefined()
    })

    it('makes a series of every instrument and spec that go together, once', async () => {
      await declared({ instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'], specs: ['1MIN', '1-MINUTE-LAST', 'DAILY'] })
      const expected = ['AAPL', 'MSFT'].flatMap((s) => [`${s}.NASDAQ 1-MINUTE-LAST`, `${s}.NASDAQ 1-DAY-LAST`])
      expect((await specs())?.sort()).toEqual(expected.sort())
      await declared({ name: 'pairs', instruments: ['EUR/USD.IDEALPRO'], specs: ['1MIN', '1-DAY-LAST'] }, 'CASH')
      expect(await specs('pairs')).toEqual(['EUR/USD.IDEALPRO 1-MINUTE-MID'])
    })

    it('that names less lets go of the rest, and leaves what is stored of it', async () => {
      await declared({ instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'], specs: ['1MIN', '5MIN'] })
      const [first] = (await state())?.series ?? []
      const hour = windowOf(T0, 60)
      await fill(store, first?.id ?? 0, hour, filled(hour, barsAt([T0])))
      await declared({ instruments: ['MSFT.NASDAQ'], specs: ['5MIN', '1HOUR'] })
      expect((await specs())?.sort()).toEqual(['MSFT.NASDAQ 1-HOUR-LAST', 'MSFT.NASDAQ 5-MINUTE-LAST'])
      expect((await store.bars(first?.id ?? 0, hour, 10)).t).toEqual([T0])
    })

    it('follows the definition that stands: an older one links nothing', async () => {
      await declared()
      const newer = { ...DEFINITION, specs: ['DAILY'] }
      await store.putDataset(newer, NOW)
      await store.linkDataset(DEFINITION)
      expect((await store.datasetNow('stocks', NOW))?.linked).toBe(false)
      await store.linkDataset(newer)
      expect(await specs()).toEqual(['AAPL.NASDAQ 1-DAY-LAST'])
      expect((await store.datasetNow('stocks', NOW))?.linked).toBe(true)
    })

    it('shows the instruments that were not found, and why, until they are', async () => {
      await store.putDataset({ ...DEFINITION, instruments: ['A.NYSE', 'B.NYSE', 'C.NYSE'] }, NOW)
      await store.noteInstruments(
        'stocks',
        [
          { name: 'A.NYSE', error: ERROR },
          { name: 'B.NYSE', error: ERROR, passing: true },
        ],
        NOW,
      )
      expect((await state())?.unresolved).toEqual([
        { name: 'A.NYSE', askedAt: NOW, error: ERROR },
        { name: 'B.NYSE', askedAt: undefined, error: ERROR },
        { name: 'C.NYSE', askedAt: undefined, error: undefined },
      ])
      await store.putInstrument('A.NYSE', details('A'), NOW)
      await store.noteInstruments('stocks', [{ name: 'A.NYSE', instrumentId: 'A.NYSE' }], NOW)
      expect((await state())?.unresolved.map(({ name }) => name)).toEqual(['B.NYSE', 'C.NYSE'])
      expect((await store.datasetNow('stocks', NOW))?.linked).toBe(false)
    })

    it('from the head waits for it: a series begins where IBKR says that its data do', async () => {
      await declared({ since: 'head' })
      const [series] = (await state())?.series ?? []
      expect(series).toMatchObject({ since: undefined, gaps: [], headAskedAt: undefined })
      const id = series?.id ?? 0
      await store.putHead(id, { error: ERROR, passing: true }, NOW)
      expect((await state())?.series[0]).toMatchObject({ headError: ERROR, headAskedAt: undefined })
      await store.putHead(id, { error: ERROR, passing: false }, NOW)
      expect((await state())?.series[0]).toMatchObject({ headError: ERROR, headAskedAt: NOW })
      await store.putHead(id, { head: T0 }, NOW)
      expect((await state())?.series[0]).toMatchObject({
        ...{ since: T0, headError: undefined, gaps: [{ start: T0, end: NOW }] },
      })
      await declared({ since: 'head', name: 'again' })
      expect((await state('again'))?.series[0]?.since).toBe(T0)
    })
  })

  describe('being due', () => {
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
      const [chunkId = ''] = await queue(store, id, [failed])
      const claim = await store.claim(chunkId, { now: NOW, leaseSec: 60 })
      if (!claim) throw new Error('There was nothing to claim.')
      await store.giveUp(claim, 'failed', ERROR, NOW)
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
      await database.rows(
        sql`update instruments set calendar = 'US' where id = any(array['AAPL.NASDAQ', 'MSFT.NASDAQ'])`,
      )
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
  })

  describe('removing', () => {
    /** A dataset with an hour stored and an hour open. */
    async function busy(name: string): Promise<{ id: number; chunkId: string; runId: string }> {
      await declared({ name })
      const id = (await state(name))?.series[0]?.id ?? 0
      const hour = windowOf(T0, 60)
      await fill(store, id, hour, filled(hour, barsAt([T0])))
      const chunks = [{ seriesId: id, window: windowOf(T0 + HOUR_SEC, 60) }]
      const run = { id: newRunId(), source: 'tick', dataset: name, chunks, now: NOW }
      const [chunkId = ''] = (await store.createRun(run)).chunkIds
      expect((await state(name))?.lastRun).toMatchObject({ id: run.id, source: 'tick', state: 'open' })
      return { id, chunkId, runId: run.id }
    }

    it('cancels what is under way and keeps what is stored', async () => {
      const { id, chunkId, runId } = await busy('stocks')
      const claim = await store.claim(chunkId, { now: NOW, leaseSec: 60 })
      expect(await store.removeDataset('stocks', { dropData: false }, NOW)).toBe(true)
      expect(await store.datasets()).toEqual([])
      const hour = windowOf(T0 + HOUR_SEC, 60)
      const late = { chunkId, fence: claim?.fence ?? 0, window: hour }
      expect(await store.commit(late, filled(hour, barsAt([hour.start])), NOW)).toMatchObject({ held: false })
      expect((await store.bars(id, windowOf(T0, 120), 10)).t).toEqual([T0])
      expect(await coverageOf(database, id)).toMatchObject({ filled: [[T0, T0 + HOUR_SEC]] })
      expect(await store.run(runId)).toMatchObject({
        state: 'cancelled',
        chunks: { cancelled: 1, queued: 0, leased: 0 },
      })
      expect(await store.closeRuns(NOW)).not.toContain(runId)
      // Its runs keep its name; they are not those of another one of that name.
      expect(await store.runs({ limit: 1, dataset: 'stocks' })).toMatchObject([{ id: runId, dataset: 'stocks' }])
      await store.putDataset(DEFINITION, NOW + 1)
      expect((await state('stocks'))?.lastRun).toBeUndefined()
      await store.removeDataset('stocks', { dropData: false }, NOW + 1)
      expect(await store.removeDataset('stocks', { dropData: false }, NOW)).toBe(false)
    })

    it('cancels what waits for a login, of runs that have ended too', async () => {
      const { chunkId, runId } = await busy('stocks')
      const claim = await store.claim(chunkId, { now: NOW, leaseSec: 60 })
      const login = { kind: 'login-required', message: 'log in' } as const
      await store.giveUp({ chunkId, fence: claim?.fence ?? 0 }, 'parked', login, NOW)
      await store.closeRuns(NOW)
      expect(await store.run(runId)).toMatchObject({ state: 'failed', chunks: { parked: 1 } })
      await store.removeDataset('stocks', { dropData: false }, NOW)
      expect(await store.run(runId)).toMatchObject({ state: 'cancelled', chunks: { parked: 0, cancelled: 1 } })
      expect(await store.resume(NOW + 999, 10)).toBe(0)
    })

    it('with its data drops what no other dataset wants, and the series', async () => {
      const { id, chunkId } = await busy('stocks')
      await declared({ name: 'other', specs: ['1MIN'] })
      expect(await store.removeDataset('stocks', { dropData: true }, NOW)).toBe(true)
      expect((await store.bars(id, windowOf(T0, 60), 10)).t).toEqual([T0])
      expect(await store.removeDataset('other', { dropData: true }, NOW)).toBe(true)
      expect((await store.bars(id, windowOf(T0, 60), 10)).t).toEqual([])
      expect(await coverageOf(database, id)).toEqual({})
      expect(await store.claim(chunkId, { now: NOW + DAY_SEC, leaseSec: 60 })).toBeUndefined()
      expect(await store.series()).toEqual([])
      await declared({ name: 'again' })
      expect((await state('again'))?.series).toMatchObject([{ gaps: [{ end: NOW }] }])
    })

    it('with its data leaves nothing of what was flagged, told anew or is collected again, whoever asks for it', async () => {
      const { id, runId } = await busy('stocks')
      const hour = windowOf(T0 + 4 * HOUR_SEC, 60)
      const flags = [{ t: hour.start, why: 'high below open' }]
      await fill(store, id, hour, { ...filled(hour, barsAt([hour.start])), flags })
      await fill(store, id, hour, { ...filled(hour, barsAt([hour.start], 90)), flags })
      const hand = newRunId()
      const asked = [windowOf(T0 + 9 * HOUR_SEC, 60), windowOf(T0 + 10 * HOUR_SEC, 60)]
      const chunks = asked.map((window) => ({ seriesId: id, window }))
      const { chunkIds } = await store.createRun({ id: hand, source: 'fetch', chunks, now: NOW })
      const [finder, other] = await Promise.all(chunkIds.map((chunk) => store.claim(chunk, { now: NOW, leaseSec: 60 })))
      if (!finder || !other) throw new Error('There was nothing to claim.')
      const split = { ratio: 0.25, since: undefined, before: T0 + 9 * HOUR_SEC }
      const { adjustmentId } = await store.openAdjustment(finder, split, NOW)
      const again = {
        source: 'adjustment',
        adjustmentId,
        now: NOW,
        chunks: [{ seriesId: id, window: windowOf(T0, 60) }],
      }
      const [collectId = ''] = (await store.createRun({ id: newRunId(), ...again })).chunkIds
      const collecting = await store.claim(collectId, { now: NOW, leaseSec: 60 })
      if (!collecting) throw new Error('There was nothing to collect.')
      await store.stage(collecting, barsAt([T0], 25), NOW)
      expect(await rowsLeft()).toMatchObject({ staged_bars: 1, adjustments: 1, flagged_bars: 1, restatements: 1 })

      expect(await store.removeDataset('stocks', { dropData: true }, NOW)).toBe(true)
      const none = { bars: 0, coverage: 0, flagged_bars: 0, restatements: 0, adjustments: 0, staged_bars: 0 }
      expect(await rowsLeft()).toEqual({ ...none, chunks: 0, series: 0, dataset_series: 0 })
      expect(await store.commit(other, filled(other.window, barsAt([other.window.start])), NOW)).toMatchObject({
        held: false,
      })
      expect(await store.run(runId)).toMatchObject({ state: 'cancelled' })
      expect(await store.closeRuns(NOW)).toEqual(expect.arrayContaining([hand]))
    })
  })

  /** How much is stored, whatever of. */
  async function rowsLeft(): Promise<Record<string, number> | undefined> {
    const tables = [
      'bars',
      'coverage',
      'flagged_bars',
      'restatements',
      'adjustments',
      'staged_bars',
      'chunks',
      'series',
    ]
    const counts = [...tables, 'dataset_series'].map(
      (name) => sql`(select count(*)::int from ${sql.identifier(name)}) as ${sql.identifier(name)}`,
    )
    return (await database.rows<Record<string, number>>(sql`select ${sql.join(counts, sql`, `)}`))[0]
  }
}
