import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { contract, history, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

/** Every version the simulator offers, the first and the last of each form among them: message by message, field by field. */
const VERSIONS = Array.from({ length: 38 }, (_, i) => 163 + i)

let simulator: Simulator
beforeAll(async () => {
  simulator = await startServer(market, { now: () => NOW_SEC * 1000 })
})
afterAll(() => simulator.close())

const AAPL = contract('AAPL', 'STK', 'SMART', { currency: 'USD' })
const UNKNOWN = 'No security definition has been found for the request'
const BOUNDS = ['20260402 09:30:00 US/Eastern', '20260402 09:31:00 US/Eastern']
/** 13:30 UTC is 1775136600: 6 modulo 7 and modulo 11, 0 modulo 5, from which this market makes prices, volume and count. */
const ROW = ['1775136600', '254.95', '255.95', '0.0000001', '255.24999999999997', '106', '254.96499999999997', '1']

/** Fields that belong to versions from one on. */
const since = (first: number, version: number, ...fields: string[]): string[] => (version >= first ? fields : [])
const until = (last: number, version: number, ...fields: string[]): string[] => (version <= last ? fields : [])

describe.each(VERSIONS)('server version %i', (version) => {
  let client: RawClient
  beforeAll(async () => {
    client = await RawClient.open(simulator.port)
  })
  afterAll(() => client.end())

  it('is agreed on, and starts with accounts, the next id and three notices', async () => {
    client.greet(`v100..${version}`)
    expect(await client.one()).toEqual([String(version), '20260408 18:00:00 Coordinated Universal Time'])
    client.send(71, 2, version, '')
    const notice = (code: string, text: string) => [
      '4',
      ...until(193, version, '2'),
      ...['-1', code, text],
      ...since(166, version, ''),
      ...since(194, version, String(NOW_SEC * 1000)),
    ]
    expect(await client.next(5)).toEqual([
      ['15', '1', 'SIM0000001'],
      ['9', '1', '1'],
      notice('2104', 'Market data farm connection is OK:usfarm'),
      notice('2106', 'HMDS data farm connection is OK:ushmds'),
      notice('2158', 'Sec-def data farm connection is OK:secdefnj'),
    ])
  })

  it('prints errors', async () => {
    client.send(9, 8, 7, ...contract('NOPE', 'STK', 'SMART'), '', '', ...since(176, version, ''))
    expect(await client.one()).toEqual([
      '4',
      ...until(193, version, '2'),
      ...['7', '200', UNKNOWN],
      ...since(166, version, ''),
      ...since(194, version, String(NOW_SEC * 1000)),
    ])
  })

  it('prints contract details', async () => {
    client.send(9, 8, 8, ...AAPL, '', '', ...since(176, version, ''))
    const [details = [], end] = await client.next(2)
    expect(end).toEqual(['52', '1', '8'])
    expect(details).toEqual([
      '10',
      ...until(163, version, '8'),
      ...['8', 'AAPL', 'STK', ''],
      ...since(182, version, ''),
      ...['0', '', 'SMART', 'USD', 'AAPL', 'NMS', 'NMS', '1', '0.01'],
      ...until(163, version, '1'),
      ...['', expect.stringContaining('LMT'), 'SMART,NASDAQ', '1', '0', 'APPLE INC', 'NASDAQ', '', '', '', ''],
      ...['US/Eastern', expect.stringMatching(/^20260408:0400-/), expect.stringMatching(/^20260408:0930-/), '', ''],
      ...['1', 'ISIN', 'US0378331005', '1', '', '', expect.stringMatching(/^[\d,]*$/), '', 'COMMON', '0.0001'],
      ...since(164, version, '0.0001', '0.0001'),
      ...since(186, version, '0'),
    ])
  })

  it('prints bars', async () => {
    client.send(...history(9, { duration: '60 S', end: '20260402-13:31:00' }))
    const [bars, end] = await client.next(version >= 196 ? 2 : 1)
    expect(bars).toEqual(['17', '9', ...until(195, version, ...BOUNDS), '1', ...ROW])
    expect(end).toEqual(version >= 196 ? ['108', '9', ...BOUNDS] : undefined)
  })

  it('prints symbols, a head timestamp and a schedule', async () => {
    client.send(81, 10, 'AAP')
    client.send(87, 11, ...AAPL, 1, 'TRADES', 1)
    client.send(...history(12, { duration: '1 D', size: '1 day', what: 'SCHEDULE', format: 1 }))
    expect(await client.next(3)).toEqual([
      ['79', '10', '1', '1', 'AAPL', 'STK', 'NASDAQ', 'USD', '1', 'OPT', ...since(176, version, 'APPLE INC', '')],
      ['88', '11', '20200102-14:30:00'],
      [
        ...['106', '12', '20260408-09:30:00', '20260408-16:00:00', 'US/Eastern', '1'],
        ...['20260408-09:30:00', '20260408-16:00:00', '20260408'],
      ],
    ])
  })

  it('knows the clock in milliseconds from 197 on', async () => {
    client.send(105)
    const message = await client.one()
    if (version >= 197) expect(message).toEqual(['109', String(NOW_SEC * 1000)])
    else expect(message.slice(version >= 194 ? 1 : 2, version >= 194 ? 3 : 4)).toEqual(['-1', '505'])
  })
})
