import { afterEach, describe, expect, it } from 'vitest'
import { createFakeClock, settled } from './clock.ts'
import { startRawGateway } from './gateway.ts'
import { barAt, NOW_SEC } from './market.ts'
import { AAPL, endAll, request, sent, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

describe('a request', () => {
  it('brings the bars of the gateway, all of them and no other', async () => {
    const simulator = await startSimulator()
    const { relay } = await startBridge(simulator.port)
    const { bars, done } = await relay.bars(request())
    const truth = simulator.truth({
      contract: { symbol: 'AAPL' },
      barSize: '1 hour',
      whatToShow: 'TRADES',
      useRTH: false,
      startSec: NOW_SEC - 86_400,
      endSec: NOW_SEC,
    })
    expect(bars.t.length).toBeGreaterThan(10)
    expect(bars.t).toEqual(truth.map((bar) => bar.timeSec).filter((sec) => sec >= (bars.t[0] ?? 0)))
    expect(bars.c).toEqual(bars.t.map((sec) => barAt({ secType: 'STK' }, sec).close))
    expect(bars.v).toEqual(bars.t.map((sec) => barAt({ secType: 'STK' }, sec).volume))
    expect(done).toEqual({ bars: bars.t.length, empty: false, asOf: NOW_SEC, simulated: true, notices: [] })
  })

  it('keeps prices of −1, and says null where there is no volume', async () => {
    const simulator = await startSimulator()
    const { relay } = await startBridge(simulator.port)
    const { bars } = await relay.bars(
      request({
        contract: { symbol: 'SPREAD', secType: 'CMDTY', exchange: 'SMART' },
        barSize: '1 min',
        duration: '3600 S',
      }),
    )
    expect(bars.t).toHaveLength(60)
    expect(new Set(bars.o)).toEqual(new Set([-2, -1, 0]))
    expect([...new Set([...bars.v, ...bars.w, ...bars.n])]).toEqual([null])
  })

  it('dates daily bars 00:00 UTC', async () => {
    const { relay } = await startBridge((await startSimulator()).port)
    const { bars } = await relay.bars(request({ barSize: '1 day', duration: '5 D' }))
    expect(bars.t).toHaveLength(5)
    expect(bars.t.every((sec) => sec % 86_400 === 0)).toBe(true)
  })

  it('tells what a contract is, every one that fits', async () => {
    const { relay } = await startBridge((await startSimulator()).port)
    const [apple] = await relay.contracts({ contract: AAPL })
    expect(apple).toMatchObject({
      contract: { conId: 1, symbol: 'AAPL', secType: 'STK', currency: 'USD', primaryExchange: 'NASDAQ' },
      longName: 'APPLE INC',
      minTick: 0.01,
      timeZoneId: 'UTC',
      validExchanges: ['SMART', 'NASDAQ'],
      secIds: { ISIN: 'US0378331005' },
    })
    const future = await relay.contracts({ contract: { symbol: 'ES', secType: 'FUT', exchange: 'CME' } })
    expect(future[0]?.contract).toMatchObject({ multiplier: '50', lastTradeDateOrContractMonth: '20260619' })
    expect(await relay.contracts({ contract: { ...AAPL, symbol: 'DUAL' } })).toHaveLength(2)
  })

  it('is cancelled upstream when the gateway does not answer in time', async () => {
    const simulator = await startSimulator({ faults: { silentHistory: true } })
    const clock = createFakeClock(NOW_SEC * 1000)
    const { relay, bridge } = await startBridge(simulator.port, { clock, settings: { requestTimeoutMs: 60_000 } })
    const answer = relay.bars(request())
    const failed = expect(answer).rejects.toMatchObject({ kind: 'timeout', status: 504 })
    await until('the request arrives', () => sent(simulator, 20) === 1)
    await clock.advance(59_999)
    expect(sent(simulator, 25)).toBe(0)
    await clock.advance(1)
    await failed
    await until('its cancel arrives', () => sent(simulator, 25) === 1)
    const ids = simulator.received.filter((one) => one.messageId === 20 || one.messageId === 25)
    expect(ids[0]?.fields[1]).toBe(ids[1]?.fields[2])
    expect(await statusOf(bridge)).toMatchObject({ pacing: { open: 0, queued: 0 } })
  })

  it('is cancelled upstream when its caller hangs up, and its place is free', async () => {
    const simulator = await startSimulator({ faults: { silentHistory: true } })
    const { relay, bridge } = await startBridge(simulator.port)
    const caller = new AbortController()
    const answer = relay.bars(request(), caller.signal)
    const failed = expect(answer).rejects.toThrow()
    await until('the request arrives', () => sent(simulator, 20) === 1)
    expect(await statusOf(bridge)).toMatchObject({ pacing: { open: 1 } })
    caller.abort()
    await failed
    await until('its cancel arrives', () => sent(simulator, 25) === 1)
    expect(await statusOf(bridge)).toMatchObject({ pacing: { open: 0 } })
  })

  it('is cancelled when a caller over the network closes its connection', async () => {
    const simulator = await startSimulator({ faults: { silentHistory: true } })
    const { bridge } = await startBridge(simulator.port, { listen: true })
    const caller = new AbortController()
    const answer = fetch(`${bridge.url}/v1/bars`, {
      method: 'POST',
      headers: { authorization: `Bearer ${'k'.repeat(32)}` },
      body: JSON.stringify(request()),
      signal: caller.signal,
    })
    const failed = expect(answer).rejects.toThrow()
    await until('the request arrives', () => sent(simulator, 20) === 1)
    caller.abort()
    await failed
    await until('its cancel arrives', () => sent(simulator, 25) === 1)
  })

  it('does not go out for a caller who hung up before', async () => {
    const simulator = await startSimulator()
    const { relay } = await startBridge(simulator.port)
    await expect(relay.bars(request(), AbortSignal.abort())).rejects.toThrow()
    await relay.bars(request({ duration: '2 D' }))
    expect(sent(simulator, 20)).toBe(1)
  })
})

describe('identical requests', () => {
  it('share one answer while it is under way and for 15 seconds', async () => {
    const simulator = await startSimulator()
    const clock = createFakeClock(NOW_SEC * 1000)
    const { relay } = await startBridge(simulator.port, { clock })
    const { contract, ...rest } = request()
    // The same in another order of its fields, and for other callers.
    const again = { ...rest, contract: { currency: 'USD', exchange: 'SMART', secType: 'STK', symbol: 'AAPL' } } as const
    const answers = await Promise.all([
      relay.bars({ contract, ...rest, priority: 'backfill' }),
      relay.bars({ ...again, priority: 'scheduled', waitMs: 60_000, caller: 'someone' }),
      relay.bars(again),
    ])
    expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1)
    await clock.advance(15_499)
    await relay.bars(request())
    expect(sent(simulator, 20)).toBe(1)
    await clock.advance(1)
    await relay.bars(request())
    expect(sent(simulator, 20)).toBe(2)
    await relay.bars(request({ hours: 'regular' }))
    expect(sent(simulator, 20)).toBe(3)
  })

  it('share none that was asked for before with one that wants it fresh, and that keeps to the 15 seconds', async () => {
    const simulator = await startSimulator()
    const clock = createFakeClock(NOW_SEC * 1000)
    const { relay } = await startBridge(simulator.port, { clock })
    await relay.bars(request())
    await expect(relay.bars(request({ fresh: true, waitMs: 0 }))).rejects.toMatchObject({ kind: 'busy' })
    const fresh = relay.bars(request({ fresh: true }))
    await clock.advance(15_499)
    expect(sent(simulator, 20)).toBe(1)
    await clock.advance(1)
    expect((await fresh).done.asOf).toBeGreaterThan(NOW_SEC)
    expect(sent(simulator, 20)).toBe(2)
  })

  it('do not share a failure', async () => {
    const text = 'Historical Market Data Service error message:Historical data request pacing violation'
    const simulator = await startSimulator({ faults: { refuseHistory: { times: 1, text } } })
    const clock = createFakeClock(NOW_SEC * 1000)
    const { relay } = await startBridge(simulator.port, { clock })
    await expect(relay.bars(request({ waitMs: 0 }))).rejects.toMatchObject({ kind: 'pacing' })
    // The failed one counts: its twin has to wait.
    await expect(relay.bars(request({ waitMs: 0 }))).rejects.toMatchObject({ kind: 'busy', retryAfterMs: 15_500 })
    await clock.advance(15_500)
    expect((await relay.bars(request({ waitMs: 0 }))).bars.t.length).toBeGreaterThan(0)
  })

  it('go on for the one who stays when the other hangs up, and end with the last', async () => {
    let answer = () => {}
    const gateway = await startRawGateway({
      script: (client, [id, requestId = '']) => {
        if (id === '20') answer = () => client.send(17, requestId, '', '', 1, NOW_SEC, 1, 1, 1, 1, 1, 1, 1)
      },
    })
    const arrived = (id: string) => gateway.received.filter((fields) => fields[0] === id).length
    const { relay } = await startBridge(gateway.port)
    const first = new AbortController()
    const left = expect(relay.bars(request(), first.signal)).rejects.toThrow()
    const stays = relay.bars(request())
    await until('the request arrives', () => arrived('20') === 1)
    first.abort()
    await left
    answer()
    expect((await stays).done.bars).toBe(1)
    expect([arrived('20'), arrived('25')]).toEqual([1, 0])

    const both = [new AbortController(), new AbortController()]
    const gone = both.map(({ signal }) => relay.bars(request({ duration: '2 D' }), signal))
    const failed = Promise.allSettled(gone)
    await until('the next arrives', () => arrived('20') === 2)
    both[0]?.abort()
    await settled()
    expect(arrived('25')).toBe(0)
    both[1]?.abort()
    await until('its cancel arrives', () => arrived('25') === 1)
    expect((await failed).map((one) => one.status)).toEqual(['rejected', 'rejected'])
  })

  it('are asked anew after the last has hung up', async () => {
    const simulator = await startSimulator({ faults: { silentHistory: true } })
    const clock = createFakeClock(NOW_SEC * 1000)
    const { relay } = await startBridge(simulator.port, { clock })
    const caller = new AbortController()
    const left = expect(relay.bars(request(), caller.signal)).rejects.toThrow()
    await until('the request arrives', () => sent(simulator, 20) === 1)
    caller.abort()
    await left
    simulator.faults.silentHistory = false
    const again = relay.bars(request())
    await clock.advance(15_500)
    expect((await again).done.bars).toBeGreaterThan(0)
    expect(sent(simulator, 20)).toBe(2)
  })
})

describe('late messages', () => {
  it('for a request that has ended mean nothing', async () => {
    const gateway = await startRawGateway({
      nowSec: () => NOW_SEC,
      script: (client, fields) => {
        if (fields[0] !== '20') return
        const id = fields[1] ?? ''
        const bars = (price: number) => [NOW_SEC - 3600, price, price, price, price, 1, price, 1]
        client.send(17, id, '', '', 1, ...bars(1))
        client.send(17, id, '', '', 1, ...bars(2))
        client.send(17, id, '', '', 5, 'nonsense')
        client.send(4, 2, id, 162, 'HMDS query returned no data', '')
        client.send(10, id, 'nonsense')
        client.send(17, 999, '', '', 1, ...bars(3))
      },
    })
    const { relay, bridge } = await startBridge(gateway.port)
    for (const duration of ['1 D', '2 D', '3 D']) {
      expect((await relay.bars(request({ duration }))).bars.c).toEqual([1])
    }
    await settled()
    expect(bridge.status().state).toBe('ready')
    expect(gateway.clients).toHaveLength(1)
  })
})

async function statusOf(bridge: { fetch: (request: Request) => Promise<Response> }): Promise<unknown> {
  const headers = { authorization: `Bearer ${'k'.repeat(32)}` }
  return (await bridge.fetch(new Request('http://bridge/v1/status', { headers }))).json()
}
