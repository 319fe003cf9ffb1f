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

/** The replies of one connection, sent in the order they were asked for, no faster than the client reads. */
export class Outbox {
  readonly #socket: Socket
  readonly #delayMs: () => number
  readonly #onError: (error: unknown) => void
  readonly #stop = new AbortController()
  readonly #queue: Entry[] = []
  #running = false

  constructor(socket: Socket, delayMs: () => number, onError: (error: unknown) => void) {
    this.#socket = socket
    this.#delayMs = delayMs
    this.#onError = onError
    socket.once('close', () => this.#stop.abort())
  }

  /** Sends bytes that are ready, at once where nothing waits before them. */
  send(bytes: Buffer): void {
    if (!this.#running && this.#delayMs() === 0 && !this.#socket.writableNeedDrain) this.#write(bytes)
    else this.push(() => bytes)
  }

  /** Queues a reply that is made when its turn comes. */
  push(reply: Reply): void {
    if (this.#stop.signal.aborted) return
    this.#queue.push({ reply, dueMs: performance.now() + this.#delayMs() })
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
    this.#socket.end(bytes ?? Buffer.alloc(0))
  }

  #write(bytes: Buffer): boolean {
    return this.#socket.writable ? this.#socket.write(bytes) : true
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
    if (!bytes || this.#stop.signal.aborted) return
    if (!this.#write(bytes)) await once(this.#socket, 'drain', { signal: this.#stop.signal })
  }
}
