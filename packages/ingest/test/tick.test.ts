import { type DatasetDefinition, formatInstant, parseInstant, TidegateError } from '@tidegate/core'
import { describe, expect, it } from 'vitest'
import { DATASET, detailsOf, eachWorld, relayWith, type World } from './world.ts'

const at = parseInstant
/** A Thursday, 08:00 in New York. */
const NOW = at('2026-03-12T12:00Z')
const STOCKS: DatasetDefinition = { ...DATASET, instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'] }
const NOTHING = { runs: [], chunks: 0, problems: [] }

const { world } = eachWorld(NOW)

const later = (sec: number) => {
  world.clock.nowMs += sec * 1000
}
const dueAt = async (name = 'd') => {
  const found = (await world.store.datasets()).find((dataset) => dataset.name === name)
  return found && formatInstant(found.dueAt)
}
/** The world's ingest over a store that notes which of its methods are called. */
function counting(): { readonly tick: () => Promise<unknown>; readonly called: string[] } {
  const called: string[] = []
  const noted = Object.entries(world.store).map(([name, method]) => [
    name,
    (...given: unknown[]) => {
      called.push(name)
      return (method as (...given: unknown[]) => unknown)(...given)
    },
  ])
  const { tick } = world.another({ store: Object.fromEntries(noted) as World['store'] })
  return { tick, called }
}

describe('ticks', () => {
  it('twice, and two at once, ask for no window twice', async () => {
    await world.ingest.declare(STOCKS)
    const results = await Promise.all([world.ingest.tick(), world.another({}).tick(), world.ingest.tick()])
    expect(results.flatMap(({ problems }) => problems)).toEqual([])
    expect((await world.ingest.tick()).chunks).toBe(0)
    await world.drain()
    const asked = world.relay.asked.map(({ contract, end, duration }) => `${contract.conId} ${end} ${duration}`)
    expect(new Set(asked).size).toBe(asked.length)
    expect(asked.length).toBe(results.reduce((sum, { chunks }) => sum + chunks, 0))
    const series = await world.store.series()
    expect(series).toHaveLength(2)
    for (const { covered: windows } of series) expect(windows).toHaveLength(1)
  })

  it('with nothing due are one query; with everything covered that query and when it is due next', async () => {
    await world.ingest.declare({ ...STOCKS, specs: ['DAILY'], schedule: { every: '1h' } })
    await world.ingest.tick()
    await world.drain()
    const { tick, called } = counting()
    await tick()
    expect(called).toEqual(['dueDatasets'])
    later(3600)
    called.length = 0
    await tick()
    expect(called).toEqual(['dueDatasets', 'advance'])
  })

  it('ask for nothing behind the clock of a gateway that replays the past, and go on when it does', async () => {
    let time = '2026-03-05T18:30:00Z'
    const status = async () => {
      const answer = await world.relay.status()
      return { ...answer, gateway: { ...answer.gateway, time } }
    }
    const ingest = world.another({ relay: relayWith(world.relay, { status }) })
    const dataset: DatasetDefinition = { ...STOCKS, specs: ['1MIN', 'DAILY'], schedule: { every: '1h' } }
    await ingest.declare({ ...dataset, since: '2026-03-02' })
    const minutes = () => world.relay.asked.filter(({ barSize }) => barSize === '1 min')
    const newest = () => Math.max(...minutes().map(({ end = 0 }) => end))
    await ingest.tick()
    const planned = await ingest.plan({ dataset: 'd' })
    expect(planned.gatewayTime).toBe(at(time))
    await world.drain({ ingest })
    expect(newest()).toBeGreaterThan(at('2026-03-05T18:00Z'))
    expect(newest()).toBeLessThan(at('2026-03-06T06:00Z'))
    const asked = world.relay.asked.length
    later(3600)
    expect((await ingest.tick()).chunks).toBeLessThanOrEqual(2)
    await world.drain({ ingest })
    // Put back for a moment, our clock does not hold it to what it was.
    later(-7200)
    await ingest.plan({ dataset: 'd' })
    later(7200)
    time = '2026-03-11T18:30:00Z'
    later(3600)
    await ingest.tick()
    await world.drain({ ingest })
    expect(world.relay.asked.length).toBeGreaterThan(asked)
    expect(newest()).toBeGreaterThan(at('2026-03-11T18:00Z'))
  })

  it('open one run a dataset, at its priority, and are due again by its schedule', async () => {
    await world.ingest.declare({
      ...STOCKS,
      priority: 'backfill',
      schedule: { cron: '30 17 * * 1-5', zone: 'America/New_York' },
    })
    await world.ingest.declare({
      ...DATASET,
      name: 'pairs',
      instruments: ['EUR/USD'],
      specs: ['5MIN'],
      schedule: { every: '1h' },
    })
    const { runs, problems } = await world.ingest.tick()
    expect(problems).toEqual([])
    expect(runs.map(({ dataset }) => dataset)).toEqual(['d', 'pairs'])
    expect([await dueAt(), await dueAt('pairs')]).toEqual(['2026-03-12T21:30:00Z', '2026-03-12T13:00:00Z'])
    await world.drain()
    expect(new Set(world.relay.asked.map(({ contract, priority }) => `${contract.symbol} ${priority}`))).toEqual(
      new Set(['AAPL backfill', 'MSFT backfill', 'EUR scheduled']),
    )
    expect((await world.ingest.datasets('d'))[0]?.lastRun).toMatchObject({ id: runs[0]?.runId, source: 'tick' })
  })

  it('tell what can not be found beside the rest, and ask for it again after an hour', async () => {
    await world.ingest.declare({
      ...STOCKS,
      instruments: [...STOCKS.instruments, 'NONE.NASDAQ'],
      schedule: { every: '1d' },
    })
    const first = await world.ingest.tick()
    expect(first.chunks).toBeGreaterThanOrEqual(2)
    expect(first.problems).toMatchObject([{ dataset: 'd', instrument: 'NONE.NASDAQ', error: { kind: 'not-found' } }])
    expect(await dueAt()).toBe(formatInstant(NOW + 3600))
    later(3599)
    expect(await world.ingest.tick()).toEqual(NOTHING)
    later(1)
    const listed = world.another({
      relay: relayWith(world.relay, { contracts: async () => [detailsOf('NONE', 'STK', 7)] }),
    })
    expect((await listed.tick()).problems).toEqual([])
    expect((await world.store.series({ instrumentIds: ['NONE.NASDAQ'] })).length).toBe(1)
    expect(await dueAt()).toBe('2026-03-13T00:00:00Z')
  })

  it('ask again at the next minute while the bridge is gone, and lose nothing', async () => {
    await world.ingest.declare({ ...STOCKS, schedule: { every: '1d' } })
    const gone = () => Promise.reject(new TidegateError('disconnected', 'The bridge did not answer.'))
    const apart = world.another({ relay: relayWith(world.relay, { status: gone }) })
    expect(await apart.tick()).toMatchObject({ chunks: 0, problems: [{ error: { kind: 'disconnected' } }, {}] })
    expect(await dueAt()).toBe(formatInstant(NOW + 60))
    later(60)
    expect((await world.ingest.tick()).chunks).toBeGreaterThan(0)
    expect((await world.ingest.datasets())[0]?.problems).toEqual([])
  })

  it('find the instruments of a large dataset over several minutes, each asked for once', async () => {
    const many = Array.from({ length: 150 }, (_, i) => `X${i}.NASDAQ`)
    const named: (string | undefined)[] = []
    const wide = world.another({
      relay: relayWith(world.relay, {
        contracts: async ({ contract }) => {
          named.push(contract.localSymbol)
          return [detailsOf(contract.localSymbol ?? '', 'STK', 1000 + named.length)]
        },
      }),
    })
    await wide.declare({
      ...STOCKS,
      instruments: many,
      specs: ['DAILY'],
      since: '2026-03-10',
      schedule: { every: '1d' },
    })
    await wide.tick()
    expect(await world.store.series()).toHaveLength(100)
    later(60)
    await wide.tick()
    expect(await world.store.series()).toHaveLength(150)
    expect(named.length).toBe(150)
    const others = many.map((name) => name.replace('X', 'Y'))
    await wide.declare({ ...STOCKS, name: 'by-hand', instruments: others, specs: ['DAILY'], since: '2026-03-10' })
    expect((await wide.startDataset('by-hand')).series).toHaveLength(150)
    expect(await dueAt()).toBe('2026-03-13T00:00:00Z')
  })

  it('take the newest part of more than a run can hold, and the rest when there is room for it', async () => {
    await world.ingest.declare({ ...STOCKS, specs: ['1-SECOND-LAST'], since: '160d', schedule: { every: '1d' } })
    const { chunks, runs } = await world.ingest.tick()
    expect(chunks).toBe(10_000)
    const newest = await world.store.claim((await world.store.due(NOW, 1))[0] ?? '', { now: NOW, leaseSec: 60 })
    expect(newest?.runId).toBe(runs[0]?.runId)
    expect(newest?.window.end).toBeGreaterThan(NOW - 3600)
    expect(await dueAt()).toBe(formatInstant(NOW + 60))
    later(60)
    expect((await world.ingest.tick()).chunks).toBe(0)
  })

  it('ask for nothing that lies in the future, and of a paused dataset for nothing', async () => {
    await world.ingest.declare({ ...STOCKS, since: '2026-04-01' })
    expect(await world.ingest.tick()).toEqual(NOTHING)
    await world.ingest.declare(STOCKS)
    await world.store.pauseDataset('d', true, NOW)
    expect(await world.ingest.tick()).toEqual(NOTHING)
    await world.store.pauseDataset('d', false, NOW)
    expect((await world.ingest.tick()).chunks).toBeGreaterThan(0)
  })

  it('hold through IBKR’s resets what is overdue or has failed to be planned, and go right after', async () => {
    // Nightly, 23:45 to 00:45 in New York; in these weeks of March that in Paris follows at once.
    world.clock.nowMs = at('2026-03-13T03:44:30Z') * 1000
    const gone = () => Promise.reject(new TidegateError('disconnected', 'The bridge did not answer.'))
    const apart = world.another({ relay: relayWith(world.relay, { status: gone }) })
    await world.ingest.declare({ ...STOCKS, schedule: { every: '1d' } })
    await apart.tick()
    expect(await dueAt()).toBe('2026-03-13T03:45:30Z')
    later(60)
    expect(await apart.tick()).toEqual(NOTHING)
    expect(await world.ingest.tick()).toEqual(NOTHING)
    expect(await dueAt()).toBe('2026-03-13T05:45:00Z')
    // What is declared meanwhile is tried.
    await world.ingest.declare({ ...DATASET, name: 'eager', instruments: ['MSFT.NASDAQ'], specs: ['DAILY'] })
    expect((await world.ingest.tick()).runs).toMatchObject([{ dataset: 'eager' }])
    later(7200 - 60)
    expect((await world.ingest.tick()).runs).toEqual([])
    later(30)
    expect((await world.ingest.tick()).runs).toMatchObject([{ dataset: 'd' }, { dataset: 'eager' }])
  })

  it('hold through Friday’s long reset, and through one that began a tick ago', async () => {
    world.clock.nowMs = at('2026-03-13T20:00Z') * 1000
    await world.ingest.declare({ ...STOCKS, schedule: { every: '1m' } })
    // 23:00 to 03:00 in New York.
    world.clock.nowMs = at('2026-03-14T03:00:30Z') * 1000
    expect(await world.ingest.tick()).toEqual(NOTHING)
    world.clock.nowMs = at('2026-03-14T06:59:59Z') * 1000
    expect(await world.ingest.tick()).toEqual(NOTHING)
    world.clock.nowMs = at('2026-03-14T07:00Z') * 1000
    expect((await world.ingest.tick()).runs).toMatchObject([{ dataset: 'd' }])
  })

  it('after one by a clock that was ahead go by the right one again', async () => {
    await world.ingest.declare({ ...STOCKS, specs: ['DAILY'], schedule: { every: '1h' } })
    await world.ingest.tick()
    later(30 * 86_400)
    await world.ingest.tick()
    expect(await dueAt()).toBe('2026-04-11T13:00:00Z')
    world.clock.nowMs = (NOW + 60) * 1000
    await world.ingest.tick()
    expect(await dueAt()).toBe('2026-03-12T13:00:00Z')
    const { tick, called } = counting()
    await tick()
    expect(called).toEqual(['dueDatasets'])
  })

  it('follow the sessions that are listed beside the instruments: a half day as it is', async () => {
    const hours = '20260312:0930-20260312:1300;20260313:0930-20260313:1600'
    const listing = { ...detailsOf('AAPL'), liquidHours: hours }
    const half = world.another({ relay: relayWith(world.relay, { contracts: async () => [listing] }) })
    await half.declare({ ...DATASET, schedule: { afterClose: '20m' } })
    await half.tick()
    expect(await dueAt()).toBe('2026-03-12T17:20:00Z')
    later(6 * 3600)
    await half.tick()
    expect(await dueAt()).toBe('2026-03-13T20:20:00Z')
    // Four days on, what was listed is over: the contract is asked for again.
    later(4 * 86_400)
    listing.liquidHours = '20260317:0930-20260317:1600'
    await half.tick()
    expect(await dueAt()).toBe('2026-03-17T20:20:00Z')
  })

  it('from the head begin where IBKR says that its data do; where it does not say, that is told', async () => {
    const asked: object[] = []
    const head = async (request: object) => {
      asked.push(request)
      return at('2026-03-10T14:30:30Z')
    }
    const knowing = world.another({ relay: relayWith(world.relay, { head }) })
    await knowing.declare({ ...DATASET, since: 'head', schedule: { every: '1d' } })
    const unknown = () => Promise.reject(new TidegateError('not-found', 'No head.', { code: 162 }))
    const told = await world.another({ relay: relayWith(world.relay, { head: unknown }) }).tick()
    expect(told).toMatchObject({ chunks: 0, problems: [{ instrument: 'AAPL.NASDAQ', spec: '1-MINUTE-LAST' }] })
    later(3600)
    expect((await knowing.tick()).problems).toEqual([])
    expect(asked).toMatchObject([{ contract: { conId: 265598 }, whatToShow: 'TRADES', hours: 'regular' }])
    await world.drain()
    const [series] = await world.store.series()
    expect(formatInstant(series?.covered[0]?.start ?? 0)).toBe('2026-03-10T14:30:00Z')
    const [status] = await world.ingest.datasets()
    // What is not covered lies in a session that is not over.
    expect(status).toMatchObject({ complete: 1, problems: [] })
    expect(status?.series[0]?.gaps).toMatchObject([{ end: status?.series[0]?.wanted?.end }])
    await knowing.startDataset('d')
    expect(asked).toHaveLength(1)
  })
})

describe('a dataset', () => {
  it('is started by hand, due or not, and tells how complete it is', async () => {
    await world.ingest.declare({
      ...DATASET,
      specs: ['DAILY'],
      instruments: ['AAPL.NASDAQ', 'NONE.NASDAQ'],
      schedule: { every: '1d' },
    })
    await world.ingest.tick()
    const started = await world.ingest.startDataset('d', { source: 'hook' })
    expect(started).toMatchObject({
      chunks: 0,
      problems: [{ instrument: 'NONE.NASDAQ' }],
      series: [{ spec: '1-DAY-LAST' }],
    })
    expect((await world.ingest.datasets('d'))[0]?.lastRun).toMatchObject({
      id: started.runId,
      source: 'hook',
      state: 'done',
    })
    const [before] = await world.ingest.datasets('d')
    expect(before?.complete).toBe(0)
    await world.drain()
    const [after] = await world.ingest.datasets('d')
    expect(after?.complete).toBe(1)
    expect(after?.series).toMatchObject([{ instrumentId: 'AAPL.NASDAQ', gaps: [], complete: 1 }])
  })

  it('that does not exist, or of which nothing can be had, is an error', async () => {
    await expect(world.ingest.startDataset('none')).rejects.toMatchObject({ kind: 'not-found' })
    await world.ingest.declare({ ...DATASET, instruments: ['NONE.NASDAQ'] })
    await expect(world.ingest.startDataset('d')).rejects.toMatchObject({ kind: 'not-found', message: /NONE/ })
    expect(await world.ingest.datasets('none')).toEqual([])
  })

  it('is changed as it is by then, where others change it between what was read and what is written', async () => {
    const { store } = world
    await world.ingest.declare(DATASET)
    /** A dataset read, then changed by somebody else before anything is made of what was read. */
    const meddled = (change: (times: number) => Promise<unknown>) => {
      let times = 0
      const datasets: typeof store.datasets = async (name) => {
        const read = await store.datasets(name)
        await change(++times)
        return read
      }
      return world.another({ store: { ...store, datasets } })
    }
    const others = [
      { ...DATASET, specs: ['1HOUR'] },
      { ...DATASET, specs: ['1HOUR'], priority: 'backfill' as const },
    ]
    const twice = meddled(async (times) => {
      const other = others[times - 1]
      if (other) await store.putDataset(other, NOW)
    })
    await twice.change('d', (definition) => ({ ...definition, hours: 'all' }))
    expect(await store.datasets('d')).toMatchObject([{ definition: { ...others[1], hours: 'all' } }])
    const always = meddled((times) => store.putDataset({ ...DATASET, instruments: [`A${times}.NYSE`] }, NOW))
    const refused = always.change('d', (definition) => ({ ...definition, specs: ['DAILY'] }))
    await expect(refused).rejects.toMatchObject({ kind: 'conflict', message: /"d" was changed by somebody else/ })
    const removing = meddled(() => store.removeDataset('d', { dropData: false }, NOW))
    const late = removing.change('d', (definition) => ({ ...definition, specs: ['5MIN'] }))
    await expect(late).rejects.toMatchObject({ kind: 'not-found' })
    expect(await store.datasets()).toEqual([])
  })

  it('names a spec that a kind of its instruments has no data for', async () => {
    await world.ingest.declare({
      ...DATASET,
      instruments: ['AAPL.NASDAQ', 'EUR/USD.IDEALPRO'],
      specs: ['1-MINUTE-LAST'],
    })
    await world.ingest.tick()
    expect((await world.ingest.datasets('d'))[0]).toMatchObject({
      series: [{ instrumentId: 'AAPL.NASDAQ' }],
      problems: [{ instrument: 'EUR/USD.IDEALPRO', spec: '1-MINUTE-LAST', error: { kind: 'invalid' } }],
    })
  })
})
