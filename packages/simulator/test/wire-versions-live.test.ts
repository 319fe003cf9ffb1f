import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { createHand, type Hand } from './hand.ts'
import { AAPL, FX, marketData, realTime, tickByTick } from './live.ts'
import { ANY } from './market-fixture.ts'
import { history, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

/** The first and the last version of each form there is of any message, and those next to them. */
const BOUNDARIES = [163, 164, 165, 166, 167, 175, 176, 177, 181, 182, 185, 186, 187, 188, 193, 194, 195, 196, 197, 200]

let hand: Hand
let simulator: Simulator
beforeAll(async () => {
  hand = createHand(NOW_SEC)
  simulator = await startServer(market, { now: hand.now, pulse: hand.pulse })
})
afterAll(() => simulator.close())

const since = (first: number, version: number, ...fields: string[]): string[] => (version >= first ? fields : [])
const until = (last: number, version: number, ...fields: string[]): string[] => (version <= last ? fields : [])

describe.each(BOUNDARIES)('server version %i', (version) => {
  let client: RawClient
  let nowSec: number
  beforeAll(async () => {
    client = await RawClient.start(simulator.port, version, version, ' +PACEAPI')
  })
  afterAll(() => client.end())

  /** Sends, lets a time divisible by 30 seconds come and then so many pass; all that has come by then. */
  async function sent(messages: (string | number)[][], seconds = 0): Promise<string[][]> {
    hand.jump(30 - (Math.floor(hand.now() / 1000) % 30))
    nowSec = hand.now() / 1000
    for (const message of messages) client.send(...message)
    await answered()
    const before = answers.splice(0)
    hand.pass(seconds)
    await answered()
    return [...before, ...answers.splice(0)]
  }

  const answers: string[][] = []
  async function answered(): Promise<void> {
    client.send(49, 1)
    for (;;) {
      const message = await client.one()
      if (message[0] === '49') return
      answers.push(message)
    }
  }

  const error = (id: string, code: string, text: string) => [
    '4',
    ...until(193, version, '2'),
    ...[id, code, text],
    ...since(166, version, ''),
    ...since(194, version, String(nowSec * 1000)),
  ]

  it('prints three kinds of ticks', async () => {
    const ask = (id: number, of: (string | number)[], what: string) => [
      ...[96, id, ...of, 0, '20260407-14:00:01', '', 1, what, 1, 0, ''],
    ]
    const at = String(Date.UTC(2026, 3, 7, 14, 0, 1) / 1000)
    const up = (Number(at) % 64) / 64
    const messages = await sent([ask(1, AAPL, 'TRADES'), ask(2, AAPL, 'BID_ASK'), ask(3, FX, 'MIDPOINT')])
    expect(messages).toEqual([
      ['98', '1', '2', at, '0', '254.20', '100', 'NASDAQ', ' F I', at, '2', '255.20', '101', 'NASDAQ', '', '1'],
      ['97', '2', '1', at, '2', String(254.25 + up), String(254.5 + up), '100', '200', '1'],
      ['96', '3', '1', at, '0', '1.1001', '0', '1'],
    ])
  })

  it('prints live bars, and refuses them in its form of errors', async () => {
    const messages = await sent([realTime(1), realTime(2, 'TRADES', FX)], 5)
    const query = { startSec: nowSec, endSec: nowSec + 5, nowSec: nowSec + 5 }
    const [listing] = market.find({ ...ANY, symbol: 'AAPL' })
    if (!listing) throw new Error('AAPL is not listed.')
    const [bar] = market.bars({ listing, barSize: '5 secs', whatToShow: 'TRADES', useRTH: true, ...query })
    const numbers = [bar?.open, bar?.high, bar?.low, bar?.close, bar?.volume, bar?.wap, bar?.count].map(Number)
    expect(messages[0]).toEqual(
      error('2', '420', 'Invalid Real-time Query:No market data permissions for EUR/CASH@IDEALPRO TRADES'),
    )
    expect(messages[1]?.slice(0, 4)).toEqual(['50', '3', '1', String(nowSec)])
    expect(messages[1]?.slice(4).map(Number)).toEqual(numbers)
    expect(messages).toHaveLength(2)
    await sent([[51, 1, 1]])
  })

  it('prints history kept up to date', async () => {
    const messages = await sent([history(4, { keep: 1, size: '5 secs', duration: '60 S' })], 5)
    expect(messages.map(([id]) => id)).toEqual(['17', ...since(196, version, '108'), '90'])
    const [first = []] = messages
    expect(first.slice(2, -12 * 8)).toEqual([
      ...until(195, version, expect.stringMatching(/^\d{8} .* US\/Eastern$/), expect.stringMatching(/US\/Eastern$/)),
      '12',
    ])
    expect(messages.at(-1)?.slice(0, 4)).toEqual(['90', '4', expect.stringMatching(/^\d$/), String(nowSec)])
    expect(messages.at(-1)).toHaveLength(10)
    const cancelled = 'Historical Market Data Service error message:API historical data query cancelled: 4'
    expect((await sent([[25, 1, 4]])).at(-1)).toEqual(error('4', '162', cancelled))
  })

  it('prints ticks one by one', async () => {
    const asked = [tickByTick(5, 'AllLast', 1), tickByTick(6, 'BidAsk'), tickByTick(7, 'MidPoint', 0, 0, FX)]
    const messages = await sent([...asked, tickByTick(8, 'Last')], 1)
    const [at, up] = [String(nowSec), (nowSec % 64) / 64]
    const byId = Map.groupBy(messages, (fields) => (fields[0] === '4' ? 'error' : fields[1]))
    expect(byId.get('error')).toEqual([error('8', '10190', 'Max number of tick-by-tick requests has been reached.')])
    expect(byId.get('5')).toEqual([
      expect.arrayContaining(['98', '5', String(nowSec - 1)]),
      ['99', '5', '2', at, '0', '0', '1', 'NASDAQ', ''],
    ])
    const mask = nowSec % 4 === 0 ? '2' : '0'
    const quotes = byId.get('6')?.map((fields) => fields.map((text, i) => (i === 4 || i === 5 ? Number(text) : text)))
    expect(quotes).toEqual([
      ['99', '6', '3', at, 254.25 + up, 254.5 + up, '100', '200', mask],
      ['99', '6', '3', at, 254.25 + up, 254.5 + up, '300', '200', mask],
    ])
    expect(byId.get('7')).toEqual([['99', '7', '4', at, '1.1']])
    await sent([5, 6, 7].map((id) => [98, id]))
  })

  it('prints quotes, generic ticks and a snapshot', async () => {
    const messages = await sent([
      marketData(9, AAPL, 1),
      marketData(10, AAPL, 0, 'mdoff,233,236'),
      marketData(11, AAPL, 0, '7'),
    ])
    expect(messages.slice(0, 3)).toEqual([
      ['58', '1', '9', '1'],
      ['81', '9', '0.01', '9c0001', '3'],
      ['1', '6', '9', '9', expect.stringMatching(/^\d+\.\d+$/), '0', '0'],
    ])
    expect(messages).toContainEqual(['46', '6', '9', '45', String(nowSec - 1)])
    expect(messages).toContainEqual(['2', '6', '9', '0', '100'])
    expect(messages).toContainEqual(['45', '6', '9', '49', '0'])
    expect(messages).toContainEqual(['57', '1', '9'])
    expect(messages).toContainEqual(['46', '6', '10', '48', expect.stringMatching(/^256\.20;102;/)])
    expect(messages).toContainEqual(['2', '6', '10', '89', '1001000'])
    const refusal = messages.at(-1) ?? []
    expect(refusal).toEqual(error('11', '321', expect.stringMatching(/generic tick list of 7\. /)))
    await sent([[2, 1, 10]])
  })

  it('prints chains and their end', async () => {
    const rest = ['1', 'AAPL', '100', '2', '20260410', '20260417', '3', '250', '252.5', '255']
    expect(
      await sent([
        [78, 12, 'AAPL', '', 'STK', 1],
        [78, 13, 'MSFT', '', 'STK', 1],
      ]),
    ).toEqual([
      ['75', '12', 'SMART', ...rest],
      ['75', '12', 'CBOE', ...rest],
      ['76', '12'],
      error('13', '321', "Error validating request.-'bK' : cause - Invalid contract id"),
    ])
  })
})
