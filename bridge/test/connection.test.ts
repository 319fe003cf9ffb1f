import { createServer, type Server, type Socket } from 'node:net'
import { createBridge } from '@tidegate/bridge'
import { afterEach, describe, expect, it } from 'vitest'
import { createFakeClock, settled } from './clock.ts'
import { startRawGateway } from './gateway.ts'
import { NOW_SEC } from './market.ts'
import { AAPL, endAll, onEnd, request, sent, settingsFor, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

/** A port that takes connections and does with them what it is told. */
async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = []
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => socket.destroy())
    onSocket(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onEnd(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port.')
  return address.port
}

async function freePort(): Promise<number> {
  const port = await listen(() => {})
  await endAll()
  return port
}

describe('connecting', () => {
  it('says what to check where nobody listens, at once', async () => {
    const port = await freePort()
    await expect(startBridge(port)).rejects.toMatchObject({
      kind: 'disconnected',
      code: 502,
      message: expect.stringMatching(
        new RegExp(`Nobody answers at 127.0.0.1:${port} \\(.*ECONNREFUSED.*\\).*API enabled.*4002 paper, 4001 live`),
      ),
    })
  })

  it('gives up on a port that takes the connection and says nothing, as any open port may', async () => {
    const port = await listen(() => {})
    await expect(startBridge(port, { settings: { requestTimeoutMs: 50 } })).rejects.toMatchObject({
      kind: 'timeout',
      message: expect.stringMatching(
        /^The gateway at 127.0.0.1:\d+ took the connection and did not say hello within 0.05 s. Is the .* logged in, /,
      ),
    })
  })

  it('closes at once while it waits for a hello', async () => {
    const port = await listen(() => {})
    const { bridge } = await startBridge(port, { untilReady: false, clock: createFakeClock() })
    await settled()
    expect(bridge.status()).toMatchObject({
      state: 'connecting',
      phase: 'handshaking',
      reason: 'Connecting to the gateway.',
    })
    await bridge.close()
  })

  it('says so where the gateway hangs up at once, as a proxy before a dead gateway does', async () => {
    const port = await listen((socket) => socket.end())
    await expect(startBridge(port)).rejects.toMatchObject({
      kind: 'disconnected',
      message: expect.stringMatching(
        /closed the connection before it said hello\. Is the gateway logged in, .*trusted/,
      ),
    })
  })

  it('takes what is no protocol for a broken connection, and tries again', async () => {
    let connections = 0
    const port = await listen((socket) => {
      connections++
      socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')
    })
    const { bridge } = await startBridge(port, { untilReady: false, random: () => 0 })
    await until('it tries again', () => connections === 2)
    expect(bridge.status()).toMatchObject({
      state: 'down',
      reason: expect.stringContaining('sent what can not be read'),
    })
  })

  it('refuses a server version it can not speak', async () => {
    const gateway = await startRawGateway({ serverVersion: 100 })
    await expect(startBridge(gateway.port)).rejects.toMatchObject({
      message: expect.stringContaining('has server version 100; expected 124 or more: update IB Gateway or TWS'),
    })
  })

  it('takes the next client id where its own is in use', async () => {
    const simulator = await startSimulator()
    const first = await startBridge(simulator.port)
    const second = await startBridge(simulator.port)
    const third = await startBridge(simulator.port)
    await Promise.all([first, second, third].map(({ relay }) => relay.contracts({ contract: AAPL })))
    expect(new Set(simulator.received.filter((one) => one.messageId === 9).map((one) => one.clientId))).toEqual(
      new Set([1, 2, 3]),
    )
  })

  it('backs off where every client id is in use', async () => {
    let connections = 0
    const gateway = await startRawGateway({
      script: (client, [id]) => {
        if (id !== '71') return
        connections++
        client.send(4, 2, -1, 326, 'Unable to connect as the client id is already in use.', '')
        client.socket.end()
      },
      accounts: '',
      tellsTime: () => false,
    })
    const clock = createFakeClock()
    const settings = { messagesPerSec: 50, requestTimeoutMs: 600_000 }
    const { bridge, warned } = await startBridge(gateway.port, { untilReady: false, clock, settings, random: () => 1 })
    await until('sixteen were tried', () => connections === 16)
    await settled(20)
    expect(connections).toBe(16)
    const reason = expect.stringContaining('Client ids 1 to 16 are all taken at the gateway: stop a program that uses')
    expect(bridge.status().reason).toEqual(reason)
    expect(warned).toEqual([expect.stringMatching(/^Client id 1 is in use.*same REDIS_URL/), reason])
    // And once more, after the pause, they are no news.
    for (let ids = 17; ids <= 32; ids++) {
      await clock.advance(30_000)
      await until(`${ids} were tried`, () => connections >= ids)
    }
    expect(bridge.status().reason).toEqual(reason)
    expect(warned).toHaveLength(2)
    const ids = gateway.received.filter(([id]) => id === '71').map((fields) => fields[2])
    expect(new Set(ids).size).toBe(16)
  })
})

describe('a connection that breaks', () => {
  it('is made anew, with pauses that double and are cut short at random, up to half a minute', async () => {
    const clock = createFakeClock()
    const at: number[] = []
    const port = await listen((socket) => {
      at.push(clock.now())
      socket.end()
    })
    await startBridge(port, { untilReady: false, clock, random: () => 0.5 })
    for (let tries = 1; tries <= 9; tries++) {
      await until(`try ${tries}`, () => at.length === tries)
      // Only the backoff waits now: what else had a timer has ended with the connection.
      await until('the pause begins', () => clock.pending === 1)
      await clock.advance(Math.min(375 * 2 ** (tries - 1), 22_500))
    }
    const pauses = at.slice(1, 9).map((sec, i) => sec - (at[i] ?? 0))
    expect(pauses).toEqual([375, 750, 1500, 3000, 6000, 12_000, 22_500, 22_500])
  })

  it('by garbage in its middle fails what is open, and is made anew', async () => {
    let garbage = true
    const gateway = await startRawGateway({
      nowSec: () => NOW_SEC,
      script: (client, [id, requestId = '']) => {
        if (id !== '20') return
        if (garbage) client.socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]))
        else client.send(17, requestId, '', '', 1, NOW_SEC - 3600, 1, 1, 1, 1, 1, 1, 1)
        garbage = false
      },
    })
    const { relay, bridge, logged } = await startBridge(gateway.port, { random: () => 0 })
    await expect(relay.bars(request({ waitMs: 0 }))).rejects.toMatchObject({ kind: 'disconnected' })
    await until('it is back', () => bridge.status().state === 'ready')
    expect((await relay.bars(request({ duration: '2 D' }))).bars.c).toEqual([1])
    expect(logged.join('\n')).toContain('the gateway connection ended')
  })

  it('is noticed where the gateway hangs and TCP does not', async () => {
    let tellsTime = true
    const gateway = await startRawGateway({ tellsTime: () => tellsTime })
    const clock = createFakeClock()
    const { bridge } = await startBridge(gateway.port, { clock })
    const asked = () => gateway.received.filter(([id]) => id === '49').length
    for (const times of [2, 3]) {
      await clock.advance(30_000)
      await until('it asks for the time', () => asked() === times)
      await settled()
    }
    tellsTime = false
    await clock.advance(34_999)
    expect(bridge.status()).toMatchObject({ state: 'ready', lastUpAt: undefined })
    await clock.advance(1)
    await until('it is given up', () => bridge.status().state === 'down')
    expect(bridge.status().reason).toContain('has not answered a question for its time within 5 s')
    expect(bridge.status().lastUpAt).toBe(new Date(clock.now()).toISOString())
  })
})

describe('ready', () => {
  const info = (code: number, text: string) => [4, 2, -1, code, text, ''] as const

  it('means a handshake, an account, and IBKR and its history servers within reach', async () => {
    const gateway = await startRawGateway({ nowSec: () => NOW_SEC })
    const { bridge, relay } = await startBridge(gateway.port)
    const [client] = gateway.clients
    const say = async (code: number, text: string, state: string) => {
      client?.send(...info(code, text))
      await until(`${code} makes it ${state}`, () => bridge.status().state === state)
    }
    await say(2105, 'HMDS data farm connection is broken:ushmds', 'down')
    await expect(relay.bars(request({ waitMs: 0 }))).rejects.toMatchObject({
      kind: 'farm-down',
      status: 503,
      message: expect.stringContaining('ushmds'),
    })
    expect(gateway.received.filter(([id]) => id === '20')).toEqual([])
    client?.send(...info(2106, 'HMDS data farm connection is OK:euhmds'))
    await say(2103, 'Market data farm connection is broken:usfarm', 'down')
    await say(2106, 'HMDS data farm connection is OK:ushmds', 'ready')
    await say(1100, 'Connectivity between IB and Trader Workstation has been lost.', 'down')
    await expect(relay.bars(request({ waitMs: 0 }))).rejects.toMatchObject({
      kind: 'disconnected',
      message: expect.stringContaining('1100'),
    })
    await say(1102, 'Connectivity between IB and Trader Workstation has been restored - data maintained.', 'ready')
    client?.send(...info(2107, 'HMDS data farm connection is inactive but should be available upon demand.apachmds'))
    await until('the farm is listed', () => bridge.status().farms.some((farm) => farm.name === 'apachmds'))
    expect(bridge.status()).toMatchObject({
      state: 'ready',
      farms: expect.arrayContaining([
        { name: 'ushmds', kind: 'history', state: 'ok', since: expect.any(String) },
        { name: 'usfarm', kind: 'market', state: 'broken', since: expect.any(String) },
        { name: 'apachmds', kind: 'history', state: 'inactive', since: expect.any(String) },
      ]),
    })
  })

  it.each([
    [
      'no account is listed',
      '',
      {},
      'The gateway lists no account: it is not logged in. Log in at the gateway’s own window',
    ],
    [
      'the login lacks TWS_ACCOUNT',
      'DU1234567,DU7654321',
      { account: 'DU1111199' },
      'TWS_ACCOUNT is DU*****99 and the login has DU*****67, DU*****21',
    ],
    [
      'a live login is where paper was said',
      'U1234567',
      {},
      "IBKR_TRADING_MODE is paper and the gateway's login is live",
    ],
    [
      'a paper login is where live was said',
      'DU1234567',
      { tradingMode: 'live' },
      "IBKR_TRADING_MODE is live and the gateway's login is paper",
    ],
  ] as const)('is not said where %s', async (_, accounts, settings, reason) => {
    const { port } = await startRawGateway({ accounts })
    await expect(startBridge(port, { settings })).rejects.toMatchObject({
      kind: 'login-required',
      status: 409,
      message: expect.stringContaining(reason),
    })
    const { bridge, relay } = await startBridge(port, { settings, untilReady: false })
    await until('it is connected', () => bridge.status().state === 'down')
    expect(bridge.status().reason).toContain(reason)
    await expect(relay.bars(request())).rejects.toMatchObject({ kind: 'login-required' })
  })

  it('is said of the login that was meant', async () => {
    const { port } = await startRawGateway({ accounts: 'U1234567, U7654321' })
    const { bridge } = await startBridge(port, { settings: { tradingMode: 'live', account: 'U7654321' } })
    expect(bridge.status()).toMatchObject({ mode: 'live', simulated: false, accounts: ['U*****67', 'U*****21'] })
  })

  it('waits for the gateway’s clock, so that no bar still forming passes for a closed one', async () => {
    let tellsTime = false
    const gateway = await startRawGateway({ tellsTime: () => tellsTime, nowSec: () => 1_000_000_000 })
    const clock = createFakeClock()
    const { bridge } = await startBridge(gateway.port, { untilReady: false, clock })
    const asked = () => gateway.received.filter(([id]) => id === '49').length
    await until('it asks for the time', () => asked() === 1)
    await settled()
    expect(bridge.status().state).toBe('connecting')
    tellsTime = true
    gateway.clients[0]?.send(49, 1, 1_000_000_000)
    await until('it is ready', () => bridge.status().state === 'ready')
  })
})

describe('closing', () => {
  it('finishes what is open and takes nothing new', async () => {
    const simulator = await startSimulator({ faults: { delayMs: 80 } })
    const { relay, bridge } = await startBridge(simulator.port)
    const open = relay.bars(request())
    await until('the request arrives', () => sent(simulator, 20) === 1)
    const closed = bridge.close()
    await expect(relay.bars(request({ duration: '2 D' }))).rejects.toMatchObject({
      kind: 'disconnected',
      message: 'The bridge is closing: ask again once it is back.',
    })
    expect((await open).done.bars).toBeGreaterThan(0)
    await closed
    expect(sent(simulator, 20)).toBe(1)
    await expect(relay.status()).rejects.toMatchObject({ kind: 'disconnected' })
  })

  it('does not wait for ever on a gateway that never answers', async () => {
    const simulator = await startSimulator({ faults: { silentHistory: true } })
    const { relay, bridge } = await startBridge(simulator.port, { settings: { requestTimeoutMs: 100 } })
    const open = expect(relay.bars(request())).rejects.toMatchObject({
      kind: expect.stringMatching(/timeout|disconnected/),
    })
    await until('the request arrives', () => sent(simulator, 20) === 1)
    await bridge.close()
    await open
  })

  it('does not wait for ever on a request that waits for its turn either', async () => {
    const simulator = await startSimulator()
    const clock = createFakeClock(NOW_SEC * 1000)
    // Greeting, start and clock take the second's messages: what follows waits for the next.
    const settings = { messagesPerSec: 3, requestTimeoutMs: 500 }
    const { relay, bridge } = await startBridge(simulator.port, { clock, settings })
    const waits = expect(relay.bars(request())).rejects.toMatchObject({ kind: 'disconnected' })
    await settled()
    let closed = false
    const closing = bridge.close().then(() => {
      closed = true
    })
    await clock.advance(499)
    expect(closed).toBe(false)
    await clock.advance(1)
    await closing
    await clock.advance(1000)
    await waits
    expect(sent(simulator, 20)).toBe(0)
  })

  it('leaves no timer behind', async () => {
    const simulator = await startSimulator()
    const clock = createFakeClock(NOW_SEC * 1000)
    const { relay, bridge } = await startBridge(simulator.port, { clock })
    await relay.bars(request())
    await bridge.close()
    await clock.advance(1000)
    expect(clock.pending).toBe(0)
  })

  it('does not wait for callers that keep their connection', async () => {
    const simulator = await startSimulator()
    const { bridge } = await startBridge(simulator.port, { listen: true })
    await (await fetch(`${bridge.url}/health`)).json()
    const before = performance.now()
    await bridge.close()
    expect(performance.now() - before).toBeLessThan(2000)
  })
})

describe('a port', () => {
  it('that is taken is named, with what to do', async () => {
    const simulator = await startSimulator()
    const taken = await listen(() => {})
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    await expect(createBridge({ settings: settingsFor(simulator.port, { port: taken }), log })).rejects.toMatchObject({
      kind: 'invalid',
      message: `The bridge can't listen on 127.0.0.1:${taken}: another program listens there. Set BRIDGE_PORT to a free port.`,
    })
  })
})
