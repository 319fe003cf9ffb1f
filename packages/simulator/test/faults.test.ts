import { afterEach, describe, expect, it } from 'vitest'
import type { Simulator, SimulatorOptions } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { type Ask, contract, history, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

let simulator: Simulator | undefined
const clients: RawClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.end()
  await simulator?.close()
})

async function start(options: SimulatorOptions = {}): Promise<[Simulator, RawClient]> {
  simulator = await startServer(market, { now: () => NOW_SEC * 1000, ...options })
  return [simulator, await join(simulator)]
}

async function join({ port }: Simulator, clientId = 1): Promise<RawClient> {
  const client = await RawClient.start(port, 193, clientId)
  clients.push(client)
  return client
}

const AAPL = contract('AAPL', 'STK', 'SMART', { currency: 'USD' })
const details = (reqId: number) => [9, 8, reqId, ...AAPL, '', '', '']
const head = (reqId: number) => [87, reqId, ...AAPL, 1, 'TRADES', 2]
const TIME = ['49', '1', String(NOW_SEC)]

/** What a request is answered before the time that is asked for right behind it, without which silence would take for ever to hear. */
async function before(client: RawClient, ...request: (string | number)[]): Promise<string[][]> {
  client.send(...request)
  const answers: string[][] = []
  client.send(49, 1)
  for (let one = await client.one(); one[0] !== '49' && one.length > 0; one = await client.one()) answers.push(one)
  return answers
}

/** Error messages as `id code text`. */
const errors = (messages: string[][]) => messages.map(([, , id, code, text]) => `${id} ${code} ${text}`)

/** Dates of the bars of one answer. */
async function dates(client: RawClient, ask: Ask = {}): Promise<string[]> {
  client.send(...history(1, ask))
  const message = await client.one()
  expect(message[0]).toBe('17')
  return message.slice(5).filter((_, i) => i % 8 === 0)
}

describe('silence', () => {
  it.each([
    ['lost', { lost: true }, [history(1), details(1), head(1)]],
    ['hmds', { hmds: 'silent' }, [history(1), head(1)]],
    ['silentHistory', { silentHistory: true }, [history(1), head(1)]],
    ['secdefBroken', { secdefBroken: true }, [details(1)]],
  ] as const)('%s answers no such request, and each again afterwards', async (_, faults, requests) => {
    const [{ faults: now }, client] = await start({ faults })
    for (const request of requests) {
      expect(await before(client, ...request)).toEqual([])
      client.send(25, 1, 1)
      await client.one()
    }
    Object.assign(now, { lost: false, hmds: 'ok', silentHistory: false, secdefBroken: false })
    for (const request of requests) {
      client.send(...request.map((field, i) => (i === (request[0] === 9 ? 2 : 1) ? 2 : field)))
      expect(['10', '17', '88']).toContain((await client.one())[0])
      if (request[0] === 9) await client.one()
      client.send(90, 2)
    }
  })

  it('leaves what else there is to a broken farm', async () => {
    const [, client] = await start({ faults: { hmds: 'silent', marketBroken: true } })
    client.send(...details(1))
    expect((await client.next(2)).map(([id]) => id)).toEqual(['10', '52'])
  })

  it('half-open says nothing more, to whoever is here or comes, and does not come back to life', async () => {
    const [{ faults, port }, client] = await start()
    faults.halfOpen = true
    client.send(49, 1)
    const late = await RawClient.open(port)
    clients.push(late)
    late.greet('v100..193')
    // Turns of the event loop that both are in, however long one takes: what was sent has been read by then.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    faults.halfOpen = false
    client.send(49, 1)
    const fresh = await join(simulator as Simulator, 2)
    // Whatever the first would be told, it has been by the time another has had ten answers.
    for (let i = 0; i < 10; i++) {
      fresh.send(49, 1)
      expect(await fresh.one()).toEqual(TIME)
    }
    expect([client.messages, late.messages, client.closed, late.closed]).toEqual([[], [], false, false])
  })
})

describe('a reply that breaks off', () => {
  it.each([
    ['bars', history(1)],
    ['ticks', [96, 1, ...AAPL, '20260408-17:00:00', '', 10, 'TRADES', 1, 0, '']],
    ['a head timestamp', head(1)],
  ] as const)('leaves half of %s and a closed socket', async (_, request) => {
    const [{ faults }, client] = await start({ faults: { dropMidReply: 1 } })
    client.send(...request)
    await client.ended()
    expect([client.messages, faults.dropMidReply]).toEqual([[], 0])
  })
})

describe('refusals', () => {
  it('refuses N requests of a farm with any code and text', async () => {
    const [, client] = await start({ faults: { refuse: { times: 2, code: 10187, text: 'Nope', of: 'history' } } })
    expect((await before(client, ...details(1))).map(([id]) => id)).toEqual(['10', '52'])
    expect(errors(await before(client, ...head(2)))).toEqual(['2 10187 Nope'])
    expect(errors(await before(client, ...history(3)))).toEqual(['3 10187 Nope'])
    expect((await before(client, ...history(4)))[0]?.[0]).toBe('17')
  })

  it('a broken farm of history that refuses does so with 162', async () => {
    const [, client] = await start({ faults: { hmds: 'refusing' } })
    expect(errors(await before(client, ...history(1)))).toEqual([
      '1 162 Historical Market Data Service error message:HMDS server disconnect occurred.  Attempting reconnection...',
    ])
  })

  it('a competing session takes history with 162 and live data with 10197', async () => {
    const [, client] = await start({ faults: { competing: true } })
    const text = 'Trading TWS session is connected from a different IP address'
    expect(errors(await before(client, ...history(1)))).toEqual([
      `1 162 Historical Market Data Service error message:${text}`,
    ])
    const live = [50, 3, 2, ...AAPL.slice(0, 12), 5, 'TRADES', 1, '']
    expect(errors(await before(client, ...live))).toEqual(['2 10197 No market data during competing live session'])
  })

  it('says 200 falsely N times, of contracts alone', async () => {
    const [{ faults }, client] = await start({ faults: { false200: 2 } })
    expect((await before(client, 81, 9, 'AAPL'))[0]?.[0]).toBe('79')
    expect(errors(await before(client, ...details(1)))[0]).toMatch(/^1 200 No security definition/)
    expect(errors(await before(client, ...history(2)))[0]).toMatch(/^2 200 No security definition/)
    expect(faults.false200).toBe(0)
    expect((await before(client, ...details(3))).map(([id]) => id)).toEqual(['10', '52'])
  })

  it('answers N requests with nothing at all', async () => {
    const [, client] = await start({ faults: { emptyHistory: 2 } })
    expect(await before(client, ...history(1))).toEqual([['17', '1', '', '', '0']])
    const ticks = [96, 2, ...AAPL, '', '20260408-17:00:00', 10, 'BID_ASK', 1, 0, '']
    expect(await before(client, ...ticks)).toEqual([['97', '2', '0', '1']])
    expect(await dates(client)).toHaveLength(30)
    const newest = await RawClient.start((simulator as Simulator).port, 200, 2)
    clients.push(newest)
    if (simulator) simulator.faults.emptyHistory = 1
    newest.send(...history(4))
    expect(await newest.next(2)).toEqual([
      ['17', '4', '0'],
      ['108', '4', '', ''],
    ])
  })

  it('holds client ids for phantoms', async () => {
    const [{ port }] = await start({ faults: { heldIds: [7, 8] } })
    const client = await RawClient.open(port)
    client.greet('v100..193')
    await client.one()
    client.send(71, 2, 8, '')
    expect((await client.one())[3]).toBe('326')
    await client.ended()
  })
})

describe('bars as no client expects them', () => {
  it('2188 comes before them', async () => {
    const [, client] = await start({ faults: { upToTheSecond: true } })
    const [notice = [], bars = []] = await before(client, ...history(1))
    expect([notice[0], notice[2], notice[3], bars[0], bars[4]]).toEqual(['4', '1', '2188', '17', '30'])
  })

  it('-1 stands for their volume, average and count', async () => {
    const [, client] = await start({ faults: { noVolume: true } })
    client.send(...history(1, { duration: '60 S' }))
    expect((await client.one()).slice(-3)).toEqual(['-1', '-1', '-1'])
  })

  it('all hours leak into durations of seconds, and of seconds only', async () => {
    const [{ faults }, client] = await start()
    const over = { end: '20260407-13:40:00', duration: '1800 S' }
    expect(await dates(client, over)).toHaveLength(30)
    faults.rthLeak = true
    // From 15:40 in New York to 09:40: the evening to 20:00 and the morning from 04:00 are there too.
    expect(await dates(client, over)).toHaveLength(260 + 340)
    expect(await dates(client, { ...over, duration: '1 D' })).toHaveLength(10)
  })

  it('bars from before the window stand before it', async () => {
    const [{ faults }, client] = await start()
    const window = { end: '20260407-13:40:00', duration: '300 S' }
    const due = await dates(client, window)
    faults.overlapBars = 7
    const seen = await dates(client, window)
    expect(seen.slice(7)).toEqual(due)
    // Five minutes before 13:35 there are 13:30 to 13:34; the two before are Monday's last.
    expect(seen.slice(0, 3)).toEqual(
      ['2026-04-06T19:58Z', '2026-04-06T19:59Z', '2026-04-07T13:30Z'].map((text) => String(Date.parse(text) / 1000)),
    )
  })

  it('the first and the last come twice, also over many slices', async () => {
    const [{ faults }, client] = await start()
    const long = { duration: '5 D', size: '30 secs' }
    const due = await dates(client, { ...long, rth: 0, size: '1 min', duration: '10 D' })
    expect(due.length).toBeGreaterThan(8000)
    faults.doubleEdges = true
    const seen = await dates(client, { ...long, rth: 0, size: '1 min', duration: '10 D' })
    expect(seen).toEqual([due[0], ...due, due.at(-1)])
  })
})

describe('frames', () => {
  it('split puts every byte into a write of its own, and merged many messages into one', async () => {
    const [{ faults, port }, plain] = await start()
    const ask = () => [history(1, { duration: '120 S' }), details(2), [49, 1]]
    for (const one of ask()) plain.send(...one)
    const due = await plain.next(4)
    for (const [frames, chunks] of [
      ['split', (count: number) => count > 100],
      ['merged', (count: number) => count === 1],
    ] as const) {
      faults.frames = frames
      const client = await RawClient.start(port, 193, frames === 'split' ? 2 : 3)
      clients.push(client)
      let count = 0
      client.socket.on('data', () => {
        count++
      })
      client.socket.cork()
      for (const one of ask()) client.send(...one)
      client.socket.uncork()
      expect(await client.next(4)).toEqual(due)
      expect(chunks(count)).toBe(true)
    }
  })

  it('merged holds nothing back for a request that was cancelled', async () => {
    const [, client] = await start({ faults: { frames: 'merged' } })
    client.socket.cork()
    client.send(49, 1)
    client.send(...history(1))
    client.send(25, 1, 1)
    client.socket.uncork()
    expect((await client.next(2)).map(([id]) => id)).toEqual(['49', '4'])
  })
})
