import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { type Ask, bytesOf, contract, history, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

let simulator: Simulator
let client: RawClient
beforeAll(async () => {
  simulator = await startServer(market, { now: () => NOW_SEC * 1000 })
  client = await RawClient.start(simulator.port, 193)
})
afterAll(() => simulator.close())
let nextId = 100

/** The whole answer to one historical request, as bars' dates or as `code text`. */
async function ask(request: Ask): Promise<string[]> {
  const paced = await RawClient.start(simulator.port, 193, nextId++, ' +PACEAPI')
  try {
    paced.send(...history(nextId, request))
    const message = await paced.one()
    if (message[0] === '4') return [`${message[3]} ${message[4]}`]
    if (message[0] === '106') return message
    const dates: string[] = []
    for (let i = 5; i < message.length; i += 8) dates.push(message[i] ?? '')
    expect(Number(message[4])).toBe(dates.length)
    return dates
  } finally {
    paced.end()
    await paced.ended()
  }
}

const utc = (text: string): string => String(Date.parse(`${text}Z`) / 1000)
const FX = contract('EUR', 'CASH', 'IDEALPRO', { currency: 'USD' })

describe('durations', () => {
  it('S walks back through trading seconds, over a night', async () => {
    const dates = await ask({ end: '20260407-13:40:00', duration: '1800 S', size: '1 min' })
    expect(dates).toHaveLength(30)
    expect(dates[0]).toBe(utc('2026-04-06T19:40:00'))
    expect(dates[19]).toBe(utc('2026-04-06T19:59:00'))
    expect(dates[20]).toBe(utc('2026-04-07T13:30:00'))
    expect(dates[29]).toBe(utc('2026-04-07T13:39:00'))
  })

  it('S counts the hours of the choice made by useRTH', async () => {
    const dates = await ask({ end: '20260407-13:40:00', duration: '1800 S', size: '1 min', rth: 0 })
    expect(dates[0]).toBe(utc('2026-04-07T13:10:00'))
  })

  it('D counts sessions: the one the end falls into is the first', async () => {
    const dates = await ask({ end: '20260407-13:32:00', duration: '2 D', size: '1 min' })
    expect(dates[0]).toBe(utc('2026-04-06T13:30:00'))
    expect(dates).toHaveLength(390 + 2)
  })

  it('D takes the last session that began before an end in the night', async () => {
    const dates = await ask({ end: '20260406-13:30:00', duration: '1 D', size: '1 min' })
    expect(dates[0]).toBe(utc('2026-04-03T13:30:00'))
    expect(dates).toHaveLength(390)
  })

  it('D of daily bars is a number of dates, the forming one among them', async () => {
    expect(await ask({ duration: '3 D', size: '1 day' })).toEqual(['20260406', '20260407', '20260408'])
    expect(await ask({ duration: '1 D', size: '1 day', format: 1 })).toEqual(['20260408'])
  })

  it('W and M run by the calendar, on the listing clock', async () => {
    const week = await ask({ end: '20260407 12:00:00', duration: '1 W', size: '30 mins' })
    expect(week[0]).toBe(utc('2026-03-31T16:00:00'))
    const month = await ask({ end: '20260331-23:00:00', duration: '1 M', size: '1 hour' })
    expect(month[0]).toBe(utc('2026-03-02T13:30:00'))
    expect((await ask({ end: '20260401-00:00:00', duration: '1 Y', size: '1 day' }))[0]).toBe('20250401')
  })

  it('reads an end in any zone, and caps it at now', async () => {
    const dates = await ask({ end: '20260407 15:32:00 MET', duration: '60 S', size: '1 min' })
    expect(dates).toEqual([utc('2026-04-07T13:31:00')])
    expect((await ask({ end: '20270101-00:00:00', duration: '60 S' })).at(-1)).toBe(String(NOW_SEC - 60))
  })

  it('prints dates by formatDate, and days always as dates', async () => {
    expect(await ask({ duration: '60 S', format: 1 })).toEqual(['20260408 13:59:00 US/Eastern'])
    expect(await ask({ duration: '60 S', format: 2 })).toEqual([String(NOW_SEC - 60)])
  })

  it('gives a session list for SCHEDULE', async () => {
    expect(await ask({ what: 'SCHEDULE', size: '1 day', duration: '2 D' })).toEqual([
      ...['106', String(nextId), '20260407-09:30:00', '20260408-16:00:00', 'US/Eastern', '2'],
      ...['20260407-09:30:00', '20260407-16:00:00', '20260407', '20260408-09:30:00', '20260408-16:00:00', '20260408'],
    ])
  })
})

describe('refusals', () => {
  it.each<[string, Ask, string | RegExp]>([
    [
      'an old bar size',
      { size: '1 sec' },
      /^321 Error validating request.-'bK' : cause - .*Legal ones are: 1 secs, 5 s.*1 day, 1W, 1M$/,
    ],
    ['a malformed duration', { duration: '30D' }, /^321 .*duration/],
    ['seconds over a day', { duration: '86401 S' }, /^321 .*86400/],
    ['days over a year', { duration: '366 D', size: '1 hour' }, /^321 .*365 days must be made in years/],
    ['weeks', { duration: '53 W', size: '1 hour' }, /^321/],
    ['months', { duration: '13 M', size: '1 hour' }, /^321/],
    ['years', { duration: '69 Y', size: '1 day' }, /^321/],
    ['1-second bars beyond 2000 S', { duration: '2001 S', size: '1 secs' }, /^321/],
    ['a pair both tables exclude', { duration: '1 W', size: '5 secs' }, /^321/],
    ['an unknown kind', { what: 'TRADE' }, /^321 .*What to show/],
    ['a missing exchange', { of: contract('AAPL', 'STK', '') }, /^321 .*exchange/],
    ['keepUpToDate with an end', { keep: 1, end: '20260407-14:00:00' }, /^321/],
    ['an adjusted end', { what: 'ADJUSTED_LAST', end: '20260407-12:00:00', duration: '1 D', size: '5 mins' }, /^321/],
    ['a bad end', { end: '20260231-12:00:00' }, /^10314 End Date\/Time/],
    ['a bad zone', { end: '20260401 12:00:00 Mars/Base' }, /^10314/],
    [
      'a continuous future with an end',
      { of: contract('ES', 'CONTFUT', 'CME'), end: '20260407-12:00:00', duration: '1 D' },
      /^10339/,
    ],
    [
      'an unknown contract',
      { of: contract('NOPE', 'STK', 'SMART') },
      '200 No security definition has been found for the request',
    ],
    [
      'an ambiguous contract',
      { of: contract('DUAL', 'STK', 'SMART') },
      '200 The contract description specified for DUAL is ambiguous.',
    ],
    [
      'trades of FX',
      { of: FX },
      '162 Historical Market Data Service error message:No historical market data for EUR/CASH@IDEALPRO Last 60',
    ],
    [
      'a window without bars',
      { end: '20190101-12:00:00' },
      '162 Historical Market Data Service error message:HMDS query returned no data: AAPL@SMART Trades',
    ],
    [
      'small bars older than six months',
      { of: FX, what: 'ASK', end: '20251001-12:00:00', size: '5 secs' },
      '162 Historical Market Data Service error message:HMDS query returned no data: EUR.USD@IDEALPRO Ask',
    ],
    [
      'more than one message holds',
      { of: FX, what: 'BID', size: '5 secs', duration: '60 D' },
      /^162 .*Time length exceed max/,
    ],
  ])('%s', async (_, request, answer) => {
    const [text = ''] = await ask(request)
    if (typeof answer === 'string') expect(text).toBe(answer)
    else expect(text).toMatch(answer)
  })

  it('keeps every pair that one table allows', async () => {
    for (const [duration, size] of [
      ['1 D', '5 secs'],
      ['1 W', '10 secs'],
      ['2 D', '8 hours'],
      ['35 D', '1 day'],
      ['3600 S', '1 hour'],
    ]) {
      expect((await ask({ duration, size, rth: 0 }))[0]).toMatch(/^\d{8,10}$/)
    }
  })
})

describe('requests that stay open', () => {
  it('ends a cancelled one with 162, knows no other, and refuses a second with its id and the 51st', async () => {
    simulator.faults.silentHistory = true
    try {
      client.send(...history(7))
      client.send(...history(7))
      client.send(25, 1, 7)
      client.send(25, 1, 7)
      expect((await client.next(3)).map(([, , id, code, text]) => [id, code, text])).toEqual([
        ['7', '322', "Error processing request.-'bK' : cause - Duplicate ticker ID for API historical data query"],
        ['7', '162', 'Historical Market Data Service error message:API historical data query cancelled: 7'],
        ['7', '366', 'No historical data query found for ticker id:7'],
      ])
      const many = await RawClient.start(simulator.port, 193, 2, ' +PACEAPI')
      for (let id = 1; id <= 51; id++) many.send(...history(id))
      expect((await many.one()).slice(2, 4)).toEqual(['51', '322'])
      for (let id = 1; id <= 50; id++) many.send(25, 1, id)
      expect((await many.next(50)).every(([, , , code]) => code === '162')).toBe(true)
      many.end()
    } finally {
      simulator.faults.silentHistory = false
    }
  })

  it('cancels one whose answer is still being made', async () => {
    // In one write, so that the cancel is there before the answer's turn comes.
    client.socket.write(Buffer.concat([bytesOf(...history(8)), bytesOf(25, 1, 8), bytesOf(49, 1)]))
    const [cancelled = [], time] = await client.next(2)
    expect(cancelled.slice(2, 4)).toEqual(['8', '162'])
    expect(time?.[0]).toBe('49')
  })

  it('counts a head timestamp as open until cancelled', async () => {
    client.send(87, 9, ...contract('AAPL', 'STK', 'SMART', { currency: 'USD' }), 1, 'TRADES', 1)
    expect(await client.one()).toEqual(['88', '9', '20200102-14:30:00'])
    client.send(...history(9))
    expect((await client.one()).slice(2, 4)).toEqual(['9', '322'])
    client.send(90, 9)
    client.send(87, 9, ...contract('AAPL', 'STK', 'SMART', { currency: 'USD' }), 1, 'TRADES', 2)
    expect(await client.one()).toEqual(['88', '9', String(Date.UTC(2020, 0, 2, 14, 30) / 1000)])
    client.send(90, 9)
    client.send(87, 10, ...FX, 1, 'TRADES', 2)
    expect((await client.one()).slice(2, 5)).toEqual([
      '10',
      '162',
      'Historical Market Data Service error message:No head time stamp',
    ])
  })
})
