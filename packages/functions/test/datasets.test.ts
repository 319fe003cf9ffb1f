import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import type { BarsAnswer, DatasetAnswer, DatasetsAnswer, ErrorAnswer, StartedAnswer } from '../src/index.ts'
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

  it('change as a whole, however many change them at once, and are not brought back by it', async () => {
    await post(STOCKS)
    const changes = [{ since: '2026-03-02' }, { specs: ['1HOUR'] }, { priority: 'backfill' }, { hours: 'all' }]
    const patch = (body: object) => world.call<DatasetAnswer>('PATCH', '/v1/datasets/stocks', body)
    const answers = await Promise.all(changes.map(patch))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect((await get()).definition).toEqual(Object.assign({}, STOCKS, ...changes))
    const due = (await get()).dueAt
    world.clock.advance(60)
    expect((await patch({ hours: 'all' })).body).toMatchObject({ dueAt: due })
    const [removed, ...late] = await Promise.all([
      world.call('DELETE', '/v1/datasets/stocks'),
      ...changes.map(({ since }) => patch({ since: since ?? '2026-03-03' })),
    ])
    expect(removed.status).toBe(200)
    for (const { status } of late) expect([200, 404]).toContain(status)
    expect((await patch({ since: '2026-03-04' })).status).toBe(404)
    expect((await world.call<DatasetsAnswer>('GET', '/v1/datasets')).body).toEqual({ datasets: [] })
  })

  it('may be as large as ten thousand long names, and no larger', async () => {
    const instruments = Array.from({ length: 10_000 }, (_, i) => `${`${i}`.padStart(60, 'Q')}=OPT.SMART`.slice(-64))
    const wide = { ...STOCKS, name: 'wide', instruments, specs: ['1HOUR'] }
    expect(JSON.stringify(wide).length).toBeGreaterThan(660_000)
    // Read in full, and refused for something else: to store it takes a second.
    const since = { status: 400, body: { error: { message: expect.stringContaining('. since: "never" is no ') } } }
    expect(await post({ ...wide, since: 'never' })).toMatchObject(since)
    await post(STOCKS)
    expect(await world.call('PATCH', '/v1/datasets/stocks', { instruments, since: 'never' })).toMatchObject(since)
    expect(await post<ErrorAnswer>({ ...wide, name: 'x'.repeat(1_100_000) })).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('1024 KiB') } },
    })
  })

  it.each(['GET', 'PATCH', 'DELETE', 'POST'])('of a name that none can have are not there (%s)', async (method) => {
    const body = method === 'PATCH' ? { paused: true } : undefined
    for (const [name, status] of [
      ['%00', 400],
      ['a%1Fb', 400],
      ['%2500', 404],
      ['a%20b', 404],
      ['%ED%A0%80', 404],
      ['x'.repeat(64), 404],
    ] as const) {
      const path = `/v1/datasets/${name}${method === 'POST' ? '/runs' : ''}`
      expect([name, (await world.call(method, path, body)).status]).toEqual([name, status])
    }
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
    // The session under way is not due: all that is is there.
    expect(complete).toBe(1)
    expect(lastRun).toMatchObject({ id: started.body.id, source: 'dataset', state: 'done' })
    expect(problems).toMatchObject([{ dataset: 'stocks', instrument: 'NONE.NASDAQ' }])
    const before = await world.functions.store.series()
    expect(before.some(({ bars }) => bars > 0)).toBe(true)
    const read = () => {
      const query = 'instrument=AAPL&spec=DAILY&hours=regular&start=2026-04-01&end=2026-04-08'
      return world.call<BarsAnswer & ErrorAnswer>('GET', `/v1/bars?${query}`)
    }
    const stored = await read()
    expect(stored.body.bars.t.length).toBeGreaterThan(0)
    expect((await world.call('DELETE', '/v1/datasets/stocks?data=drop')).status).toBe(200)
    expect(await world.functions.store.series()).toEqual([])
    expect((await read()).body.error).toMatchObject({
      kind: 'not-found',
      message: expect.stringContaining('1-DAY-LAST'),
    })
    // The same series once more is another row: whoever reads is never told that it is empty.
    await post(STOCKS)
    const again = await world.call<StartedAnswer>('POST', '/v1/datasets/stocks/runs')
    await world.ended(again.body.id)
    expect((await read()).body.bars).toEqual(stored.body.bars)
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
    expect(message).toContain('- instruments.2: "aapl" is named twice')
    expect(message.split('\n')).toHaveLength(10)
  })

  it('is not wanted since a day that is yet to come', async () => {
    expect(await faults({ ...STOCKS, since: '2026-04-09' })).toMatch(
      /since: "2026-04-09" is yet to come, it is 2026-04-08T1/,
    )
    expect((await post({ ...STOCKS, since: '2026-04-08' })).status).toBe(201)
  })

  it.each([
    [{ every: '5m', afterClose: '1h' }, 'schedule: expected { cron, zone }'],
    [{ during: 'session' }, 'schedule: expected { cron, zone }'],
    [{}, 'schedule: expected { cron, zone }'],
    ['daily', 'schedule: expected { cron, zone }'],
    [{ every: '5m', during: 'night' }, 'schedule.during: expected "session", or nothing'],
    [{ cron: '61 * * * *', zone: 'Europe/London' }, '"61 * * * *" in "Europe/London" is no schedule'],
    [{ cron: '* * * * *', zone: 'Nowhere' }, 'schedule: "Nowhere" is no zone: expected one such as America/New_York'],
    [{ cron: '0 0 * * *', zone: '' }, 'schedule: "" is no zone'],
    [{ cron: '@daily', zone: 'UTC' }, 'schedule: "@daily" is no cron pattern: expected five fields'],
    [{ cron: '0 0 0 * * *', zone: 'UTC' }, 'schedule: "0 0 0 * * *" is no cron pattern'],
    [{ cron: '0 0 30 2 *', zone: 'UTC' }, 'never comes'],
    [{ every: '5m', often: true }, 'schedule.often: there is no such field'],
  ])('whose schedule is %j is refused', async (schedule, expected) => {
    expect(await faults({ ...STOCKS, schedule })).toContain(expected)
  })

  it('that names one thing twice, or what a kind of product has no data for, is refused', async () => {
    expect(await faults({ ...STOCKS, instruments: ['AAPL', 'aapl '] })).toContain(
      'instruments.1: "aapl " is named twice',
    )
    const aliases = ['BRK.B.NYSE', 'AAPL.NASDAQ', 'EUR/USD', 'AAPL.XNAS', 'EUR/USD.IDEALPRO', 'AAPL']
    const again = await faults({ ...STOCKS, instruments: aliases, specs: ['1-HOUR-MID'] })
    expect(again).toContain('- instruments.3: "AAPL.XNAS" is "AAPL.NASDAQ" once more\n')
    expect(again).toContain('- instruments.4: "EUR/USD.IDEALPRO" is "EUR/USD" once more')
    expect(await faults({ ...STOCKS, instruments: ['EUR/USD'], specs: ['1MIN', '1-MINUTE-LAST'] })).toContain(
      'specs.1: EUR/USD: IBKR has no LAST bars for CASH',
    )
    const both = await faults({
      ...STOCKS,
      instruments: ['EUR/USD'],
      specs: ['1-MINUTE-LAST'],
      since: 'never',
      name: '-',
    })
    for (const part of ['- name: ', '- since: ', '- specs.0: EUR/USD: IBKR has no LAST']) expect(both).toContain(part)
    const tooMany = { instruments: Array.from({ length: 5001 }, (_, i) => `A${i}`), specs: ['1MIN', 'DAILY'] }
    expect(await faults({ ...STOCKS, ...tooMany })).toContain('5001 instruments × 2 specs are more than')
    expect(await faults([])).toContain('expected an object with the fields of a dataset')
  })

  it('of a config is checked the same way, with its file, its place and names that stand twice', () => {
    const options = { hours: 'all', file: 'tidegate.config.ts', now: world.clock.now } as const
    const check = (config: unknown) => () => checkConfig(config, options)
    const { hours: _, ...rest } = STOCKS
    expect(check({ datasets: [rest] })()).toEqual([{ ...STOCKS, hours: 'all' }])
    expect(check({ datasets: [STOCKS, STOCKS] })).toThrow('datasets.1.name: "stocks" stands twice')
    expect(check({ datasets: [{ ...STOCKS, specs: ['2MIN'] }] })).toThrow(
      /^tidegate.config.ts is not as expected. stocks, specs.0: "2MIN" /,
    )
    const faulty = [
      { ...STOCKS, specs: ['2MIN'], extra: 1 },
      { ...STOCKS, name: 'a b' },
      { ...STOCKS, name: 'x', schedule: { every: 'often' } },
      { ...STOCKS, name: 'x' },
      7,
    ]
    expect(check({ datasets: faulty, more: [] })).toThrow(
      [
        'tidegate.config.ts is not as expected:',
        '- stocks, specs.0: "2MIN" is no timeframe: expected 1MIN, 5MIN, 1HOUR, DAILY or a bar specification such as 15-MINUTE-MID',
        '- stocks, extra: there is no such field',
        '- datasets.1.name: expected up to 63 letters, digits, dots, - and _, a letter or digit first',
        '- datasets.2.schedule: "often" is no duration: expected one such as 5m, 1h or 1d',
        '- datasets.4: expected an object with the fields of a dataset',
        '- more: there is no such field',
        '- datasets.3.name: "x" stands twice',
      ].join('\n'),
    )
    expect(check(undefined)).toThrow('expected its default export to be defineConfig')
    expect(check({ datasets: {} })).toThrow('datasets: expected a list of datasets')
  })
})
