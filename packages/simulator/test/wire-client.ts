import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A TWS client of bare bytes: what it sends and reads is written out here, apart from the simulator's own codec. */
export class RawClient {
  readonly messages: string[][] = []
  readonly socket: Socket
  closed = false
  #pending = Buffer.alloc(0)
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    // Otherwise a second message waits for the first one's acknowledgement, which a silent peer delays.
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#read(Buffer.from(chunk)))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** Greets with `v100..max` and starts the API; resolves after the last start notice. */
  static async start(port: number, max = 200, clientId = 1, options = ''): Promise<RawClient> {
    const client = await RawClient.open(port)
    client.greet(`v100..${max}${options}`)
    await client.next(1)
    client.send(71, 2, clientId, '')
    await client.next(5)
    return client
  }

  greet(versions: string): void {
    this.socket.write(Buffer.concat([Buffer.from('API\0'), prefixed(Buffer.from(versions))]))
  }

  send(...fields: (string | number)[]): void {
    this.socket.write(bytesOf(...fields))
  }

  /** The next `count` messages, taken off; fewer where the connection closed first. */
  async next(count = 1): Promise<string[][]> {
    while (this.messages.length < count && !this.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.messages.splice(0, count)
  }

  /** The one next message; [] where the connection closed instead. */
  async one(): Promise<string[]> {
    return (await this.next(1))[0] ?? []
  }

  async ended(): Promise<void> {
    if (!this.closed) await once(this.socket, 'close')
  }

  end(): void {
    this.socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    while (this.#pending.length >= 4) {
      const size = this.#pending.readUInt32BE(0)
      if (this.#pending.length < 4 + size) break
      const text = this.#pending.subarray(4, 4 + size).toString('utf8')
      if (!text.endsWith('\0')) throw new Error('A message does not end in NUL.')
      this.messages.push(text.slice(0, -1).split('\0'))
      this.#pending = this.#pending.subarray(4 + size)
    }
    this.#wake()
  }
}

const prefixed = (payload: Buffer): Buffer => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(payload.length)
  return Buffer.concat([head, payload])
}

export const bytesOf = (...fields: (string | number)[]): Buffer => prefixed(Buffer.from(`${fields.join('\0')}\0`))

/** The twelve contract fields and includeExpired. */
export const contract = (
  symbol: string,
  secType: string,
  exchange: string,
  more: Record<string, string | number> = {},
) => [
  more.conId ?? 0,
  symbol,
  secType,
  more.month ?? '',
  '0.0',
  '',
  '',
  exchange,
  '',
  more.currency ?? '',
  '',
  '',
  more.expired ?? 0,
]

export interface Ask {
  readonly of?: (string | number)[]
  readonly end?: string
  readonly size?: string
  readonly duration?: string
  readonly rth?: number
  readonly what?: string
  readonly format?: number
  readonly keep?: number
}

/** Message 20 for AAPL's last 1800 seconds of minutes, unless told otherwise. */
export const history = (reqId: number, ask: Ask = {}): (string | number)[] => [
  20,
  reqId,
  ...(ask.of ?? contract('AAPL', 'STK', 'SMART', { currency: 'USD' })),
  ask.end ?? '',
  ask.size ?? '1 min',
  ask.duration ?? '1800 S',
  ask.rth ?? 1,
  ask.what ?? 'TRADES',
  ask.format ?? 2,
  ask.keep ?? 0,
  '',
]
