import { afterEach, describe, expect, it } from 'vitest'
import { createFakeClock, settled } from './clock.ts'
import { barAt, NOW_SEC, quoteAt, tradesAt } from './market.ts'
import { AAPL, endAll, KEY, request, sent, until } from './rig.ts'
import { startStreams, subscribe } from './streams.ts'

afterEach(endAll)

const FIVES = { kind: 'realtimeBars', contract: AAPL, whatToShow: 'TRADES', hours: 'all' } as const
const MINUTES = {
  kind: 'bars',
  contract: AAPL,
  barSize: '1 min',
  whatToShow: 'TRADES',
  hours: 'all',
  duration: '1800 S',
} as const

describe('a subscription', () => {
  it('to bars of five seconds tells each as it closes', async () => {
    const { open, beat, simulator } = await startStreams()
    const bars = subscribe(await open(), FIVES)
    await until('it arrived', () => sent(simulator, 50) === 1)
    beat.pass(15)
    await until('three bars came', () => bars.all('bar').length === 3)
    const [first] = bars.all('bar')
    const { open: o, high: h, low: l, close: c, volume: v, wap: w, count: n } = barAt({ secType: 'STK' }, NOW_SEC)
    expect(first).toEqual({ t: NOW_SEC, o, h, l, c, v, w, n })
    bars.end()
    await bars.over
  })

  it('to bars that are kept up to date is, to IBKR, the same request as those bars', async () => {
    const { open, relay, simulator } = await startStreams()
    const stream = await open()
    const bars = subscribe(stream, MINUTES)
    await until('it stands', () => bars.all('history').length > 0)
    const { kind: _, ...same } = MINUTES
    const refusal = await relay.bars({ ...same, waitMs: 0 }).catch((cause) => cause)
    expect(refusal).toMatchObject({ kind: 'busy' })
    expect(refusal.retryAfterMs).toBeGreaterThan(10_000)
    expect(sent(simulator, 20)).toBe(1)
  })

  it('that has to wait leaves each his own patience', async () => {
    const clock = createFakeClock()
    const { open, simulator, bridge } = await startStreams({ clock })
    await simulator.event({ type: 'notice', code: 2105 })
    await until('history is away', () => bridge.status().state !== 'ready')
    const [one, two] = [await open(), await open()]
    const ends: string[] = []
    const want = (name: string, stream: typeof one, waitMs: number) => {
      const bars = subscribe(stream, { ...MINUTES, waitMs })
      bars.over.catch(({ kind }) => ends.push(`${name} ${kind}`))
      return bars
    }
    want('first', one, 3000)
    const patient = want('patient', two, 20_000)
    want('last', one, 500)
    await settled(8)
    await clock.advance(600)
    await until('the last has left', () => ends.length === 1)
    await clock.advance(3000)
    await until('the first has left', () => ends.length === 2)
    expect(ends).toEqual(['last farm-down', 'first farm-down'])
    await simulator.event({ type: 'notice', code: 2106 })
    for (let i = 0; i < 20 && patient.all('subscribed').length === 0; i++) await clock.advance(100)
    expect(patient.all('subscribed')).toEqual([true])
  })

  it('is one at the gateway, however many want the same, and ends with the last of them', async () => {
    const { open, beat, simulator } = await startStreams()
    const [one, two] = [await open(), await open()]
    const all = [subscribe(one, FIVES), subscribe(one, FIVES), subscribe(two, FIVES)]
    await until('all stand', () => all.every((bars) => bars.all('subscribed').length === 1))
    await until('it arrived', () => sent(simulator, 50) === 1)
    beat.pass(5)
    await until('all have a bar', () => all.every((bars) => bars.all('bar').length === 1))
    expect(sent(simulator, 50)).toBe(1)
    all[0]?.end()
    two.close()
    await settled()
    beat.pass(5)
    await until('the last has another', () => all[1]?.all('bar').length === 2)
    expect(sent(simulator, 51)).toBe(0)
    all[1]?.end()
    await until('it is cancelled', () => sent(simulator, 51) === 1)
  })

  it('to bars kept up to date begins with those up to now; who joins later gets them as they stand', async () => {
    const { open, beat, simulator } = await startStreams()
    const stream = await open()
    const first = subscribe(stream, MINUTES)
    await until('the history came', () => first.all('history').length === 1)
    expect(first.all('history')[0]?.t).toHaveLength(30)
    beat.pass(70)
    await until('bars came', () => first.all('bar').some((bar) => bar.t === NOW_SEC + 60))
    const late = subscribe(stream, MINUTES)
    await until('the history came', () => late.all('history').length === 1)
    expect(late.all('history')[0]?.t.slice(-3)).toEqual([NOW_SEC - 60, NOW_SEC, NOW_SEC + 60])
    expect(sent(simulator, 20)).toBe(1)
    first.end()
    late.end()
    await until('it is cancelled', () => sent(simulator, 25) === 1)
  })

  it('to ticks tells each trade, quote or midpoint', async () => {
    const { open, beat, simulator } = await startStreams()
    const stream = await open()
    const contract = AAPL
    const trades = subscribe(stream, { kind: 'ticks', contract, tickType: 'AllLast' })
    const quotes = subscribe(stream, { kind: 'ticks', contract, tickType: 'BidAsk' })
    const mids = subscribe(stream, { kind: 'ticks', contract, tickType: 'MidPoint' })
    const all = [trades, quotes, mids]
    await until('all arrived', () => sent(simulator, 97) === 3)
    beat.pass(3)
    await until('all have ticks', () => all.every((ticks) => ticks.all('ticks').length >= 3))
    const [halt] = trades.all('ticks')
    expect(halt).toMatchObject({ t: [NOW_SEC], price: [0], pastLimit: [true], halt: [true] })
    expect(trades.all('ticks')[1]).toMatchObject({ price: [tradesAt(NOW_SEC + 1)[0]?.price], exchange: ['NASDAQ'] })
    const { bid, ask, askPastHigh, bidPastLow } = quoteAt(NOW_SEC + 1)
    const told = { bid: [bid], ask: [ask], askPastHigh: [askPastHigh], bidPastLow: [bidPastLow] }
    expect(quotes.all('ticks')[1]).toMatchObject({ t: [NOW_SEC + 1], ...told })
    expect(mids.all('ticks')[0]).toEqual({ t: [NOW_SEC], price: [quoteAt(NOW_SEC).bid + 0.125] })
  })

  it('to quotes tells what changes, the smallest step right, of the type of market data that was asked for', async () => {
    const { open, beat, simulator } = await startStreams()
    const stream = await open()
    const quotes = subscribe(stream, { kind: 'quotes', contract: AAPL, marketDataType: 'REALTIME' })
    await until('quotes came', () => quotes.all('quote').some((quote) => quote.minTick !== undefined))
    beat.pass(2)
    const latest = () => Object.assign({}, ...quotes.all('quote'))
    await until('the bid came', () => latest().bid === quoteAt(NOW_SEC + 1).bid)
    expect(latest()).toMatchObject({ minTick: 0.01, marketDataType: 1, ask: quoteAt(NOW_SEC + 1).ask })
    const types = simulator.received.filter((one) => one.messageId === 59)
    expect(types.map((one) => one.fields[2] ?? one.fields[1])).toEqual(['4', '1'])
    const late = subscribe(stream, { kind: 'quotes', contract: AAPL, marketDataType: 'REALTIME' })
    await until('the quote came whole', () => late.all('quote').length > 0)
    expect(late.all('quote')[0]).toEqual(latest())
    expect(sent(simulator, 1)).toBe(1)
  })

  it('that IBKR refuses ends with its reason', async () => {
    const { open } = await startStreams()
    const stream = await open()
    const nobody = subscribe(stream, { ...FIVES, contract: { ...AAPL, symbol: 'NOBODY' } })
    await expect(nobody.over).rejects.toMatchObject({ kind: 'not-found', code: 200 })
  })

  it('counts among the small requests where it is one', async () => {
    const { open, bridge } = await startStreams()
    const left = async () => {
      const headers = { authorization: `Bearer ${KEY}` }
      const text = await (await bridge.fetch(new Request('http://bridge/metrics', { headers }))).text()
      return /pacing_left\{rule="small"\} (\d+)/.exec(text)?.[1]
    }
    expect(await left()).toBe('60')
    const bars = subscribe(await open(), FIVES)
    await until('it stands', () => bars.all('subscribed').length === 1)
    expect(await left()).toBe('59')
  })
})

describe('a broken subscription', () => {
  async function standing() {
    const clock = createFakeClock(NOW_SEC * 1000)
    const streams = await startStreams({ clock })
    const bars = subscribe(await streams.open(), FIVES)
    await until('it arrived', () => sent(streams.simulator, 50) === 1)
    streams.beat.pass(5)
    await until('a bar came', () => bars.all('bar').length === 1)
    return { clock, bars, ...streams }
  }

  it('is made anew when the connection is back, and the gap told', async () => {
    const { clock, bars, simulator, beat } = await standing()
    await clock.advance(30_000)
    beat.pass(30)
    await until('bars came', () => bars.all('bar').length === 7)
    await simulator.event({ type: 'drop' })
    for (let i = 0; i < 60 && bars.all('gap').length === 0; i++) await clock.advance(1000)
    const [gap] = bars.all('gap')
    expect(gap?.from).toBe(NOW_SEC + 30)
    expect(gap?.to).toBeGreaterThan(NOW_SEC + 30)
    await until('it arrived', () => sent(simulator, 50) === 2)
    beat.pass(5)
    await until('bars come again', () => bars.all('bar').length === 8)
    expect(simulator.violations).toEqual([])
  })

  it('is not asked for again within fifteen seconds', async () => {
    const { clock, bars, simulator } = await standing()
    await simulator.event({ type: 'drop' })
    await until('the connection is gone', () => bars.all('subscribed').length === 1)
    for (let ms = 0; ms < 14_000; ms += 1000) await clock.advance(1000)
    expect(sent(simulator, 50)).toBe(1)
    for (let i = 0; i < 60 && sent(simulator, 50) === 1; i++) await clock.advance(1000)
    expect(sent(simulator, 50)).toBe(2)
  })

  it.each([
    [1100, 1102],
    [2103, 2104],
  ])('goes on after %i and %i, and what it has missed is told', async (broken, mended) => {
    const { clock, bars, simulator, beat } = await standing()
    await clock.advance(20_000)
    await simulator.event({ type: 'notice', code: broken })
    await clock.advance(30_000)
    await simulator.event({ type: 'notice', code: mended })
    for (let i = 0; i < 10 && bars.all('gap').length === 0; i++) await clock.advance(100)
    const [gap] = bars.all('gap')
    expect([gap?.from, bars.all('subscribed').length]).toEqual([NOW_SEC + 20, 1])
    expect(gap?.to).toBeGreaterThanOrEqual(NOW_SEC + 50)
    beat.pass(5)
    await until('bars come again', () => bars.all('bar').length === 2)
    expect(sent(simulator, 50)).toBe(1)
  })

  it('is made anew after 1101, which loses subscriptions and keeps the connection', async () => {
    const { clock, bars, simulator } = await standing()
    await clock.advance(20_000)
    await simulator.event({ type: 'notice', code: 1100 })
    await simulator.event({ type: 'notice', code: 1101 })
    for (let i = 0; i < 60 && bars.all('gap').length === 0; i++) await clock.advance(1000)
    expect(bars.all('gap')).toHaveLength(1)
    expect(sent(simulator, 71)).toBe(1)
  })
})

describe('a reader that is slow', () => {
  it('makes answers wait, loses live events and is told how many, and gets the state whole again', async () => {
    // On a busy machine answers this large take their time.
    const { raw, beat } = await startStreams({ settings: { requestTimeoutMs: 60_000 } })
    const { socket, say, frame, frames } = await raw()
    say({ id: 'quotes', op: 'subscribe', kind: 'quotes', contract: AAPL })
    await frame({ id: 'quotes', subscribed: true })
    await settled()
    beat.pass(1)
    await until('a quote came', () => frames.some((one) => 'quote' in one))
    socket.pause()
    // More than the network and the bridge hold together.
    const ids = [1, 2, 3, 4, 5, 6]
    for (const id of ids)
      say({ id, op: 'bars', ...request({ barSize: '1 min', duration: '30 D', end: NOW_SEC - id * 60 }) })
    for (let i = 0; i < 100; i++) {
      await settled()
      beat.pass(5)
    }
    socket.resume()
    for (const id of ids) await until(`${id} is answered`, () => frames.some((one) => one.id === id && 'done' in one))
    await until('it is told what was lost', () => frames.some((one) => one.dropped))
    const lost = frames.findIndex((one) => one.dropped)
    expect(frames[lost]).toMatchObject({ id: 'quotes', dropped: expect.any(Number) })
    const whole = frames[lost + 1]?.quote as { bid: number; minTick: number } | undefined
    expect(whole).toMatchObject({ bid: expect.any(Number), minTick: 0.01 })
    for (const id of ids) {
      const chunks = frames.filter((one) => one.id === id && 'chunk' in one).map((one) => one.chunk as { t: number[] })
      const done = frames.find((one) => one.id === id && 'done' in one)?.done as { bars: number }
      expect(chunks.reduce((sum, chunk) => sum + chunk.t.length, 0)).toBe(done.bars)
    }
  })

  it('that is gone is noticed, and what it had is ended', async () => {
    const clock = createFakeClock(NOW_SEC * 1000)
    const { raw, simulator, relay } = await startStreams({ clock })
    const { socket, say, frame } = await raw()
    say({ id: 1, op: 'subscribe', ...FIVES })
    await frame({ id: 1, subscribed: true })
    await clock.advance(40_000)
    expect(sent(simulator, 51)).toBe(0)
    socket.pause()
    for (let i = 0; i < 8; i++) await clock.advance(10_000)
    await until('its subscription is ended', () => sent(simulator, 51) === 1)
    expect((await relay.status()).gateway.state).toBe('ready')
  })
})
