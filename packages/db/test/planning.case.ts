import { describe, expect, it } from 'vitest'
import {
  anySeries,
  barsAt,
  claimed,
  coverageOf,
  details,
  eachSeries,
  empty,
  fill,
  filled,
  held,
  LEASE,
  minutes,
  NOW,
  queue,
  type Subject,
  T0,
  taken,
  windowOf,
} from './fixture.ts'

const REFUSED = { kind: 'no-permission', message: 'No market data permissions for NYSE STK', code: 162 } as const
const SLOW = { kind: 'timeout', message: 'no answer in 60 s' } as const

/** What plans are made of, and what timeouts teach. */
export function describePlanning({ database, store }: Subject): void {
  const series = eachSeries(store)
  const key = { instrumentId: 'AAPL.NASDAQ', spec: '1-MINUTE-LAST', hours: 'regular' } as const

  describe('what is not covered', () => {
    it('is told by key, for series that do not exist as well, whoever is asking for it', async () => {
      await fill(store, series.id, windowOf(T0 + 600, 10), empty(windowOf(T0 + 600, 10)))
      await queue(store, series.id, [windowOf(T0, 10)])
      const window = windowOf(T0, 30)
      const others = [
        { ...key, instrumentId: 'MSFT.NASDAQ' },
        { ...key, hours: 'all' as const },
      ]
      expect(await store.uncovered([...others, key].map((one) => ({ key: one, window })))).toEqual([
        [window],
        [window],
        [windowOf(T0, 10), windowOf(T0 + 1200, 10)],
      ])
      expect(await store.uncovered([])).toEqual([])
    })
  })

  describe('marking as unavailable', () => {
    it('covers what is neither answered nor asked for, and closes its gaps', async () => {
      await fill(store, series.id, windowOf(T0, 10), filled(windowOf(T0, 10), barsAt(minutes(T0, 10))))
      await fill(store, series.id, windowOf(T0 + 1200, 10), empty(windowOf(T0 + 1200, 10)))
      await queue(store, series.id, [windowOf(T0 + 2400, 10)])
      const other = await anySeries(store, 'MSFT')
      const marks = [
        { seriesId: other.id, window: windowOf(T0, 5) },
        { seriesId: series.id, window: windowOf(T0 + 300, 30) },
        { seriesId: series.id, window: windowOf(T0 + 2100, 15) },
      ]
      for (const _ of [1, 2]) await store.markUnavailable(marks)
      expect(await coverageOf(database, other.id)).toEqual({ unavailable: [[T0, T0 + 300]] })
      expect(await coverageOf(database, series.id)).toEqual({
        filled: [[T0, T0 + 600]],
        empty: [[T0 + 1200, T0 + 1800]],
        unavailable: [
          [T0 + 600, T0 + 1200],
          [T0 + 1800, T0 + 2400],
        ],
      })
      const [gaps] = await store.gaps([{ seriesId: series.id, window: windowOf(T0, 60) }])
      expect(gaps?.windows).toEqual([windowOf(T0 + 3000, 10)])
      await store.markUnavailable([])
    })

    it('gives way to an answer that comes after all', async () => {
      const claim = await claimed(store, series.id, windowOf(T0, 10))
      await store.markUnavailable([{ seriesId: series.id, window: windowOf(T0 - 600, 60) }])
      await store.commit(claim, filled(windowOf(T0, 10), barsAt([T0])), NOW)
      expect(await coverageOf(database, series.id)).toMatchObject({ filled: [[T0, T0 + 600]] })
      const reopened = await claimed(store, series.id, windowOf(T0 - 600, 10))
      await store.commit(reopened, filled(windowOf(T0 - 600, 10), barsAt([T0 - 600])), NOW)
      expect(await coverageOf(database, series.id)).toMatchObject({
        filled: [[T0 - 600, T0 + 600]],
        unavailable: [[T0 + 600, T0 + 3000]],
      })
    })
  })

  it('instruments are listed by any of their names, with the later of their two last dates', async () => {
    const future = details('ES', {
      contract: {
        conId: 7,
        symbol: 'ES',
        secType: 'FUT',
        exchange: 'CME',
        currency: 'USD',
        lastTradeDateOrContractMonth: '20241220',
      },
      realExpirationDate: '20241219',
    })
    await store.putInstrument('ESZ4.CME', future, NOW, 'ESZ24.CME')
    const listed = { instrumentId: 'ESZ4.CME', secType: 'FUT', timeZoneId: 'US/Eastern', expires: '20241220' }
    expect(await store.listings(['ESZ24.CME', 'NONE.NASDAQ', 'AAPL.NASDAQ', 'ESZ4.CME'])).toEqual([
      { name: 'ESZ24.CME', ...listed },
      {
        name: 'AAPL.NASDAQ',
        instrumentId: 'AAPL.NASDAQ',
        secType: 'STK',
        timeZoneId: 'US/Eastern',
        expires: undefined,
      },
      { name: 'ESZ4.CME', ...listed },
    ])
  })

  it('instruments are told by their calendars, in the order asked', async () => {
    await anySeries(store, 'MSFT')
    await store.putInstrument(
      'X.NONE',
      details('X', { contract: { ...details('X').contract, primaryExchange: '' } }),
      NOW,
    )
    const ids = ['MSFT.NASDAQ', 'NONE.NASDAQ', 'X.NONE', 'AAPL.NASDAQ', 'MSFT.NASDAQ']
    const nasdaq = 'STK NASDAQ'
    expect(await store.calendars(ids)).toEqual([nasdaq, undefined, undefined, nasdaq, nasdaq])
  })

  it('a refusal stands until its window is answered, the newest of a series', async () => {
    const park = async (window: ReturnType<typeof windowOf>, error: typeof REFUSED | typeof SLOW, at: number) =>
      store.giveUp(await claimed(store, series.id, window), 'parked', error, at)
    await park(windowOf(T0, 10), REFUSED, NOW)
    await park(windowOf(T0 + 600, 10), { ...REFUSED, message: 'still not' as typeof REFUSED.message }, NOW + 60)
    await park(windowOf(T0 + 1200, 10), SLOW, NOW + 120)
    const { instrumentId, spec } = series
    expect(await store.refusals([instrumentId, 'MSFT.NASDAQ'])).toEqual([
      { instrumentId, spec, error: { ...REFUSED, message: 'still not' }, at: NOW + 60 },
    ])
    expect(await store.refusals(['MSFT.NASDAQ'])).toEqual([])
    await fill(store, series.id, windowOf(T0 + 600, 5), empty(windowOf(T0 + 600, 5)))
    expect(await store.refusals([instrumentId])).toEqual([])
  })

  it('a series that is asked whole is open, given up or answered, each as late as asked', async () => {
    const stateOf = async (start: number, options = {}) =>
      (await store.wholes([{ seriesId: series.id, start }], { answeredSince: NOW, ...options }))[0]
    expect(await stateOf(T0)).toBeUndefined()
    const window = windowOf(T0, 10)
    await fill(store, series.id, window, empty(window))
    expect(await stateOf(T0)).toBe('answered')
    expect(await stateOf(T0 - 1)).toBeUndefined()
    expect(await stateOf(T0, { answeredSince: NOW + 1 })).toBeUndefined()
    await store.giveUp(await claimed(store, series.id, windowOf(T0 + 600, 10)), 'failed', SLOW, NOW)
    expect(await stateOf(T0)).toBe('answered')
    expect(await stateOf(T0, { givenUpSince: NOW })).toBe('given-up')
    expect(await stateOf(T0, { givenUpSince: NOW + 1 })).toBe('answered')
    await queue(store, series.id, [windowOf(T0 + 1200, 10)])
    expect(await stateOf(T0, { givenUpSince: NOW })).toBe('open')
  })

  describe('halving', () => {
    const window = windowOf(T0, 20)
    const halves = [windowOf(T0, 10), windowOf(T0 + 600, 10)] as const
    const learned = { spec: '1-MINUTE-LAST', secType: 'STK', hours: 'regular', spanSec: 600 } as const
    const halving = { halves, error: SLOW, now: NOW, notBefore: NOW + 30, learned, forgottenBefore: NOW - 86_400 }

    it('puts two chunks in the place of one, under its fence, each with what the one has gone through', async () => {
      const [id = ''] = await queue(store, series.id, [window])
      const claim = await taken(store, id)
      const ids = await store.halve(claim, halving)
      expect(ids).toHaveLength(2)
      expect(ids?.[0]).toBe(id)
      expect(await store.claim(id, LEASE)).toBeUndefined()
      const later = { now: NOW + 30, leaseSec: 60 }
      const claims = await Promise.all((ids ?? []).map((one) => store.claim(one, later)))
      expect(claims.map((one) => one?.window)).toEqual([halves[1], halves[0]])
      for (const one of claims) {
        expect(one).toMatchObject({ runId: claim.runId, series, failed: { kind: 'timeout', times: 1 } })
      }
      // The late answer to the whole finds its fence gone, and nothing is covered twice.
      expect(await store.commit(claim, empty(window), NOW)).toMatchObject({ held: false })
      expect((await store.run(claim.runId))?.chunks).toMatchObject({ leased: 2, cancelled: 0 })
      expect((await store.gaps([{ seriesId: series.id, window }]))[0]?.windows).toEqual([])
    })

    it('does nothing without the fence, and nothing twice', async () => {
      const claim = await claimed(store, series.id, window)
      expect(await store.halve({ ...claim, fence: claim.fence + 1 }, halving)).toBeUndefined()
      expect(await store.spans(0)).toEqual([])
      expect(await store.halve(claim, halving)).toHaveLength(2)
      expect(await store.halve(claim, halving)).toBeUndefined()
      expect((await store.run(claim.runId))?.chunks).toMatchObject({ queued: 2 })
    })

    it('gives up the older half where nothing but the whole asks for it', async () => {
      const claim = await claimed(store, series.id, windowOf(T0, 20))
      expect(await store.halve(claim, { ...halving, isOlderLost: true })).toEqual([claim.chunkId])
      expect(await store.run(claim.runId)).toMatchObject({
        chunks: { queued: 1, failed: 1 },
        series: [{ error: SLOW }],
      })
      const again = await taken(store, claim.chunkId, NOW + 30)
      expect(again.window).toEqual(halves[1])
      await store.commit(again, empty(again.window), NOW + 31)
      expect(await store.closeRuns(NOW + 32)).toEqual([claim.runId])
      expect((await store.gaps([{ seriesId: series.id, window: claim.window }]))[0]?.windows).toEqual([halves[0]])
    })

    it('of which a part would be lost is refused', async () => {
      const claim = await claimed(store, series.id, window)
      for (const bad of [[windowOf(T0, 9), halves[1]] as const, [halves[0], windowOf(T0 + 600, 9)] as const]) {
        await expect(store.halve(claim, { ...halving, halves: bad })).rejects.toMatchObject({ kind: 'internal' })
      }
      expect(await store.requeue(claim, SLOW, NOW)).toBe(true)
    })

    it('teaches only ever shorter spans, until they are forgotten', async () => {
      const learn = async (spanSec: number, now: number, forgottenBefore = 0) => {
        await wipeChunks()
        const claim = await claimed(store, series.id, window)
        await store.halve(claim, { ...halving, now, forgottenBefore, learned: { ...learned, spanSec } })
        return (await store.spans(0)).map((one) => one.spanSec)
      }
      const wipeChunks = async () => {
        for (const id of await store.due(NOW + 86_400, 100)) {
          const claim = held(await store.claim(id, { now: NOW + 86_400, leaseSec: 1 }))
          await store.giveUp(claim, 'failed', SLOW, NOW)
        }
      }
      expect(await learn(600, NOW)).toEqual([600])
      expect(await learn(1200, NOW + 10)).toEqual([600])
      expect(await learn(300, NOW + 20)).toEqual([300])
      expect(await store.spans(NOW + 20)).toEqual([{ ...learned, spanSec: 300 }])
      expect(await store.spans(NOW + 21)).toEqual([])
      expect(await learn(1200, NOW + 30, NOW + 25)).toEqual([1200])
    })
  })
}
