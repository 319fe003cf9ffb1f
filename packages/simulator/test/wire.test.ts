import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { contract, history, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startServer(market, { now: () => NOW_SEC * 1000 })
})
afterAll(() => simulator.close())

async function withClient<T>(max: number, use: (client: RawClient) => Promise<T>): Promise<T> {
  const client = await RawClient.start(simulator.port, max, max)
  try {
    return await use(client)
  } finally {
    client.end()
    await client.ended()
  }
}

describe('the start of a connection', () => {
  it('agrees on the lower version, and says nothing more until startApi', async () => {
    const client = await RawClient.open(simulator.port)
    client.greet('v100..193 +PACEAPI')
    expect(await client.one()).toEqual(['193', '20260408 18:00:00 Coordinated Universal Time'])
    client.send(49, 1)
    client.send(71, 2, 77, '')
    expect(await client.next(5)).toEqual([
      ['15', '1', 'SIM0000001'],
      ['9', '1', '1'],
      ['4', '2', '-1', '2104', 'Market data farm connection is OK:usfarm', ''],
      ['4', '2', '-1', '2106', 'HMDS data farm connection is OK:ushmds', ''],
      ['4', '2', '-1', '2158', 'Sec-def data farm connection is OK:secdefnj', ''],
    ])
    client.end()
  })

  it('never agrees on more than 200', async () => {
    const client = await RawClient.open(simulator.port)
    client.greet('v100..222')
    expect((await client.one())[0]).toBe('200')
    client.end()
  })

  it.each(['v100..162', 'v201..210'])('turns %s away with an error', async (versions) => {
    const client = await RawClient.open(simulator.port)
    client.greet(versions)
    expect((await client.one()).slice(0, 4)).toEqual(['4', '2', '-1', '506'])
    await client.ended()
  })

  it.each(['GET / HTTP/1.1\r\n\r\n', 'API\0\0\0\0\u0005hello', 'API\0\u007f\0\0\0'])('closes on %j', async (text) => {
    const client = await RawClient.open(simulator.port)
    client.socket.write(text)
    await client.ended()
    expect(client.messages).toEqual([])
  })

  it('closes on a message over 16 MiB', async () => {
    const client = await RawClient.start(simulator.port, 200, 31)
    client.socket.write(Buffer.from([1, 0, 0, 0]))
    await client.ended()
  })

  it('refuses a client id in use with 326, and gives it away again once free', async () => {
    const first = await RawClient.start(simulator.port, 200, 5)
    const second = await RawClient.open(simulator.port)
    second.greet('v100..200')
    await second.one()
    second.send(71, 2, 5, '')
    expect((await second.one()).slice(0, 4)).toEqual([
      '4',
      '-1',
      '326',
      'Unable to connect as the client id is already in use. Retry with a unique client id.',
    ])
    await second.ended()
    first.send(49, 1)
    expect(await first.one()).toEqual(['49', '1', String(NOW_SEC)])
  })
})

describe('fields by server version', () => {
  const HOURS = [
    '20260408:0400-20260408:2000;20260409:0400-20260409:2000;20260410:0400-20260410:2000;20260411:CLOSED;20260412:CLOSED;20260413:0400-20260413:2000',
    '20260408:0930-20260408:1600;20260409:0930-20260409:1600;20260410:0930-20260410:1600;20260411:CLOSED;20260412:CLOSED;20260413:0930-20260413:1600',
  ]

  it.each([163, 176, 178, 193, 196, 200])('contract details at %i', async (max) => {
    await withClient(max, async (client) => {
      client.send(
        9,
        8,
        7,
        ...contract('AAPL', 'STK', 'SMART', { currency: 'USD' }),
        '',
        '',
        ...(max >= 176 ? [''] : []),
      )
      const old = max < 164
      expect(await client.next(2)).toEqual([
        [
          ...['10', ...(old ? ['8'] : []), '7', 'AAPL', 'STK', '', ...(max >= 182 ? [''] : []), '0', '', 'SMART'],
          ...['USD', 'AAPL', 'NMS', 'NMS', '1', '0.01', ...(old ? ['1'] : []), ''],
          expect.stringContaining('LMT'),
          ...['SMART,NASDAQ', '1', '0', 'APPLE INC', 'NASDAQ', '', '', '', '', 'US/Eastern', ...HOURS, '', ''],
          ...['1', 'ISIN', 'US0378331005', '1', '', '', '', '', 'COMMON'],
          ...(old ? ['0.0001'] : ['0.0001', '0.0001', '0.0001']),
          ...(max >= 186 ? ['0'] : []),
        ],
        ['52', '1', '7'],
      ])
    })
  })

  it.each([163, 176, 178, 193, 196, 200])('an error at %i', async (max) => {
    await withClient(max, async (client) => {
      client.send(9, 8, 7, ...contract('NOPE', 'STK', 'SMART'), '', '')
      const text = 'No security definition has been found for the request'
      const middle = ['7', '200', text]
      const old = ['4', '2', ...middle, ...(max >= 166 ? [''] : [])]
      expect(await client.one()).toEqual(max >= 194 ? ['4', ...middle, '', String(NOW_SEC * 1000)] : old)
    })
  })

  it.each([163, 176, 178, 193, 196, 200])('historical bars at %i', async (max) => {
    await withClient(max, async (client) => {
      client.send(...history(7, { duration: '120 S', format: 1, end: '20260402-13:32:00' }))
      const bounds = ['20260402 09:30:00 US/Eastern', '20260402 09:32:00 US/Eastern']
      // 13:30 UTC is 254.2 + (1775136600 mod 7 = 0)/8, a minute later the remainder is 4.
      const rows = [
        ['20260402 09:30:00 US/Eastern', '254.20', '255.20', '0.0000001', '254.50'],
        ['100', String(254.2 + 0.015), '1'],
        ['20260402 09:31:00 US/Eastern', '254.70', '255.70', '0.0000001', '255.00'],
      ]
      if (max < 196) {
        const [message = []] = await client.next(1)
        expect(message.slice(0, 5)).toEqual(['17', '7', ...bounds, '2'])
        expect(message).toHaveLength(5 + 16)
        expect(message[5]).toBe(rows[0]?.[0])
        expect(message[13]).toBe(rows[2]?.[0])
      } else {
        const [message = [], end] = await client.next(2)
        expect(message.slice(0, 3)).toEqual(['17', '7', '2'])
        expect(message).toHaveLength(3 + 16)
        expect(end).toEqual(['108', '7', ...bounds])
      }
    })
  })

  it('the millisecond clock is known from 197 on', async () => {
    await withClient(200, async (client) => {
      client.send(105)
      expect(await client.one()).toEqual(['109', String(NOW_SEC * 1000)])
    })
    await withClient(196, async (client) => {
      client.send(105)
      expect((await client.one()).slice(1, 3)).toEqual(['-1', '505'])
    })
  })
})

describe('contracts', () => {
  const ask = async (fields: (string | number)[], count: number) =>
    withClient(200, async (client) => {
      client.send(9, 8, 1, ...fields, '', '', '')
      return (await client.next(count)).map((message) => message.slice(0, 3).join(' '))
    })

  it('gives every listing an ambiguous query fits', async () => {
    expect(await ask(contract('DUAL', 'STK', 'SMART'), 3)).toEqual(['10 1 DUAL', '10 1 DUAL', '52 1 1'])
  })

  it('names expired futures only when asked, and for two years', async () => {
    const month = (text: string, expired: number) => contract('ES', 'FUT', 'CME', { month: text, expired })
    expect(await ask(month('202606', 0), 2)).toEqual(['10 1 ES', '52 1 1'])
    expect(await ask(month('202603', 0), 1)).toEqual(['4 1 200'])
    expect(await ask(month('202603', 1), 2)).toEqual(['10 1 ES', '52 1 1'])
    expect(await ask(month('202312', 1), 1)).toEqual(['4 1 200'])
  })

  it('writes letters beyond ASCII as escapes', async () => {
    await withClient(200, async (client) => {
      client.send(9, 8, 1, ...contract('SÜD', 'STK', 'SMART'), '', '', '')
      const [details = []] = await client.next(2)
      expect(details).toContain('S\\u00fcdzucker AG')
    })
  })

  it('finds symbols by their beginning', async () => {
    await withClient(178, async (client) => {
      client.send(81, 3, 'dua')
      expect(await client.one()).toEqual(
        ['79', '3', '2', '8', 'DUAL', 'STK', 'NASDAQ', 'USD', '0', '', ''].concat([
          '9',
          'DUAL',
          'STK',
          'TSE',
          'CAD',
          '0',
          '',
          '',
        ]),
      )
    })
  })
})

describe('what default clients ask on connecting', () => {
  it('closes each with its empty end', async () => {
    await withClient(178, async (client) => {
      client.send(61, 1)
      client.send(5, 1)
      client.send(99, 0)
      client.send(6, 2, 1, 'SIM0000001')
      client.send(76, 1, 11, 'SIM0000001', '', 0)
      client.send(7, 3, 12, 0, '', '', '', '', '', '')
      client.send(17, 1)
      client.send(8, 1, 1)
      client.send(59, 1, 3)
      client.send(14, 1, 5)
      client.send(49, 1)
      expect(await client.next(9)).toEqual([
        ['62', '1'],
        ['53', '1'],
        ['102'],
        ['54', '1', 'SIM0000001'],
        ['74', '1', '11'],
        ['55', '1', '12'],
        ['15', '1', 'SIM0000001'],
        ['9', '1', '1'],
        ['49', '1', String(NOW_SEC)],
      ])
    })
  })

  it('refuses what it does not serve in words', async () => {
    await withClient(178, async (client) => {
      client.send(10, 5, 21, ...contract('AAPL', 'STK', 'SMART').slice(0, 12), 5, 0, '')
      client.send(3, 26)
      client.send(999)
      client.send(20, 'x')
      const codes = (await client.next(4)).map(([, , id, code]) => `${id} ${code}`)
      expect(codes).toEqual(['21 321', '26 321', '-1 505', '-1 320'])
    })
  })
})
