import { afterEach, describe, expect, it } from 'vitest'
import { startRawGateway } from './gateway.ts'
import { LISTINGS, NOW_SEC, quoteAt, tradesAt } from './market.ts'
import { AAPL, endAll, KEY, request, sent, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

const MINUTE_AGO = NOW_SEC - 60
const seconds = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

async function joined() {
  const simulator = await startSimulator()
  return { simulator, ...(await startBridge(simulator.port)) }
}

describe('historical ticks', () => {
  it('are the trades of the gateway, halts kept and said, up to the last second that has ended', async () => {
    const { relay } = await joined()
    const start = NOW_SEC - 130
    const { ticks, done } = await relay.ticks({ contract: AAPL, whatToShow: 'TRADES', hours: 'all', start })
    const truth = seconds(start, NOW_SEC).flatMap((sec) => tradesAt(sec))
    expect(ticks.t).toEqual(truth.map((tick) => tick.timeSec))
    expect(ticks.price).toEqual(truth.map((tick) => tick.price))
    expect(ticks.size).toEqual(truth.map((tick) => tick.size))
    expect(ticks.exchange).toEqual(truth.map((tick) => tick.exchange))
    expect(ticks.conditions).toEqual(truth.map((tick) => tick.conditions))
    expect(ticks.unreported).toEqual(truth.map((tick) => tick.unreported))
    expect(ticks.halt.filter(Boolean)).toHaveLength(2)
    expect(ticks.t.filter((_, i) => ticks.halt[i])).toEqual([NOW_SEC - 120, NOW_SEC - 60])
    expect(done).toEqual({
      ticks: truth.length,
      empty: false,
      asOf: NOW_SEC,
      next: NOW_SEC,
      simulated: true,
      notices: [],
    })
  })

  it('are quotes with their own flags, which the library swaps', async () => {
    const { relay } = await joined()
    const { ticks } = await relay.ticks({ contract: AAPL, whatToShow: 'BID_ASK', hours: 'all', start: MINUTE_AGO })
    const truth = seconds(MINUTE_AGO, NOW_SEC).map(quoteAt)
    expect(ticks).toEqual({
      t: truth.map((tick) => tick.timeSec),
      bid: truth.map((tick) => tick.bid),
      ask: truth.map((tick) => tick.ask),
      bidSize: truth.map((tick) => tick.bidSize),
      askSize: truth.map((tick) => tick.askSize),
      bidPastLow: truth.map((tick) => tick.bidPastLow),
      askPastHigh: truth.map((tick) => tick.askPastHigh),
    })
    expect(ticks.bidPastLow).not.toEqual(ticks.askPastHigh)
  })

  it('are midpoints, with nothing else', async () => {
    const { relay } = await joined()
    const { ticks } = await relay.ticks({ contract: AAPL, whatToShow: 'MIDPOINT', hours: 'all', start: MINUTE_AGO })
    expect(Object.keys(ticks)).toEqual(['t', 'price'])
    expect(ticks.price).toEqual(seconds(MINUTE_AGO, NOW_SEC).map((sec) => quoteAt(sec).bid + 0.125))
  })

  it.each(['forward', 'backward'] as const)('read page by page %s are each there once', async (way) => {
    const { relay } = await joined()
    const [from, to] = [NOW_SEC - 240, NOW_SEC - 60]
    const read: number[] = []
    for (let at = way === 'forward' ? from : to, pages = 0; way === 'forward' ? at < to : at > from; pages++) {
      const edge = way === 'forward' ? { start: at } : { end: at }
      const asked = { contract: AAPL, whatToShow: 'TRADES', hours: 'all', count: 101, ...edge } as const
      const { ticks, done } = await relay.ticks(asked)
      if (way === 'forward') read.push(...ticks.t)
      else read.unshift(...ticks.t)
      expect(done.next).toBeDefined()
      at = done.next ?? to
      expect(pages).toBeLessThan(6)
    }
    const truth = seconds(from, to).flatMap((sec) => tradesAt(sec).map(() => sec))
    expect(read.filter((sec) => sec >= from && sec < to)).toEqual(truth)
  })

  it('leave out a second that is still under way, and the second a page read backward is cut at', async () => {
    const gateway = await startRawGateway({
      nowSec: () => NOW_SEC,
      script: (client, [message, id = '', ...rest]) => {
        if (message !== '96') return
        const ticks = [NOW_SEC - 2, NOW_SEC - 1, NOW_SEC - 1, NOW_SEC].flatMap((sec) => [sec, 0, 1.5, 1])
        client.send(96, id, 4, ...ticks, 1)
        expect(rest).toContain('MIDPOINT')
      },
    })
    const { relay } = await startBridge(gateway.port)
    const ask = (edge: object) => relay.ticks({ contract: AAPL, whatToShow: 'MIDPOINT', count: 4, ...edge })
    const forward = await ask({ start: NOW_SEC - 2 })
    expect([forward.ticks.t, forward.done.next]).toEqual([[NOW_SEC - 2, NOW_SEC - 1, NOW_SEC - 1], NOW_SEC])
    const backward = await ask({ end: NOW_SEC + 10 })
    expect([backward.ticks.t, backward.done.next]).toEqual([[NOW_SEC - 1, NOW_SEC - 1], NOW_SEC - 1])
  })

  it('that are none are not called empty without the word of IBKR', async () => {
    const gateway = await startRawGateway({
      nowSec: () => NOW_SEC,
      script: (client, [message, id = '', , symbol]) => {
        if (message !== '96') return
        if (symbol === 'AAPL') client.send(98, id, 0, 1)
        else
          client.send(4, 2, id, 162, 'Historical Market Data Service error message:HMDS query returned no data: X', '')
      },
    })
    const { relay } = await startBridge(gateway.port)
    const ask = (symbol: string) =>
      relay.ticks({ contract: { ...AAPL, symbol }, whatToShow: 'TRADES', start: NOW_SEC - 60 })
    expect((await ask('AAPL')).done).toMatchObject({ ticks: 0, empty: false })
    expect((await ask('X')).done).toEqual({ ticks: 0, empty: true, asOf: NOW_SEC, simulated: true, notices: [] })
  })

  it('are asked with exactly one of start and end', async () => {
    const { relay, simulator } = await joined()
    for (const edge of [{}, { start: NOW_SEC - 60, end: NOW_SEC }]) {
      await expect(relay.ticks({ contract: AAPL, whatToShow: 'TRADES', ...edge })).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining('exactly one of start and end'),
      })
    }
    expect(sent(simulator, 96)).toBe(0)
  })
})

describe('a head timestamp', () => {
  it('is the first instant there is, and its request is cancelled before it is told', async () => {
    const { relay, simulator } = await joined()
    expect(await relay.head({ contract: AAPL, whatToShow: 'TRADES' })).toBe(LISTINGS[0]?.headSec)
    await until('the cancel arrives', () => sent(simulator, 90) === 1)
    expect(sent(simulator, 87)).toBe(1)
  })

  it.each([
    ['345479400', 345_479_400],
    ['19801212-14:30:00', 345_479_400],
    ['19801212', 345_427_200],
  ])('that is written %s is understood', async (text, sec) => {
    const gateway = await startRawGateway({
      script: (client, [message, id = '']) => message === '87' && client.send(88, id, text),
    })
    const { relay } = await startBridge(gateway.port)
    expect(await relay.head({ contract: AAPL, whatToShow: 'TRADES' })).toBe(sec)
  })

  it('that can not be read is an error, not a wrong instant', async () => {
    const gateway = await startRawGateway({
      script: (client, [message, id = '']) => message === '87' && client.send(88, id, 'yesterday'),
    })
    const { relay } = await startBridge(gateway.port)
    await expect(relay.head({ contract: AAPL, whatToShow: 'TRADES' })).rejects.toMatchObject({ kind: 'internal' })
  })
})

describe('sessions', () => {
  it('are told in UTC, with their dates and the zone they are kept in', async () => {
    const { relay } = await joined()
    const contract = { ...AAPL, symbol: 'EAST' }
    const { sessions, zone, empty } = await relay.sessions({ contract, hours: 'all', end: NOW_SEC, duration: '3 D' })
    const day = NOW_SEC - (NOW_SEC % 86_400)
    expect([zone, empty]).toEqual(['US/Eastern', false])
    expect(sessions.at(-1)).toEqual({ date: '2026-04-08', start: day, end: day + 86_400 })
    expect(sessions).toHaveLength(3)
  })

  it('in a zone nobody knows are an error', async () => {
    const gateway = await startRawGateway({
      script: (client, [message, id = '']) => {
        const session = ['20260408-09:30:00', '20260408-16:00:00', '20260408']
        if (message === '20') client.send(106, id, '', '', 'Atlantis/Capital', 1, ...session)
      },
    })
    const { relay } = await startBridge(gateway.port)
    const asked = relay.sessions({ contract: AAPL, duration: '1 D' })
    await expect(asked).rejects.toMatchObject({ kind: 'internal', message: expect.stringContaining('Atlantis') })
  })
})

describe('contracts', () => {
  it('are found by how their symbol begins; none is an answer', async () => {
    const { relay } = await joined()
    expect(await relay.search({ pattern: 'AAP' })).toEqual([
      {
        conId: 1,
        symbol: 'AAPL',
        secType: 'STK',
        primaryExchange: 'NASDAQ',
        currency: 'USD',
        description: 'APPLE INC',
        derivatives: [],
      },
    ])
    expect(await relay.search({ pattern: 'NOPE' })).toEqual([])
  })

  it('that have expired are asked for by includeExpired', async () => {
    const { relay, simulator } = await joined()
    await relay.contracts({ contract: { symbol: 'ES', secType: 'FUT', exchange: 'CME', includeExpired: true } })
    const [message] = simulator.received.filter((one) => one.messageId === 9)
    // 9|8|reqId|C12|X: the flag is the sixteenth field.
    expect(message?.fields[15]).toBe('1')
  })

  it('that are bonds are read from their own message', async () => {
    const gateway = await startRawGateway({
      script: (client, [message, , id = '']) => {
        if (message !== '9') return
        // biome-ignore format: message 18 of server version 178, as the official client reads it.
        client.send(18, id, 'IBM', 'BOND', '459200', '4.5', '20300101', '', '', '', '', 0, 0, 0, '', 'SMART', 'USD', 'IBM',
          'IBM', 555, 0.001, '', 'SMART,BOND', '', '', 0, '', 'IBM 4.5', 'US/Eastern', '', '', '', '', 0, 0, '', 1000, 1000, 1000)
        client.send(52, 1, id)
      },
    })
    const { relay } = await startBridge(gateway.port)
    const [bond] = await relay.contracts({ contract: { symbol: 'IBM', secType: 'BOND', exchange: 'SMART' } })
    expect(bond).toMatchObject({ contract: { conId: 555, secType: 'BOND', currency: 'USD' }, longName: 'IBM 4.5' })
  })
})

describe('option chains', () => {
  it('are told one an exchange and class, in order, until the gateway has said all', async () => {
    const gateway = await startRawGateway({
      script: (client, [message, id = '', ...asked]) => {
        if (message !== '78') return
        expect(asked).toEqual(['AAPL', '', 'STK', '265598'])
        client.send(75, id, 'SMART', 265598, 'AAPL', 100, 2, '20260619', '20260515', 3, 260, 250.5, 255)
        client.send(75, id, 'CBOE', 265598, '2AAPL', 10, 0, 0)
        client.send(76, id)
      },
    })
    const { relay } = await startBridge(gateway.port)
    expect(await relay.chains({ symbol: 'AAPL', secType: 'STK', conId: 265598 })).toEqual([
      {
        exchange: 'SMART',
        underConId: 265598,
        tradingClass: 'AAPL',
        multiplier: '100',
        expirations: ['20260515', '20260619'],
        strikes: [250.5, 255, 260],
      },
      { exchange: 'CBOE', underConId: 265598, tradingClass: '2AAPL', multiplier: '10', expirations: [], strikes: [] },
    ])
  })
})

describe('bars that IBKR answers up to now only', () => {
  it('are refused with an end, in words, and asked without', async () => {
    const { relay, simulator } = await joined()
    const contfut = { symbol: 'ES', secType: 'CONTFUT', exchange: 'CME' } as const
    const asked = [request({ whatToShow: 'ADJUSTED_LAST' }), request({ contract: contfut })]
    for (const one of asked) {
      await expect(relay.bars(one)).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining('leave the end out'),
      })
    }
    expect(sent(simulator, 20)).toBe(0)
    await relay.bars(request({ whatToShow: 'ADJUSTED_LAST', end: undefined }))
    const [message] = simulator.received.filter((one) => one.messageId === 20)
    expect(message?.fields).toContain('ADJUSTED_LAST')
  })
})

describe('the status', () => {
  it('tells the time at the gateway', async () => {
    const { relay } = await joined()
    const { gateway } = await relay.status()
    expect(Math.abs(Date.parse(gateway.time ?? '') / 1000 - NOW_SEC)).toBeLessThan(10)
  })
})

it('every answer says whether it was made up', async () => {
  const { bridge, relay } = await joined()
  const [details] = await relay.contracts({ contract: AAPL })
  const bodies = {
    contracts: { contract: AAPL },
    'contracts/search': { pattern: 'AAP' },
    chains: { symbol: 'AAPL', secType: 'STK', conId: details?.contract.conId },
    head: { contract: AAPL, whatToShow: 'TRADES' },
    sessions: { contract: AAPL, duration: '5 D' },
    bars: request(),
    ticks: { contract: AAPL, whatToShow: 'TRADES', start: MINUTE_AGO },
  }
  for (const [route, body] of Object.entries(bodies)) {
    const init = { method: 'POST', headers: { authorization: `Bearer ${KEY}` }, body: JSON.stringify(body) }
    const response = await bridge.fetch(new Request(`http://bridge/v1/${route}`, init))
    const last = JSON.parse((await response.text()).trim().split('\n').at(-1) ?? '')
    expect(last.done ?? last, route).toMatchObject({ simulated: true })
  }
})

it('times are asked for in their units', async () => {
  const { relay } = await joined()
  await expect(relay.bars(request({ end: NOW_SEC * 1000 }))).rejects.toMatchObject({
    message: expect.stringMatching(/end: expected whole epoch seconds .*milliseconds\?/),
  })
  await expect(relay.bars(request({ waitMs: 0.5 }))).rejects.toThrow('waitMs: expected milliseconds, whole')
})
