import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import type { DatasetAnswer, DatasetsAnswer, ErrorAnswer, StartedAnswer } from '../src/index.ts'
import { checkConfig } from '../src/index.ts'
import { openWorld, type World } from './world.ts'

const STOCKS = {
  name: 'stocks',
  instruments: ['AAPL.NASDAQ', 'MSFT'],
  specs: ['5MIN', 'DAILY'],
  since: '2026-04-06',
  hours: 'regular',
  schedule: { afterClose: '20m' },
} as const

let world: World
let database: Awaited<ReturnType<typeof freshPglite>>
beforeAll(async () => {
  database = await freshPglite()
  world = await openWorld(database)
}, 60_000)
beforeEach(() => wipe(database))
afterAll(async () => {
  await world?.close()
  await database?.close()
})

const post = <T = DatasetAnswer>(body: unknown) => world.call<T>('POST', '/v1/datasets', body)
const get = async (name = 'stocks') => (await world.call<DatasetAnswer>('GET', `/v1/datasets/${name}`)).body

describe('datasets by HTTP', () => {
  it('are declared once, replaced by name, listed, and removed', async () => {
    const made = await post(STOCKS)
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe('/v1/datasets/stocks')
    expect(made.body).toMatchObject({
      ...{ name: 'stocks', definition: STOCKS, since: '2026-04-06T00:00:00Z', paused: false, lastRun: null },
      ...{ seriesCount: 0, series: [], complete: null, problems: [] },
    })
    const again = await post(STOCKS)
    expect([again.status, again.body]).toEqual([200, made.body])
    const other = await post({ ...STOCKS, specs: ['1HOUR'], priority: 'backfill' })
    expect([other.status, other.body.definition.specs]).toEqual([200, ['1HOUR']])
    const { datasets } = (await world.call<DatasetsAnswer>('GET', '/v1/datasets')).body
    expect(datasets).toMatchObject([{ name: 'stocks', definition: { priority: 'backfill' } }])
    expect((await world.call('DELETE', '/v1/datasets/stocks')).body).toEqual({ removed: 'stocks', data: 'keep' })
    expect((await world.call('GET', '/v1/datasets/stocks')).status).toBe(404)
    expect((await world.call('DELETE', '/v1/datasets/stocks')).status).toBe(404)
  })

  it('change field by field, and are paused and resumed', async () => {
    await post({ ...STOCKS, priority: 'backfill' })
    const patch = async (body: object) => world.call<DatasetAnswer>('PATCH', '/v1/datasets/stocks', body)
    expect((await patch({ paused: true })).body).toMatchObject({ paused: true, definition: { priority: 'backfill' } })
    const { body } = await patch({ paused: false, priority: null, schedule: { every: '5m', during: 'session' } })
    expect(body).toMatchObject({
      paused: false,
      definition: { ...STOCKS, schedule: { every: '5m', during: 'session' } },
    })
    expect(body.definition).not.toHaveProperty('priority')
    expect((await patch({ name: 'other' })).body).toMatchObject({ error: { kind: 'invalid' } })
    expect((await patch({ specs: ['1MIN', '1MIN'] })).status).toBe(400)
    expect((await get()).definition.specs).toEqual(['5MIN', 'DAILY'])
  })

  it('are brought up to date by hand, and tell how complete each series is and what can not be had', async () => {
    await post({ ...STOCKS, instruments: [...STOCKS.instruments, 'NONE.NASDAQ'] })
    const started = await world.call<StartedAnswer>('POST', '/v1/datasets/stocks/runs')
    expect(started.status).toBe(202)
    expect(started.body.problems).toMatchObject([{ instrument: 'NONE.NASDAQ', error: { kind: 'not-found' } }])
    await world.ended(started.body.id)
    const { series, lastRun, problems, complete } = await get()
    expect(series.map(({ instrumentId, spec }) => `${instrumentId} ${spec}`).sort()).toEqual([
      'AAPL.NASDAQ 1-DAY-LAST',
      'AAPL.NASDAQ 5-MINUTE-LAST',
      'MSFT.NASDAQ 1-DAY-LAST',
      'MSFT.NASDAQ 5-MINUTE-LAST',
    ])
    for (const one of series.filter(({ spec }) => spec === '1-DAY-LAST')) {
      expect(one).toMatchObject({
        wanted: { start: '2026-04-06T00:00:00Z', end: '2026-04-08T00:00:00Z' },
        complete: 1,
        gaps: [],
      })
    }
    expect(complete).toBeGreaterThan(0.9)
    expect(lastRun).toMatchObject({ id: started.body.id, source: 'dataset', state: 'done' })
    expect(problems).toMatchObject([{ dataset: 'stocks', instrument: 'NONE.NASDAQ' }])
    const before = await world.functions.store.series()
    expect(before.some(({ bars }) => bars > 0)).toBe(true)
    expect((await world.call('DELETE', '/v1/datasets/stocks?data=drop')).status).toBe(200)
    expect(await world.functions.store.series()).toEqual([])
  })

  it('by a schedule that follows sessions are due after the half day’s own close', async () => {
    await post({ ...STOCKS, instruments: ['AAPL.NASDAQ'], specs: ['DAILY'] })
    await world.functions.ingest.tick()
    // Wednesday, 14:00 in New York: today's session closes at 16:00.
    expect((await get()).dueAt).toBe('2026-04-08T20:20:00Z')
  })
})

describe('a definition', () => {
  const faults = async (body: unknown) => {
    const { status, body: answer } = await post<ErrorAnswer>(body)
    expect(status).toBe(400)
    return answer.error.message
  }

  it('with several faults is refused with all of them', async () => {
    const message = await faults({
      ...{ name: 'a b', instruments: ['???', 'AAPL', 'aapl'], specs: ['7MIN'], since: 'yesterday', hours: 'some' },
      ...{ schedule: { every: 'often' }, priority: 'high', colour: 'red' },
    })
    for (const part of ['name: ', 'instruments.0: ', 'specs.0: ', 'since: ', 'hours: ', 'schedule: ', 'priority: ']) {
      expect(message).toContain(part)
    }
    expect(message).toContain('colour: there is no such field')
  })

  it.each([
    [{ every: '5m', afterClose: '1h' }, 'schedule: expected { cron, zone }'],
    [{ during: 'session' }, 'schedule: expected { cron, zone }'],
    [{}, 'schedule: expected { cron, zone }'],
    ['daily', 'schedule: expected { cron, zone }'],
    [{ every: '5m', during: 'night' }, 'schedule.during: expected "session", or nothing'],
    [{ cron: '61 * * * *', zone: 'Europe/London' }, '"61 * * * *" in "Europe/London" is no schedule'],
    [{ cron: '* * * * *', zone: 'Nowhere' }, '"* * * * *" in "Nowhere" is no schedule'],
    [{ cron: '0 0 30 2 *', zone: 'UTC' }, 'never comes'],
    [{ every: '5m', often: true }, 'often: there is no such field'],
  ])('whose schedule is %j is refused', async (schedule, expected) => {
    expect(await faults({ ...STOCKS, schedule })).toContain(expected)
  })

  it('that names one thing twice, or what a kind of product has no data for, is refused', async () => {
    expect(await faults({ ...STOCKS, instruments: ['AAPL', 'aapl '] })).toContain(
      'instruments.1: "aapl " is named twice',
    )
    expect(await faults({ ...STOCKS, instruments: ['EUR/USD'], specs: ['1MIN', '1-MINUTE-LAST'] })).toContain(
      'specs.1: EUR/USD: IBKR has no LAST bars for CASH',
    )
    expect(await faults([])).toContain('expected an object with the fields of a dataset')
  })

  it('of a config is checked the same way, with its file, its place and names that stand twice', () => {
    const check = (config: unknown) => () => checkConfig(config, { hours: 'all', file: 'tidegate.config.ts' })
    const { hours: _, ...rest } = STOCKS
    expect(check({ datasets: [rest] })()).toEqual([{ ...STOCKS, hours: 'all' }])
    expect(check({ datasets: [STOCKS, STOCKS] })).toThrow('datasets.1.name: "stocks" stands twice')
    expect(check({ datasets: [{ ...STOCKS, specs: ['2MIN'] }] })).toThrow(
      /^tidegate.config.ts is not .*datasets.0.specs.0: /,
    )
    expect(check(undefined)).toThrow('expected its default export to be defineConfig')
    expect(check({ datasets: {} })).toThrow('datasets: expected a list of datasets')
  })
})
