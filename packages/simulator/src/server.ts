import { createServer, type Server, type Socket } from 'node:net'
import type { Replayed } from './market/replay/load.ts'
import type { Market } from './market/types.ts'
import type { Faults, Received, Simulator, SimulatorOptions } from './simulator.ts'
import { truthOf } from './truth.ts'
import { serve } from './wire/connection.ts'
import type { Gateway } from './wire/gateway.ts'
import { MAX_SERVER_VERSION, MIN_SERVER_VERSION } from './wire/handshake.ts'

/** Messages kept for a test or a judge to read. */
const MAX_RECEIVED = 100_000

/** Opens the port and serves this market; resolves when listening, rejects with what to do where it cannot. */
export async function startServer(
  market: Market,
  options: SimulatorOptions = {},
  replayed: readonly Replayed[] = [],
): Promise<Simulator> {
  const { host = '127.0.0.1', now = Date.now, accounts = ['SIM0000001'], log = () => {} } = options
  const serverVersion = options.serverVersion ?? MAX_SERVER_VERSION
  if (!Number.isInteger(serverVersion) || serverVersion < MIN_SERVER_VERSION || serverVersion > MAX_SERVER_VERSION) {
    throw new Error(`serverVersion is ${serverVersion}; give ${MIN_SERVER_VERSION} to ${MAX_SERVER_VERSION}.`)
  }
  const faults: Faults = {
    silentHistory: false,
    dropMidReply: 0,
    refuseHistory: undefined,
    delayMs: 0,
    ...options.faults,
  }
  const received: Received[] = []
  const record = (one: Received) => {
    if (received.length >= MAX_RECEIVED) received.shift()
    received.push(one)
  }
  const gateway: Gateway = { market, now, accounts, serverVersion, faults, log, record, clientIds: new Set() }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serve(socket, gateway)
  })
  const port = await listen(server, host, options.port ?? 0)
  server.on('error', (error) => log('The listening socket failed.', error))
  return {
    host,
    port,
    faults,
    received,
    replayed,
    now,
    truth: (query) => truthOf(market, query, Math.floor(now() / 1000)),
    close: () => closeAll(server, sockets),
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === 'EADDRINUSE'
      const advice = inUse
        ? `Port ${port} on ${host} is already in use: stop the program that listens there, or choose another port (0 takes any free one).`
        : `The simulator cannot listen on ${host}:${port}: ${cause.message}`
      reject(new Error(advice, { cause }))
    })
    server.listen({ host, port }, () => {
      server.removeAllListeners('error')
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function closeAll(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    // A second close finds the server closed already, which is what was asked for.
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })
}
