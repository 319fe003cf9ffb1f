import { describe, expect, it, vi } from 'vitest'
import { createPulse } from '../src/pulse.ts'
import { codes, FX, realTime, tickByTick, useLive } from './live.ts'
import { market as real, listing as realListing } from './market-fixture.ts'
import { contract, history, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

const live = useLive()
const { sent, settled, after } = live

describe('real-time bars', () => {
  it('come every five seconds as they close: time, open, high, low, close, volume, average, count', async () => {
    expect(NOW_SEC % 5).toBe(0)
    expect(await sent(realTime(7))).toEqual([])
    expect(await after(4)).toEqual([])
    const [bar] = market.bars({
      ...{ listing: realOf('AAPL'), barSize: '5 secs', whatToShow: 'TRADES', useRTH: true },
      ...{ startSec: NOW_SEC, endSec: NOW_SEC + 5, nowSec: NOW_SEC + 5 },
    })
    const open = 254.2 + (NOW_SEC % 7) / 8
    expect(await after(1)).toEqual([
      ...[['50', '3', '7', String(NOW_SEC), expect.stringMatching(/^\d+\.\d\d/), String(open + 1), '0.0000001']].map(
        (head) => [...head, ...[String(bar?.close), String(bar?.volume), String(bar?.wap), String(bar?.count)]],
      ),
    ])
    expect((await after(11)).map((fields) => Number(fields[3]) - NOW_SEC)).toEqual([5, 10])
  })

  it('are those that history has', async () => {
    await live.restart(real, Date.UTC(2024, 9, 2, 15, 0, 3) / 1000)
    await sent(realTime(1, 'MIDPOINT', contract('EUR', 'CASH', 'IDEALPRO', { currency: 'USD' }).slice(0, 12)))
    const told = (await after(60)).map((fields) => fields.slice(3))
    live.client.send(
      ...history(2, {
        of: contract('EUR', 'CASH', 'IDEALPRO', { currency: 'USD' }),
        what: 'MIDPOINT',
        size: '5 secs',
        duration: '63 S',
      }),
    )
    const [, , , , count, ...rows] = await live.client.one()
    const bars = Array.from({ length: Number(count) }, (_, i) => rows.slice(i * 8, i * 8 + 8))
    expect(told).toEqual(bars.slice(-told.length - 1, -1))
    expect(told).toHaveLength(12)
  })

  it('keep to the session, stop when cancelled, and end with the connection', async () => {
    await sent(realTime(1), realTime(2, 'MIDPOINT', FX))
    live.hand.jump(2 * 3600 - 5)
    expect((await after(10)).every(([, , id]) => id === '2' || id === '1')).toBe(true)
    expect((await after(10)).map(([, , id]) => id)).toEqual(['2', '2'])
    expect(await sent([51, 1, 2], [51, 1, 2])).toEqual([['4', '2', '2', '300', "Can't find EId with tickerId:2", '']])
    expect(await after(10)).toEqual([])
    expect(live.hand.listeners()).toBe(1)
    live.client.end()
    const other = await RawClient.start(live.simulator.port, 193, 2)
    other.send(49, 1)
    await other.one()
    expect(live.hand.listeners()).toBe(0)
  })

  it('refuse what they cannot be made of', async () => {
    const nope = contract('NOPE', 'STK', 'SMART').slice(0, 12)
    const answers = await sent(
      realTime(1),
      realTime(1),
      realTime(2, 'BID_ASK'),
      realTime(3, 'TRADES', FX),
      realTime(4, 'BID', nope),
    )
    expect(codes(answers)).toEqual([
      expect.stringMatching(/^1 322 .*Duplicate/),
      expect.stringMatching(/^2 321 .*What to show/),
      expect.stringMatching(/^3 420 Invalid Real-time Query:No market data permissions for EUR\/CASH@IDEALPRO TRADES/),
      expect.stringMatching(/^4 200 /),
    ])
  })

  it('pause while the farm is broken, and are forgotten with 1101', async () => {
    await sent(realTime(1))
    live.simulator.faults.marketBroken = true
    expect(await after(10)).toEqual([])
    live.simulator.faults.marketBroken = false
    expect(await after(5)).toHaveLength(1)
    await live.simulator.event({ type: 'notice', code: 1101 })
    expect((await after(10)).map(([id, , , code]) => [id, code])).toEqual([['4', '1101']])
  })
})

describe('history kept up to date', () => {
  it('answers, then tells the forming bar: count, date, open, close, high, low, average, volume', async () => {
    const from = Date.UTC(2024, 9, 2, 15, 0, 58) / 1000
    await live.restart(real, from)
    const [answer = []] = await sent(history(9, { keep: 1, duration: '120 S' }))
    expect(answer.slice(0, 2)).toEqual(['17', '9'])
    const updates = await after(10)
    const [aapl, minute] = [realListing({ symbol: 'AAPL', secType: 'STK' }), from + 2]
    const barAt = (startSec: number, nowSec: number) =>
      real.bars({
        listing: aapl,
        barSize: '1 min',
        whatToShow: 'TRADES',
        useRTH: true,
        startSec,
        endSec: nowSec,
        nowSec,
      })[0]
    const expected = [barAt(minute - 60, minute), barAt(minute, minute + 5)].map((bar) => [
      ...['90', '9', String(bar?.count), String(bar?.timeSec)],
      ...[bar?.open, bar?.close, bar?.high, bar?.low].map((price) => price?.toFixed(2)),
      expect.stringContaining(String(bar?.wap).slice(0, 6)),
      String(bar?.volume),
    ])
    expect(updates).toEqual(expected)
    expect(codes(await sent([25, 1, 9], [25, 1, 9]))).toEqual([
      expect.stringMatching(/^9 162 .*query cancelled: 9/),
      expect.stringMatching(/^9 366 /),
    ])
    expect(await after(20)).toEqual([])
  })

  it('keeps a day up to date too, dated', async () => {
    await live.restart(real, Date.UTC(2024, 9, 2, 15) / 1000)
    await sent(history(9, { keep: 1, duration: '2 D', size: '1 day' }))
    const updates = await after(10)
    expect(updates.map((fields) => fields.slice(0, 2).concat(fields[3] ?? ''))).toEqual([
      ['90', '9', '20241002'],
      ['90', '9', '20241002'],
    ])
  })

  it('refuses an end, bars too short, and kinds without updates', async () => {
    const answers = await sent(
      history(1, { keep: 1, end: '20260407-14:00:00' }),
      history(2, { keep: 1, size: '1 secs', duration: '60 S' }),
      history(3, { keep: 1, what: 'BID_ASK' }),
    )
    expect(answers.map(([, , id, code]) => [id, code])).toEqual([
      ['1', '321'],
      ['2', '321'],
      ['3', '321'],
    ])
  })
})

describe('tick by tick', () => {
  it('Last: time, price, size, mask, exchange, conditions; AllLast has the unreported too', async () => {
    await sent(tickByTick(1, 'Last'), tickByTick(2, 'AllLast'))
    const ticks = await after(2)
    const [now, next] = [String(NOW_SEC), String(NOW_SEC + 1)]
    expect(NOW_SEC % 30).toBe(0)
    expect(ticks).toEqual([
      ['99', '1', '1', now, '0', '0', '1', 'NASDAQ', ''],
      ['99', '2', '2', now, '0', '0', '1', 'NASDAQ', ''],
      ['99', '1', '1', next, '254.20', '100', '0', 'NASDAQ', ' F I'],
      ['99', '2', '2', next, '254.20', '100', '0', 'NASDAQ', ' F I'],
      ['99', '2', '2', next, '255.20', '101', '2', 'NASDAQ', ''],
    ])
  })

  it('BidAsk: bid, ask, sizes, mask with bidPastLow in bit 0; MidPoint: the price', async () => {
    await sent(tickByTick(1, 'BidAsk'), tickByTick(2, 'MidPoint', 0, 0, FX), tickByTick(3, 'BidAsk', 0, 1))
    const ticks = await after(2)
    const [now, next] = [String(NOW_SEC), String(NOW_SEC + 1)]
    const up = (NOW_SEC % 64) / 64
    const quote = (of: number) => [(254.25 + of).toFixed(2), (254.5 + of).toFixed(2)]
    expect(ticks.filter(([, id]) => id === '1').slice(0, 2)).toEqual([
      ['99', '1', '3', now, ...quote(up), '100', '200', '2'],
      ['99', '1', '3', now, ...quote(up), '300', '200', '2'],
    ])
    expect(ticks.filter(([, id]) => id === '1')[2]?.[8]).toBe('1')
    expect(ticks.filter(([, id]) => id === '2')).toEqual([
      ['99', '2', '4', now, '1.1'],
      ['99', '2', '4', next, expect.stringMatching(/^1\.1001/)],
    ])
    expect(ticks.filter(([, id]) => id === '3')).toHaveLength(2)
  })

  it('begin with ticks of the past where asked for', async () => {
    const [past = [], ...none] = await sent(tickByTick(1, 'Last', 3))
    expect(past.slice(0, 2)).toEqual(['98', '1'])
    expect(none).toEqual([])
    expect(Number(past.at(-7))).toBe(NOW_SEC - 1)
    expect((await after(1))[0]?.[0]).toBe('99')
  })

  it('end when cancelled; three at once are all a login may have', async () => {
    await sent(...[1, 2, 3].map((id) => tickByTick(id, 'Last')))
    const other = await RawClient.start(live.simulator.port, 193, 2)
    other.send(...tickByTick(4, 'Last'))
    expect((await other.one()).slice(2, 5)).toEqual([
      '4',
      '10190',
      'Max number of tick-by-tick requests has been reached.',
    ])
    await sent([98, 3])
    other.send(...tickByTick(4, 'Last'))
    other.send(49, 1)
    expect((await other.one())[0]).toBe('49')
    live.hand.pass(1)
    expect((await other.one()).slice(0, 2)).toEqual(['99', '4'])
    expect((await settled()).map(([, id]) => id)).toEqual(['1', '2'])
  })

  it('refuse what there is none of', async () => {
    const answers = await sent(tickByTick(1, 'Last', 0, 0, FX), tickByTick(2, 'Trades'), tickByTick(3, 'Last', 1001))
    expect(codes(answers)).toEqual([
      '1 10189 Failed to request tick-by-tick data.Last tick-by-tick requests are not supported for EUR.',
      expect.stringMatching(/^2 321 /),
      expect.stringMatching(/^3 321 /),
    ])
  })
})

describe('a client that does not read', () => {
  it('loses live data instead of filling memory, and is told what comes once it reads again', async () => {
    await live.restart(real, Date.UTC(2024, 9, 2, 1) / 1000)
    const btc = contract('BTC', 'CRYPTO', 'PAXOS', { currency: 'USD' }).slice(0, 12)
    await sent(tickByTick(1, 'BidAsk', 0, 0, btc))
    live.client.socket.pause()
    const [jumps, seconds] = [600, 600]
    for (let i = 0; i < jumps; i++) {
      live.hand.jump(seconds)
      await new Promise(setImmediate)
    }
    live.client.socket.resume()
    const late = await settled()
    expect(late.length).toBeGreaterThan(5000)
    expect(late.length).toBeLessThan((jumps * seconds) / 2)
    expect((await after(1)).length).toBeGreaterThan(0)
  })
})

describe('the pulse of real timers', () => {
  it('beats at whole seconds of its clock, and rests without listeners', () => {
    vi.useFakeTimers({ now: 999_990 })
    try {
      const beats: number[] = []
      const pulse = createPulse(Date.now)
      const stops = [pulse.onBeat(() => beats.push(Date.now())), pulse.onBeat(() => beats.push(-Date.now()))]
      vi.advanceTimersByTime(1500)
      expect(beats).toEqual([1_000_000, -1_000_000, 1_001_000, -1_001_000])
      stops[0]?.()
      expect(vi.getTimerCount()).toBe(1)
      stops[1]?.()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })
})

function realOf(symbol: string) {
  const [found] = market.find({ ...NOTHING, symbol })
  if (!found) throw new Error(`${symbol} is not listed.`)
  return found
}

const NOTHING = {
  ...{ conId: 0, symbol: '', secType: '', lastTradeDateOrContractMonth: '', strike: 0, right: '', multiplier: '' },
  ...{ exchange: '', primaryExchange: '', currency: '', localSymbol: '', tradingClass: '', includeExpired: true },
}
