import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/** Produces the bytes of one reply, perhaps over several turns of the event loop; undefined to say nothing. */
export type Reply = () => Promise<Buffer | undefined> | Buffer | undefined

interface Entry {
  readonly reply: Reply
  /** When it may go out, by `performance.now()`. */
  readonly dueMs: number
}

/** How a connection speaks, asked each time it does. */
export interface Manner {
  /** How long every reply waits, milliseconds. */
  delayMs(): number
  /** A message a write; every byte its own write, a turn of the event loop between; or what is there in one write. */
  framing(): 'whole' | 'split' | 'merged'
  /** Whether it has fallen silent: what it would say is lost. */
  isMute(): boolean
}

/** How long merged messages wait for more of them. */
const MERGE_MS = 5

/** The replies of one connection, sent in the order they were asked for, no faster than the client reads. */
export class Outbox {
  readonly #socket: Socket
  readonly #manner: Manner
  readonly #onError: (error: unknown) => void
  readonly #stop = new AbortController()
  readonly #queue: Entry[] = []
  #held: Buffer[] = []
  #running = false

  constructor(socket: Socket, manner: Manner, onError: (error: unknown) => void) {
    this.#socket = socket
    this.#manner = manner
    this.#onError = onError
    socket.once('close', () => this.#stop.abort())
  }

  /** How many replies wait for the client to read. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Sends bytes that are ready, at once where nothing waits before them. */
  send(bytes: Buffer): void {
    const isPlain = this.#manner.delayMs() === 0 && this.#manner.framing() === 'whole'
    if (isPlain && !this.#running && !this.#socket.writableNeedDrain) this.#write(bytes)
    else this.push(() => bytes)
  }

  /** Queues a reply that is made when its turn comes. */
  push(reply: Reply): void {
    if (this.#stop.signal.aborted) return
    this.#queue.push({ reply, dueMs: performance.now() + this.#manner.delayMs() })
    if (!this.#running) void this.#run()
  }

  /** Sends these bytes after everything queued, then closes the connection. */
  end(bytes?: Buffer): void {
    this.push(() => {
      this.#queue.length = 0
      this.#finish(bytes)
      return undefined
    })
  }

  /** Closes at once with part of a reply on the wire, as a gateway that dies in the middle of one. */
  breakOff(bytes: Buffer): void {
    this.#queue.length = 0
    this.#finish(bytes.subarray(0, Math.floor(bytes.length / 2)))
  }

  #finish(bytes?: Buffer): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return
    this.#stop.abort()
    this.#socket.once('finish', () => this.#socket.destroy())
    this.#socket.end(Buffer.concat([...this.#held, bytes ?? Buffer.alloc(0)]))
  }

  #write(bytes: Buffer): boolean {
    return this.#socket.writable && !this.#manner.isMute() ? this.#socket.write(bytes) : true
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      for (let entry = this.#queue.shift(); entry; entry = this.#queue.shift()) {
        // A turn between replies lets the other connections, and a cancel that is already here, come first.
        await nextTurn()
        const waitMs = entry.dueMs - performance.now()
        if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#stop.signal })
        if (this.#stop.signal.aborted) return
        await this.#deliver(entry.reply)
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#onError(error)
    } finally {
      this.#running = false
    }
  }

  async #deliver(reply: Reply): Promise<void> {
    const bytes = await reply()
    if (this.#stop.signal.aborted) return
    const framing = this.#manner.framing()
    if (framing === 'merged' || this.#held.length > 0) await this.#merge(bytes)
    else if (!bytes) return
    else if (framing === 'split') await this.#split(bytes)
    else await this.#writeOut(bytes)
  }

  async #writeOut(bytes: Buffer): Promise<void> {
    if (!this.#write(bytes)) await once(this.#socket, 'drain', { signal: this.#stop.signal })
  }

  async #split(bytes: Buffer): Promise<void> {
    for (let i = 0; i < bytes.length && !this.#stop.signal.aborted; i++) {
      await this.#writeOut(bytes.subarray(i, i + 1))
      await nextTurn()
    }
  }

  /** Holds a message back until no other follows it. */
  async #merge(bytes: Buffer | undefined): Promise<void> {
    if (bytes) this.#held.push(bytes)
    if (this.#queue.length === 0) await sleep(MERGE_MS, undefined, { signal: this.#stop.signal })
    if (this.#queue.length > 0 || this.#held.length === 0) return
    const together = Buffer.concat(this.#held)
    this.#held = []
    await this.#writeOut(together)
  }
}
