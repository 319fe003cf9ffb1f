import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Simulator, SimulatorOptions } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { history, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

let simulator: Simulator | undefined
afterEach(() => simulator?.close())

async function start(options: SimulatorOptions = {}): Promise<[Simulator, RawClient]> {
  simulator = await startServer(market, { now: () => NOW_SEC * 1000, ...options })
  return [simulator, await RawClient.start(simulator.port, 193)]
}

/** Whether the port takes a connection. */
const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

const notice = (code: number, text?: string) => ({ type: 'notice', code, ...(text ? { text } : {}) }) as const

describe('notices', () => {
  it('reach every client, in IBKR’s words or in those given', async () => {
    const [{ event, port }, client] = await start()
    const other = await RawClient.start(port, 193, 2)
    for (const code of [1100, 1101, 1102, 2103, 2104, 2105, 2106, 2107, 2108, 2110, 2119, 2157, 2158]) {
      await event(notice(code))
    }
    await event(notice(2106, 'HMDS data farm connection is OK:euhmds'))
    const seen = await client.next(14)
    expect(seen.map(([, , id, code]) => `${id} ${code}`).slice(0, 3)).toEqual(['-1 1100', '-1 1101', '-1 1102'])
    expect(seen.map((one) => one[4])).toEqual([
      'Connectivity between IB and Trader Workstation has been lost.',
      'Connectivity between IB and Trader Workstation has been restored - data lost.',
      'Connectivity between IB and Trader Workstation has been restored - data maintained.',
      'Market data farm connection is broken:usfarm',
      'Market data farm connection is OK:usfarm',
      'HMDS data farm connection is broken:ushmds',
      'HMDS data farm connection is OK:ushmds',
      'HMDS data farm connection is inactive but should be available upon demand.ushmds',
      'Market data farm connection is inactive but should be available upon demand.usfarm',
      'Connectivity between Trader Workstation and server is broken. It will be restored automatically.',
      'Market data farm is connecting:usfarm',
      'Sec-def data farm connection is broken:secdefnj',
      'Sec-def data farm connection is OK:secdefnj',
      'HMDS data farm connection is OK:euhmds',
    ])
    expect(await other.next(14)).toEqual(seen)
  })

  it.each([
    [1100, 1101],
    [2110, 1102],
    [2105, 2106],
    [2105, 2107],
  ])('%i takes the answers away, %i brings them back', async (down, up) => {
    const [{ event }, client] = await start()
    await event(notice(down))
    client.send(...history(1))
    client.send(49, 1)
    expect((await client.next(2)).map((one) => one[0])).toEqual(['4', '49'])
    await event(notice(up))
    client.send(...history(2))
    expect((await client.next(2)).map((one) => one[0])).toEqual(['4', '17'])
  })

  it('are what a new connection is greeted with, as the farms are', async () => {
    const [{ event, port }] = await start()
    for (const code of [2103, 2105, 2157]) await event(notice(code))
    const client = await RawClient.open(port)
    client.greet('v100..193')
    await client.one()
    client.send(71, 2, 9, '')
    expect((await client.next(5)).slice(2).map((one) => one[3])).toEqual(['2103', '2105', '2157'])
  })

  it('leave a farm refusing that was set to refuse', async () => {
    const [{ event, faults }] = await start({ faults: { hmds: 'refusing' } })
    await event(notice(2105))
    expect(faults.hmds).toBe('refusing')
    await event(notice(2106))
    expect(faults.hmds).toBe('ok')
  })
})

describe('the process', () => {
  it('drops every connection, and takes new ones', async () => {
    const [{ event, port }, client] = await start()
    await event({ type: 'drop' })
    await client.ended()
    expect(await isOpen(port)).toBe(true)
  })

  it('stops and starts on the same port', async () => {
    const [{ event, port }, client] = await start()
    await event({ type: 'stop' })
    await client.ended()
    expect(await isOpen(port)).toBe(false)
    await event({ type: 'start' })
    const again = await RawClient.start(port, 193)
    again.send(49, 1)
    expect((await again.one())[0]).toBe('49')
    // Open already: nothing to do.
    await event({ type: 'start' })
  })

  it('restarts after a while, and not once it is closed', async () => {
    const [{ event, port, close }, client] = await start()
    await event({ type: 'restart', downMs: 86_400_000 })
    await client.ended()
    expect(await isOpen(port)).toBe(false)
    await event({ type: 'restart', downMs: 40 })
    await expect.poll(() => isOpen(port), { timeout: 10_000 }).toBe(true)
    const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length
    await event({ type: 'restart', downMs: 86_400_000 })
    const waiting = timers()
    await close()
    expect(timers()).toBeLessThan(waiting)
    expect(await isOpen(port)).toBe(false)
  })

  it('a login that expires takes connections and says nothing, until a person logs in', async () => {
    const [{ event, port }, client] = await start()
    await event({ type: 'logout' })
    await client.ended()
    const waiting = await RawClient.open(port)
    waiting.greet('v100..193')
    const closed = waiting.ended()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([waiting.messages, waiting.closed]).toEqual([[], false])
    await event({ type: 'login' })
    await closed
    const again = await RawClient.start(port, 193)
    again.send(17, 1)
    expect(await again.one()).toEqual(['15', '1', 'SIM0000001'])
  })

  it('or starts without an account', async () => {
    const [{ event, port }] = await start({ faults: { loggedOut: 'no-accounts' } })
    await event({ type: 'logout' })
    const client = await RawClient.open(port)
    client.greet('v100..193')
    await client.one()
    client.send(71, 2, 1, '')
    expect(await client.one()).toEqual(['15', '1', ''])
  })
})

describe('the market', () => {
  it('splits now or at an instant, and settles late until told otherwise', async () => {
    const [{ event, marketEvents }] = await start()
    try {
      await event({ type: 'split', conId: 1, ratio: 4 })
      await event({ type: 'split', conId: 2, ratio: 0.1, atSec: 7 })
      expect(marketEvents.splits).toEqual([
        { conId: 1, ratio: 4, atSec: NOW_SEC },
        { conId: 2, ratio: 0.1, atSec: 7 },
      ])
      await expect(event({ type: 'split', conId: 77, ratio: 2 })).rejects.toThrow('no contract with conId 77')
      await event({ type: 'settlement', delaySec: 3600 })
      expect(marketEvents.settlementDelaySec).toBe(3600)
      await event({ type: 'settlement', delaySec: null })
      expect(marketEvents.settlementDelaySec).toBeUndefined()
    } finally {
      Object.assign(marketEvents, { splits: [], settlementDelaySec: undefined })
    }
  })
})
