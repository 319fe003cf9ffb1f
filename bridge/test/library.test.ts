import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { IBApi, type Contract as IbContract, type Order } from '@stoqey/ib'
import { afterEach, describe, expect, it } from 'vitest'
import { ALLOWED, assertAllowed } from '../src/allowlist.ts'
import { guardWriting, type LibrarySocket } from '../src/link.ts'
import { frame } from './gateway.ts'
import { AAPL, endAll, onEnd, sent, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

const PINNED = '1.6.10'
const ADVICE =
  '@stoqey/ib has changed. gateway.ts and link.ts take over private parts of its socket: read its dist/core/io/socket.js ' +
  '(onData, onMessage, client, connect, send) against bridge/src/link.ts, mend what differs, then pin the new version here and in bridge/package.json.'
const SOURCE = new URL('../src/', import.meta.url)

const socketOf = (ib: IBApi) => (ib as unknown as { controller: { socket: LibrarySocket } }).controller.socket

/** A plain client of the library, connected, with the bridge's guard on its socket. */
async function guarded(port: number, clientId: number): Promise<IBApi> {
  const ib = new IBApi({ host: '127.0.0.1', port, clientId, maxReqPerSec: 1_000_000 })
  onEnd(() => void ib.disconnect())
  let ready = false
  ib.on('nextValidId' as never, () => {
    ready = true
  })
  ib.connect()
  guardWriting(socketOf(ib))
  await until('the library connects', () => ready)
  return ib
}

describe('@stoqey/ib', () => {
  it('is the version whose private parts are known', () => {
    const { version } = createRequire(import.meta.url)('@stoqey/ib/package.json') as { version: string }
    const wanted = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).dependencies[
      '@stoqey/ib'
    ]
    expect([version, wanted], ADVICE).toEqual([PINNED, PINNED])
  })

  it('reads what comes through socket.onData, and hands messages to socket.onMessage', async () => {
    const simulator = await startSimulator()
    const ib = new IBApi({ host: '127.0.0.1', port: simulator.port, clientId: 7 })
    onEnd(() => void ib.disconnect())
    const socket = socketOf(ib)
    expect([typeof socket?.onData, typeof socket?.onMessage], ADVICE).toEqual(['function', 'function'])
    const heard: string[] = []
    const { onMessage } = socket
    socket.onMessage = (text) => {
      heard.push(text)
      onMessage.call(socket, text)
    }
    let bytes = 0
    const { onData } = socket
    socket.onData = (data) => {
      bytes += data.length
      onData.call(socket, data)
    }
    ib.connect()
    await until('the farm notices', () => heard.some((text) => text.includes('2158')))
    expect(bytes, ADVICE).toBe(heard.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0))
    expect(heard[0], ADVICE).toMatch(/^\d+\0/)
    expect(heard.at(-1), ADVICE).toMatch(/\0$/)
  })

  it('writes through socket.client.write, one frame a call, and makes client when it connects', async () => {
    const simulator = await startSimulator()
    const ib = new IBApi({ host: '127.0.0.1', port: simulator.port, clientId: 7 })
    onEnd(() => void ib.disconnect())
    const socket = socketOf(ib)
    expect(socket.client, ADVICE).toBeUndefined()
    ib.connect()
    const { client } = socket
    expect(typeof client?.write, ADVICE).toBe('function')
    expect(typeof client?.destroy, ADVICE).toBe('function')
    if (!client) return
    const written: Buffer[] = []
    const write = client.write.bind(client)
    client.write = (bytes, ...rest) => {
      written.push(Buffer.from(bytes))
      return write(bytes, ...rest)
    }
    await until('the start message', () => sent(simulator, 71) === 1)
    expect(
      written.map((bytes) => bytes.toString('latin1', 0, 4)),
      ADVICE,
    ).toEqual(['API\0', '\0\0\0\x08'])
  })

  it('is touched by the gateway’s files alone', () => {
    const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
    const users = files.flatMap((name) => {
      const imports = readFileSync(new URL(name, SOURCE), 'utf8').match(/^import\b[^'"]*['"]@stoqey\/ib/gm) ?? []
      return imports.map((line) => `${name}: ${line.startsWith('import type') ? 'types' : 'values'}`)
    })
    expect(users.filter((user) => !/^gateway(\/|\.ts)/.test(user))).toEqual([])
    expect(users.some((user) => user.endsWith('values'))).toBe(true)
  })
})

describe('the allow-list', () => {
  it('lets nothing of the library out but what reads market data', async () => {
    const simulator = await startSimulator()
    const contract: IbContract = {
      conId: 1,
      symbol: 'AAPL',
      secType: 'STK' as never,
      exchange: 'SMART',
      currency: 'USD',
    }
    const order = { action: 'BUY', orderType: 'LMT', totalQuantity: 1, lmtPrice: 1, tif: 'DAY' } as unknown as Order
    const own: Record<string, unknown[]> = {
      placeOrder: [1, contract, order],
      placeNewOrder: [contract, order],
      cancelOrder: [1, ''],
      cancelAllOrders: [],
      reqGlobalCancel: [{ manualOrderCancelTime: '' }],
      exerciseOptions: [1, contract, 1, 1, 'DU1', 1],
      reqExecutions: [1, {}],
      reqContractDetails: [1, contract],
    }
    const prototype = IBApi.prototype as unknown as Record<string, (...args: unknown[]) => unknown>
    const names = Object.getOwnPropertyNames(prototype).filter((name) => {
      const { value } = Object.getOwnPropertyDescriptor(prototype, name) ?? {}
      return (
        typeof value === 'function' && !['constructor', 'connect', 'disconnect', 'disableUseV100Plus'].includes(name)
      )
    })
    const refused: number[] = []
    let clientId = 0
    let alive = 0
    for (const name of names) {
      for (const args of [own[name] ?? [1, contract, 1, 1, 1, 1, 1, 1, 1, 1], [1, 1, '', '', '', '', '', 1, '', '']]) {
        // What throws leaves the library's queue stuck: every call has a client of its own.
        const ib = await guarded(simulator.port, clientId++)
        try {
          const made = prototype[name]?.apply(ib, args)
          if (made instanceof Promise) made.catch(() => {})
          ib.reqCurrentTime()
          alive++
        } catch (error) {
          const id = /^Message (\S+) may not leave/.exec((error as Error).message)?.[1]
          if (id !== undefined) refused.push(Number(id))
        }
      }
    }
    await until('the messages arrive', () => sent(simulator, 49) >= alive)
    expect(names.length).toBeGreaterThan(60)
    // 3 place, 4 cancel, 5 open orders, 15 all, 16 auto-bind, 21 exercise, 58 cancel all: of each, the bytes were made and refused.
    expect(new Set(refused)).toEqual(new Set([...refused, 3, 4, 5, 15, 16, 21, 58]))
    const arrived = new Set(simulator.received.map((one) => one.messageId))
    expect([...arrived].filter((id) => !ALLOWED.has(id))).toEqual([])
  })

  it('refuses bytes that are not one allowed frame', () => {
    expect(() => assertAllowed(frame(49, 1))).not.toThrow()
    expect(() => assertAllowed(Buffer.from('API\0\0\0\0\tv100..193'))).not.toThrow()
    const refused = [
      frame(3, 1),
      Buffer.concat([frame(49, 1), frame(3, 1)]),
      frame(49, 1).subarray(1),
      Buffer.from('3\x001\0'),
      frame('', 3),
      frame('049', 1).subarray(0, 6),
      Buffer.alloc(0),
    ]
    for (const bytes of refused) expect(() => assertAllowed(bytes)).toThrow('may not leave the bridge')
  })

  it('refuses a greeting that carries more than a greeting', () => {
    const greeting = Buffer.from('API\0\0\0\0\tv100..193')
    expect(() => assertAllowed(Buffer.concat([greeting, frame(3, 1)]))).toThrow('may not leave the bridge')
  })

  it('is all that a working bridge sends', async () => {
    const simulator = await startSimulator()
    const { relay } = await startBridge(simulator.port)
    await relay.contracts({ contract: AAPL })
    expect(simulator.received.every((one) => ALLOWED.has(one.messageId))).toBe(true)
  })
})
