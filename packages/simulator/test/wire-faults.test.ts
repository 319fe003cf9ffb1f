import { afterEach, describe, expect, it } from 'vitest'
import type { Simulator, SimulatorOptions } from '../src/index.ts'
import type { Market } from '../src/market/types.ts'
import { startServer } from '../src/server.ts'
import { history, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

let simulator: Simulator | undefined
afterEach(() => simulator?.close())

async function start(options: SimulatorOptions = {}, of: Market = market): Promise<[Simulator, RawClient]> {
  simulator = await startServer(of, { now: () => NOW_SEC * 1000, ...options })
  return [simulator, await RawClient.start(simulator.port, 193)]
}

describe('faults', () => {
  it('refuses the next N historical requests in the given words', async () => {
    const [, client] = await start({ faults: { refuseHistory: { times: 2, text: 'pacing violation' } } })
    for (const id of [1, 2, 3]) client.send(...history(id))
    const answers = await client.next(3)
    expect(answers.map((one) => one[0])).toEqual(['4', '4', '17'])
    expect(answers[0]?.slice(2, 5)).toEqual(['1', '162', 'pacing violation'])
  })

  it('breaks off halfway through a reply', async () => {
    const [{ faults, port }, client] = await start({ faults: { dropMidReply: 1 } })
    let bytes = 0
    client.socket.on('data', (chunk) => {
      bytes += chunk.length
    })
    client.send(...history(1))
    await client.ended()
    expect(client.messages).toEqual([])
    expect(bytes).toBeGreaterThan(100)
    expect(faults.dropMidReply).toBe(0)
    const again = await RawClient.start(port, 193)
    again.send(...history(1))
    expect((await again.one())[0]).toBe('17')
  })

  it('delays every reply, in order, and not one after the other', async () => {
    const [{ faults }, client] = await start()
    faults.delayMs = 30
    const before = performance.now()
    for (let id = 1; id <= 20; id++) client.send(...history(id, { duration: '60 S' }))
    client.send(49, 1)
    const replies = await client.next(21)
    expect(replies.map((one) => one[1])).toEqual([...Array.from({ length: 20 }, (_, i) => String(i + 1)), '1'])
    expect(performance.now() - before).toBeGreaterThanOrEqual(29)
    expect(performance.now() - before).toBeLessThan(400)
  })

  it('answers and logs what fails inside, and lives on', async () => {
    const logged: string[] = []
    const broken: Market = {
      ...market,
      bars: () => {
        throw new Error('no bars today')
      },
      search: () => {
        throw new Error('no search today')
      },
    }
    const [, client] = await start({ log: (message, error) => logged.push(`${message} ${error}`) }, broken)
    client.send(81, 4, 'A')
    client.send(...history(5))
    expect((await client.next(2)).map((one) => one.slice(2, 4).join(' '))).toEqual(['4 322', '5 322'])
    expect(logged).toEqual([expect.stringContaining('no search today'), expect.stringContaining('no bars today')])
    client.send(49, 1)
    expect((await client.one())[0]).toBe('49')
  })
})

describe('the message rate', () => {
  it('warns of the 51st message in a second, and ends the session at the third breach', async () => {
    const [{ received }, client] = await start()
    for (let i = 0; i < 160; i++) client.send(14, 1, 5)
    const texts = (await client.next(4)).map((one) => one[4])
    expect(texts).toEqual(
      [1, 2, 3].map((n) => `Max rate of messages per second has been exceeded:max=50 rec=51 (${n})`),
    )
    expect(client.closed).toBe(true)
    expect(received.filter((one) => one.messageId === 14)).toHaveLength(153)
  })
})

describe('the door', () => {
  it('names the port in use and what to do', async () => {
    const [{ port }] = await start()
    await expect(startServer(market, { port })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is already in use: stop the program that listens there, or choose another port`,
    )
  })

  it('refuses a server version it cannot speak', async () => {
    await expect(startServer(market, { serverVersion: 201 })).rejects.toThrow('give 163 to 200')
  })

  it('closes every connection, twice without harm', async () => {
    const [one, client] = await start()
    await one.close()
    await client.ended()
    await one.close()
  })

  it('records what clients sent', async () => {
    const [{ received }, client] = await start({ accounts: ['SIM1', 'SIM2'] })
    client.send(17, 1)
    expect(await client.one()).toEqual(['15', '1', 'SIM1,SIM2'])
    expect(received.at(-1)).toEqual({ atMs: NOW_SEC * 1000, clientId: 1, messageId: 17, fields: ['17', '1'] })
    expect(received[0]).toEqual({
      atMs: NOW_SEC * 1000,
      clientId: undefined,
      messageId: 71,
      fields: ['71', '2', '1', ''],
    })
  })
})

describe('truth', () => {
  const AAPL = { symbol: 'AAPL' }
  const today = { startSec: NOW_SEC - 86_400 * 30, endSec: NOW_SEC + 86_400 }

  it('leaves out what is still forming', async () => {
    const [{ truth }] = await start()
    const query = { contract: AAPL, whatToShow: 'TRADES', useRTH: true, ...today } as const
    const iso = (barSize: string) => {
      const last = truth({ ...query, barSize }).at(-1)
      return last && new Date(last.timeSec * 1000).toISOString()
    }
    expect(iso('1 min')).toBe('2026-04-08T17:59:00.000Z')
    expect(iso('1 hour')).toBe('2026-04-08T16:30:00.000Z')
    expect(iso('1 day')).toBe('2026-04-07T00:00:00.000Z')
  })

  it('counts a bar cut by the end of its session as final', async () => {
    const [{ truth }] = await start({ now: () => Date.UTC(2026, 3, 8, 20) })
    const query = { contract: AAPL, whatToShow: 'TRADES', useRTH: true, ...today } as const
    const last = (barSize: string) => truth({ ...query, barSize }).at(-1)?.timeSec
    expect(last('1 hour')).toBe(Date.UTC(2026, 3, 8, 19, 30) / 1000)
    expect(last('1 day')).toBe(Date.UTC(2026, 3, 8) / 1000)
  })

  it('holds to [startSec, endSec), and to one listing', async () => {
    const [{ truth }] = await start()
    const startSec = NOW_SEC - 3600
    const query = { barSize: '1 min', whatToShow: 'TRADES', useRTH: true, startSec, endSec: startSec + 120 } as const
    expect(truth({ ...query, contract: AAPL }).map((bar) => bar.timeSec)).toEqual([startSec, startSec + 60])
    expect(() => truth({ ...query, contract: { symbol: 'DUAL' } })).toThrow('finds 2: DUAL (STK, NASDAQ)')
  })
})
