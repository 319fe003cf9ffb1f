import type { BarColumns } from '@tidegate/core'
import { assertAllowed } from './allowlist.ts'
import { createFrameReader, messageId } from './frames.ts'
import { decodeHistory } from './history.ts'

const HISTORICAL_DATA = 17
const TICK_REQ_PARAMS = 81

/** The parts of @stoqey/ib's socket that we take over. Private there: the exact version is pinned and a test watches over them. */
export interface LibrarySocket {
  onData: (bytes: Buffer) => void
  onMessage: (text: string) => void
  client?: {
    write: (bytes: Uint8Array, ...rest: never[]) => boolean
    destroy(error?: Error): void
    once(event: 'connect', run: () => void): void
  }
}

/** What we read in the library's stead. */
export interface WireListener {
  /** A reply begins. False where nobody waits for it: its bars are then not decoded. */
  begin(requestId: number): boolean
  bars(requestId: number, bars: BarColumns): void
  end(requestId: number): void
  /** Message 81: the library reads its price step as a whole number, which makes 0 of 0.01. */
  minTick(requestId: number, minTick: number): void
  /** This one reply can't be read; the stream can. */
  unreadable(requestId: number, error: unknown): void
  /** The stream can't be read: the connection is of no more use. */
  broken(error: unknown): void
}

/**
 * Takes the library's socket over on its way in: frames are cut by us, historical replies decoded by us in slices that
 * let the event loop breathe, and everything else handed to the library. Its own decoder takes time in the square of a message.
 */
export function takeOverReading(socket: LibrarySocket, listener: WireListener): void {
  const read = createFrameReader()
  const waiting: Buffer[] = []
  let busy = false

  async function drain(): Promise<void> {
    busy = true
    try {
      for (let frame = waiting.shift(); frame; frame = waiting.shift()) {
        if (messageId(frame) === HISTORICAL_DATA) await history(frame)
        else other(frame.toString('utf8'))
      }
    } catch (error) {
      waiting.length = 0
      listener.broken(error)
    } finally {
      busy = false
    }
  }

  function other(text: string): void {
    if (text.startsWith(`${TICK_REQ_PARAMS}\0`)) {
      const [, requestId, minTick] = text.split('\0')
      listener.minTick(Number(requestId), Number(minTick))
    }
    socket.onMessage(text)
  }

  async function history(frame: Buffer): Promise<void> {
    const parts = decodeHistory(frame)
    const head = parts.next().value
    if (!head || !('requestId' in head) || !listener.begin(head.requestId)) return
    const { requestId } = head
    try {
      for (const bars of parts) {
        if ('t' in bars) listener.bars(requestId, bars)
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
    } catch (error) {
      return listener.unreadable(requestId, error)
    }
    listener.end(requestId)
  }

  socket.onData = (bytes) => {
    try {
      waiting.push(...read(bytes))
    } catch (error) {
      return listener.broken(error)
    }
    if (!busy) void drain()
  }
}

/** Puts the allow-list on the last step before the wire: the bytes that the library writes to its TCP socket. */
export function guardWriting(socket: LibrarySocket): void {
  const { client } = socket
  if (!client) throw new Error('The library made no TCP socket: its version is not the pinned one.')
  const write = client.write.bind(client)
  client.write = (bytes, ...rest) => {
    assertAllowed(bytes)
    return write(bytes, ...rest)
  }
}
