import { describe, expect, it } from 'vitest'
import { AAPL, codes, FX, marketData, realTime, tickByTick, useLive } from './live.ts'
import { ANY, market as real, listing as realListing } from './market-fixture.ts'
import { contract, history } from './wire-client.ts'
import { NOW_SEC, market as small } from './wire-market.ts'

const live = useLive()
const { sent, after } = live

const typeOf = ([id, , , type]: string[]): string => `${id} ${type}`
const isHalted = ([id, , , type]: string[]): boolean => id === '45' && type === '49'

describe('market data', () => {
  it('tells what it is like, its type, and the quote; then what changes', async () => {
    const messages = await sent(marketData(5))
    expect(messages.slice(0, 2)).toEqual([
      ['58', '1', '5', '1'],
      ['81', '5', '0.01', '9c0001', '3'],
    ])
    const up = ((NOW_SEC - 1) % 64) / 64
    const types = messages.slice(2).map(([id, , , type]) => `${id} ${type}`)
    const quote = ['1 1', '2 0', '1 2', '2 3', '1 4', '2 5', '1 14', '1 6', '1 7', '2 8']
    expect(types).toEqual(['1 9', '46 45', ...quote, '45 49'])
    expect(messages).toContainEqual(['45', '6', '5', '49', '0'])
    expect(messages).toContainEqual(['1', '6', '5', '1', String(254.25 + up), '100', '1'])
    expect(messages).toContainEqual(['46', '6', '5', '45', String(NOW_SEC - 1)])
    const changes = await after(1)
    expect(changes.map(([id, , , type]) => `${id} ${type}`)).toContain('1 1')
    expect(changes.map(([id, , , type]) => `${id} ${type}`)).not.toContain('1 9')
    expect(await sent([2, 1, 5], [2, 1, 5])).toEqual([['4', '2', '5', '300', "Can't find EId with tickerId:5", '']])
    expect(await after(3)).toEqual([])
  })

  it('ends a snapshot with 57', async () => {
    const messages = await sent(marketData(5, AAPL, 1))
    expect(messages.at(-1)).toEqual(['57', '1', '5'])
    expect(await after(3)).toEqual([])
    expect(codes(await sent([2, 1, 5]))).toEqual([expect.stringMatching(/^5 300/)])
  })

  it('gives a snapshot eleven seconds for what is not there yet, tells nothing twice, and ends', async () => {
    live.hand.jump(13 * 3600)
    expect((await sent(marketData(5, AAPL, 1))).map(typeOf).slice(2)).toEqual(['1 9'])
    live.simulator.faults.marketBroken = true
    expect(await after(10)).toEqual([])
    expect(await after(1)).toEqual([['57', '1', '5']])
    expect(live.hand.listeners()).toBe(0)
    live.simulator.faults.marketBroken = false
    await sent(marketData(6, AAPL, 1))
    expect(await sent([2, 1, 6])).toEqual([])
    expect(await after(12)).toEqual([])
  })

  it('ends a snapshot as soon as the rest is there', async () => {
    await live.restart(real, Date.UTC(2024, 9, 2, 13, 29, 58) / 1000)
    const [spx] = [contract('SPX', 'IND', 'CBOE', { currency: 'USD' }).slice(0, 12)]
    await sent(marketData(5, spx, 1))
    const told = await after(5)
    expect(told.at(-1)).toEqual(['57', '1', '5'])
    expect(told.map(typeOf)).toContain('1 4')
    expect(new Set(told.map(typeOf)).size).toBe(told.length)
  })

  it('of which a part is not subscribed comes without bid and ask, behind 10090', async () => {
    live.simulator.faults.partlySubscribed = ['AAPL']
    const messages = await sent(marketData(5))
    expect(codes(messages.slice(0, 1))).toEqual([
      '5 10090 Part of requested market data is not subscribed. Subscription-independent ticks are still active.AAPL NASDAQ.NMS/TOP/BID_ASK',
    ])
    const types = messages.slice(3).map(typeOf)
    expect(types).toEqual(['1 9', '46 45', '1 4', '2 5', '1 14', '1 6', '1 7', '2 8', '45 49'])
    expect((await after(3)).map(typeOf)).toContain('1 4')
    const snapshot = await sent(marketData(6, AAPL, 1))
    expect(snapshot.map(typeOf)).not.toContain('57 undefined')
    expect((await after(11)).filter(([id]) => id === '57')).toEqual([['57', '1', '6']])
  })

  it('says where a stock is halted, and where it goes on', async () => {
    const aapl = realListing({ symbol: 'AAPL', secType: 'STK' })
    const day = Date.UTC(2025, 1, 10) / 1000
    const [halt = 0, end = 0] = real
      .trades({ listing: aapl, useRTH: true, startSec: day + 15 * 3600, endSec: day + 16 * 3600, nowSec: day + 57_600 })
      .flatMap(({ timeSec, pastLimit }) => (pastLimit ? [timeSec] : []))
    expect(end - halt).toBeGreaterThanOrEqual(300)
    await live.restart(real, halt - 2)
    expect((await sent(marketData(5))).filter(isHalted)).toEqual([['45', '6', '5', '49', '0']])
    expect((await after(5)).filter(isHalted)).toEqual([['45', '6', '5', '49', '2']])
    live.hand.jump(end - halt - 10)
    expect((await sent(marketData(6))).filter(isHalted)).toEqual([['45', '6', '6', '49', '2']])
    expect((await after(10)).filter(isHalted).map(([, , id, , value]) => [id, value])).toEqual([
      ['5', '0'],
      ['6', '0'],
    ])
  })

  it('tells nothing but the close outside sessions, and the last quote where frozen data is asked for', async () => {
    live.hand.jump(13 * 3600)
    const messages = await sent(marketData(5))
    expect(messages.map(([id, , , type]) => `${id} ${type}`).slice(2)).toEqual(['1 9'])
    const frozen = await sent([59, 1, 2], marketData(6))
    expect(frozen[0]).toEqual(['58', '1', '6', '2'])
    expect(frozen.map(([id, , , type]) => `${id} ${type}`)).toContain('1 1')
    expect(frozen).toContainEqual(['45', '6', '6', '49', '-1'])
    expect(await after(5)).toEqual([])
  })

  it('is refused by 354 where nobody subscribed, or delayed, and said so by 10167', async () => {
    live.simulator.faults.unsubscribed = ['AAPL']
    expect(codes(await sent(marketData(5)))).toEqual(['5 354 Requested market data is not subscribed.'])
    const messages = await sent([59, 1, 3], marketData(6))
    expect(codes(messages.slice(0, 1))).toEqual([
      '6 10167 Requested market data is not subscribed. Displaying delayed market data.',
    ])
    expect(messages[1]).toEqual(['58', '1', '6', '3'])
    const types = messages.slice(3).map(([id, , , type]) => `${id} ${type}`)
    expect(types).toEqual([
      '1 75',
      '46 88',
      '1 66',
      '2 69',
      '1 67',
      '2 70',
      '1 68',
      '2 71',
      '1 76',
      '1 72',
      '1 73',
      '2 74',
      '45 90',
    ])
    expect(messages).toContainEqual(['46', '6', '6', '88', String(NOW_SEC - 901)])
    expect(codes(await sent([59, 1, 9]))).toEqual([expect.stringMatching(/^-1 321/)])
  })

  it('of a subscription nobody has refuses bars, ticks and history too', async () => {
    live.simulator.faults.unsubscribed = ['AAPL']
    const ticks = [96, 3, ...AAPL, 0, '20260407-14:00:00', '', 1, 'TRADES', 1, 0, '']
    expect(codes(await sent(realTime(1), tickByTick(2, 'Last'), ticks, history(4)))).toEqual([
      '1 420 Invalid Real-time Query:No market data permissions for NASDAQ STK',
      '2 10189 Failed to request tick-by-tick data.No market data permissions for NASDAQ STK',
      '3 10187 Failed to request historical ticks:No market data permissions for NASDAQ STK',
      '4 162 Historical Market Data Service error message:No market data permissions for NASDAQ STK',
    ])
  })
})

describe('generic ticks', () => {
  it('come with the quote: volume texts, mark price, shares to borrow, counts and rates', async () => {
    const messages = await sent(marketData(5, AAPL, 0, '221,233,236, 293,294,295,375'))
    const of = (type: string) =>
      messages.find((fields) => ['1', '2', '45', '46'].includes(fields[0] ?? '') && fields[3] === type)
    const [bar] = small.bars({
      ...{ listing: listingOf('AAPL'), barSize: '1 day', whatToShow: 'TRADES', useRTH: false },
      ...{ startSec: NOW_SEC - 10 * 3600, endSec: NOW_SEC, nowSec: NOW_SEC },
    })
    // The last second has three trades; the last of them is reported.
    expect((NOW_SEC - 1) % 3).toBe(2)
    const day = `${bar?.volume};${bar?.wap}`
    expect(of('48')).toEqual(['46', '6', '5', '48', `256.20;102;${NOW_SEC - 1}000;${day};true`])
    expect(of('77')?.[4]).toBe(of('48')?.[4])
    expect(of('46')).toEqual(['45', '6', '5', '46', '3'])
    expect(of('89')?.slice(0, 4)).toEqual(['2', '6', '5', '89'])
    expect(Number(of('37')?.[4])).toBe(254.5 + ((NOW_SEC - 1) % 64) / 64)
    expect(of('54')?.[4]).toBe(String(bar?.count))
    // In a minute 54 seconds without a halt: one to three trades each, of which the second is not reported.
    const reported = Array.from({ length: 60 }, (_, i) => NOW_SEC - 60 + i)
      .filter((sec) => sec % 10 !== 0)
      .map((sec) => (sec % 3 === 2 ? [100, 102] : [100]))
    expect(of('55')?.[4]).toBe(String(reported.flat().length))
    expect(of('56')?.[4]).toBe(String(reported.flat().reduce((sum, size) => sum + size, 0)))
    const later = await after(2)
    expect(later.map(typeOf)).toContain('46 48')
    expect(later.map(typeOf)).not.toContain('45 46')
  })

  it('are not told of what is delayed, nor of what has no trades', async () => {
    expect((await sent(marketData(5, FX, 0, '233,293'))).map(typeOf)).not.toContain('46 48')
    live.simulator.faults.unsubscribed = ['AAPL']
    const delayed = await sent([59, 1, 3], marketData(6, AAPL, 0, '233,236'))
    expect(delayed.map(typeOf)).not.toContain('45 46')
  })

  it('stand alone with mdoff', async () => {
    expect((await sent(marketData(5, AAPL, 0, 'mdoff,293'))).map(typeOf)).toEqual(['58 1', '81 9c0001', '45 54'])
  })

  it.each([
    ['999', AAPL],
    ['233,', AAPL, 'taken'],
    ['abc', AAPL],
    ['mdoff', AAPL],
    ['292:', AAPL],
    ['292:BRFG', AAPL, 'taken'],
    ['456', AAPL, 'taken'],
    ['456', FX],
    ['162', AAPL],
  ])('of the list %s: refused by 321 where IBKR knows none', async (list, of, taken = 'refused') => {
    const [first = []] = await sent(marketData(5, of, 0, list))
    if (taken === 'taken') expect(first[0]).toBe('58')
    else {
      const text = new RegExp(
        `^5 321 .*Incorrect generic tick list of ${list}\\.  Legal ones for \\(\\w+\\) are: 100\\(Option`,
      )
      expect(codes([first])).toEqual([expect.stringMatching(text)])
    }
  })

  it('are refused with a snapshot', async () => {
    expect(codes(await sent(marketData(5, AAPL, 1, '233')))).toEqual([
      expect.stringMatching(/^5 321 .*Snapshot market data subscription is not applicable to generic ticks$/),
    ])
  })
})

function listingOf(symbol: string) {
  const [found] = small.find({ ...ANY, symbol })
  if (!found) throw new Error(`${symbol} is not listed.`)
  return found
}
