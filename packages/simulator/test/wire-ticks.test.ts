import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { contract, RawClient } from './wire-client.ts'
import { BLANK, LISTINGS, market, NOW_SEC } from './wire-market.ts'

let simulator: Simulator
let client: RawClient
beforeAll(async () => {
  simulator = await startServer(market, { now: () => NOW_SEC * 1000, pacing: 'lenient' })
  client = await RawClient.start(simulator.port, 193, 1, ' +PACEAPI')
})
afterAll(() => simulator.close())
afterEach(() => expect(client.messages).toEqual([]))

const AAPL = contract('AAPL', 'STK', 'SMART', { currency: 'USD' })
const FX = contract('EUR', 'CASH', 'IDEALPRO', { currency: 'USD' })

interface Ask {
  readonly of?: (string | number)[]
  readonly start?: string
  readonly end?: string
  readonly n?: number
  readonly what?: string
  readonly rth?: number
  readonly ignore?: number
}

let nextId = 100
/** The one message that answers; fields after its id and the request's, or `code text`. */
async function ask({
  of = AAPL,
  start = '',
  end = '',
  n = 10,
  what = 'TRADES',
  rth = 1,
  ignore = 0,
}: Ask): Promise<string[]> {
  const id = nextId++
  client.send(96, id, ...of, start, end, n, what, rth, ignore, '')
  const message = await client.one()
  if (message[0] === '4') return [`${message[3]} ${message[4]}`]
  expect(message[1]).toBe(String(id))
  return [message[0] ?? '', ...message.slice(2)]
}

/** Rows of so many fields; the count before them and `done` behind are checked. */
function rowsOf([, count, ...fields]: string[], width: number): string[][] {
  expect(fields.pop()).toBe('1')
  expect(fields).toHaveLength(Number(count) * width)
  return Array.from({ length: Number(count) }, (_, i) => fields.slice(i * width, (i + 1) * width))
}

const sec = (text: string): number => Date.parse(`${text}Z`) / 1000

describe('historical ticks', () => {
  it('TRADES: time, mask, price, size, exchange, conditions', async () => {
    const from = sec('2026-04-07T14:00:00')
    expect(from % 30).toBe(0)
    expect(await ask({ start: '20260407-14:00:00', n: 3 })).toEqual([
      ...['98', '3'],
      ...[String(from), '1', '0', '0', 'NASDAQ', ''],
      ...[String(from + 1), '0', '254.20', '100', 'NASDAQ', ' F I'],
      ...[String(from + 1), '2', '255.20', '101', 'NASDAQ', ''],
      '1',
    ])
  })

  it('complete the last second, so that more come than were asked for', async () => {
    const rows = rowsOf(await ask({ start: '20260407-14:00:00', n: 4 }), 6)
    expect(rows.map(([time]) => Number(time) - sec('2026-04-07T14:00:00'))).toEqual([0, 1, 1, 2, 2, 2])
  })

  it('BID_ASK: time, mask with askPastHigh in bit 0, bid, ask and their sizes', async () => {
    const from = sec('2026-04-07T14:00:00')
    const rows = rowsOf(await ask({ start: '20260407-14:00:00', n: 3, what: 'BID_ASK' }), 6)
    expect(from % 4).toBe(0)
    expect(rows).toEqual([
      [String(from), '1', '254.75', '255.00', '100', '200'],
      [String(from), '1', '254.75', '255.00', '300', '200'],
      [String(from + 1), '2', '254.765625', '255.015625', '100', '200'],
    ])
  })

  it('BID_ASK without sizes: a quote that only changes one is left out', async () => {
    const rows = rowsOf(await ask({ start: '20260407-14:00:00', n: 5, what: 'BID_ASK', ignore: 1 }), 6)
    expect(new Set(rows.map(([, , bid]) => bid)).size).toBe(rows.length)
  })

  it('MIDPOINT: time, 0, price, 0', async () => {
    const from = sec('2026-04-07T14:00:00')
    expect(await ask({ of: FX, start: '20260407-14:00:00', n: 2, what: 'MIDPOINT' })).toEqual([
      ...['96', '2', String(from), '0', '1.1', '0', String(from + 1), '0', expect.stringMatching(/^1\.1001/), '0', '1'],
    ])
  })

  it('with an end given, come from before it, oldest first, the first second whole', async () => {
    const end = sec('2026-04-07T14:00:03')
    const rows = rowsOf(await ask({ end: '20260407-14:00:03', n: 4 }), 6)
    expect(rows.map(([time]) => Number(time) - end)).toEqual([-2, -2, -1, -1, -1])
  })

  it('read a start in any zone', async () => {
    for (const start of ['20260407 16:00:00 MET', '20260407 10:00:00', '20260407 10:00:00 US/Eastern']) {
      expect((await ask({ start, n: 1 }))[2]).toBe(String(sec('2026-04-07T14:00:00')))
    }
  })

  it('are of one session: the rest of it, then the next', async () => {
    const close = sec('2026-04-06T20:00:00')
    const rest = rowsOf(await ask({ start: '20260406-19:59:58', n: 1000 }), 6)
    expect(new Set(rest.map(([time]) => Number(time)))).toEqual(new Set([close - 2, close - 1]))
    const next = rowsOf(await ask({ start: '20260406-20:00:00', n: 1 }), 6)
    expect(next[0]?.[0]).toBe(String(sec('2026-04-07T13:30:00')))
    const before = rowsOf(await ask({ end: '20260407-13:30:01', n: 1000 }), 6)
    expect(new Set(before.map(([time]) => Number(time)))).toEqual(new Set([sec('2026-04-07T13:30:00')]))
    const overWeekend = rowsOf(await ask({ end: '20260405-12:00:00', n: 1 }), 6)
    expect(Number(overWeekend.at(-1)?.[0])).toBe(sec('2026-04-03T19:59:59'))
  })

  it('follow useRTH', async () => {
    expect((await ask({ start: '20260407-10:00:00', n: 1 }))[2]).toBe(String(sec('2026-04-07T13:30:00')))
    expect((await ask({ start: '20260407-10:00:00', n: 1, rth: 0 }))[2]).toBe(String(sec('2026-04-07T10:00:00')))
  })

  it('page forward by the second after the last, and miss none', async () => {
    const from = sec('2026-04-07T13:30:00')
    const seen: string[][] = []
    for (let at = from; at < from + 1200; ) {
      const start = new Date(at * 1000).toISOString().slice(0, 19).replaceAll('-', '').replace('T', '-')
      const rows = rowsOf(await ask({ start, n: 1000 }), 6)
      expect(rows.length).toBeGreaterThanOrEqual(1000)
      seen.push(...rows)
      at = Number(rows.at(-1)?.[0]) + 1
    }
    const listing = LISTINGS[0] ?? BLANK
    const lastSec = Number(seen.at(-1)?.[0])
    const all = market.trades({ listing, useRTH: true, startSec: from, endSec: lastSec + 1, nowSec: NOW_SEC })
    expect(seen.map(([time]) => Number(time))).toEqual(all.map(({ timeSec }) => timeSec))
  })

  it('end where now is, and before there was history', async () => {
    const now = rowsOf(await ask({ start: '20260408-17:59:59', n: 1000 }), 6)
    expect(new Set(now.map(([time]) => Number(time)))).toEqual(new Set([NOW_SEC - 1]))
    expect(await ask({ start: '20260408-18:00:00' })).toEqual(['98', '0', '1'])
    expect(await ask({ end: '20190101-00:00:00', what: 'BID_ASK' })).toEqual(['97', '0', '1'])
    // Time and sales are kept for three years.
    expect((await ask({ start: '20220103-15:00:00', n: 1 }))[2]).toBe(String(sec('2023-04-10T13:30:00')))
  })

  it.each<[string, Ask, string | RegExp]>([
    [
      'both bounds',
      { start: '20260407-14:00:00', end: '20260407-15:00:00' },
      /^321 .*start date\/time or end date\/time/,
    ],
    ['no bound', {}, /^321 .*start date\/time or end date\/time/],
    ['too many', { start: '20260407-14:00:00', n: 1001 }, /^321 .*between 1 and 1000: 1001/],
    ['none', { start: '20260407-14:00:00', n: 0 }, /^321 .*between 1 and 1000/],
    ['a kind without ticks', { start: '20260407-14:00:00', what: 'BID' }, /^321 .*What to show/],
    ['a bad date', { start: '20260407 25:00:00' }, /^10314 /],
    ['a bad zone', { start: '20260407 12:00:00 Mars/Base' }, /^10314 /],
    ['an unknown contract', { of: contract('NOPE', 'STK', 'SMART'), start: '20260407-14:00:00' }, /^200 No security/],
    ['an ambiguous one', { of: contract('DUAL', 'STK', 'SMART'), start: '20260407-14:00:00' }, /^200 .*ambiguous/],
    [
      'trades of FX',
      { of: FX, start: '20260407-14:00:00' },
      '10187 Failed to request historical ticks:No historical market data for EUR/CASH@IDEALPRO Last',
    ],
  ])('refuse %s', async (_, request, answer) => {
    const [text = ''] = await ask(request)
    if (typeof answer === 'string') expect(text).toBe(answer)
    else expect(text).toMatch(answer)
  })
})
