import { createServer, type Socket } from 'node:net'
import { onEnd } from './rig.ts'

/** What a scripted gateway does with one message; the handshake, the start and the clock are answered already. */
export type Script = (client: Client, fields: readonly string[]) => void

export interface Client {
  readonly socket: Socket
  send(...fields: readonly (string | number)[]): void
}

export interface RawGateway {
  readonly port: number
  readonly clients: readonly Client[]
  /** Messages of every connection, in the order they came. */
  readonly received: readonly (readonly string[])[]
}

export interface RawOptions {
  readonly script?: Script
  readonly accounts?: string
  readonly serverVersion?: number
  /** Epoch seconds the gateway says it is. */
  readonly nowSec?: () => number
  /** Whether it tells the time when asked. */
  readonly tellsTime?: () => boolean
}

/** A frame of the protocol: fields that end in NUL, behind their length. */
export function frame(...fields: readonly (string | number)[]): Buffer {
  const payload = Buffer.from(fields.map((field) => `${field}\0`).join(''))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(payload.length)
  return Buffer.concat([length, payload])
}

/** A gateway that says what a test tells it to, for what no real one and no simulator would say. */
export async function startRawGateway(options: RawOptions = {}): Promise<RawGateway> {
  const { script = () => {}, accounts = 'SIM0000001', serverVersion = 178 } = options
  const { nowSec = () => Math.floor(Date.now() / 1000), tellsTime = () => true } = options
  const clients: Client[] = []
  const received: (readonly string[])[] = []
  const server = createServer((socket) => {
    const client: Client = { socket, send: (...fields) => void socket.write(frame(...fields)) }
    clients.push(client)
    socket.on('error', () => socket.destroy())
    let buffer = Buffer.alloc(0)
    let greeted = false
    socket.on('data', (bytes) => {
      buffer = Buffer.concat([buffer, bytes])
      if (!greeted) {
        if (buffer.length < 8 || buffer.length < 8 + buffer.readUInt32BE(4)) return
        buffer = buffer.subarray(8 + buffer.readUInt32BE(4))
        greeted = true
        client.send(serverVersion, '20260408 18:00:00 Coordinated Universal Time')
      }
      while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE(0)) {
        const end = 4 + buffer.readUInt32BE(0)
        const fields = buffer.toString('utf8', 4, end).split('\0').slice(0, -1)
        buffer = buffer.subarray(end)
        received.push(fields)
        if (fields[0] === '71') {
          client.send(15, 1, accounts)
          client.send(9, 1, 1)
        } else if (fields[0] === '49' && tellsTime()) client.send(49, 1, nowSec())
        script(client, fields)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onEnd(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const { socket } of clients) socket.destroy()
      }),
  )
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The raw gateway got no port.')
  return { port: address.port, clients, received }
}
