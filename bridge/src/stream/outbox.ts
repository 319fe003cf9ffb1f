import type { WebSocket } from 'ws'

/** With so much unread by the peer, answers wait and live events are dropped. */
const FULL_BYTES = 256 * 1024
/** With so little, both go on. */
const ROOM_BYTES = 64 * 1024
/** What can't wait (errors, announcements) may go beyond; a peer that lets this much pile up is cut off. */
const MOST_BYTES = 1024 * 1024

/** What goes out on one socket. A peer that reads slowly never makes us hold more than a fixed amount for it. */
export interface Outbox {
  /** Sends what can't wait. */
  send(frame: object): void
  /** Sends unless the peer is behind; whether it did. */
  offer(frame: object): boolean
  /** The peer is behind. */
  isFull(): boolean
  /** Resolves when the peer is not behind, or at once when the signal aborts. */
  room(signal: AbortSignal): Promise<void>
  /** Calls once, when the peer is not behind any more; what it returns calls that off. */
  onRoom(call: () => void): () => void
}

/** `onProgress` is called whenever the peer has taken something. */
export function createOutbox(socket: WebSocket, onProgress: () => void): Outbox {
  const waiting = new Set<() => void>()

  function send(frame: object): void {
    if (socket.readyState !== socket.OPEN) return
    // Looked at before: one large frame is no sign of a peer that does not read.
    if (socket.bufferedAmount > MOST_BYTES) socket.terminate()
    else
      socket.send(JSON.stringify(frame), (error) => {
        if (error) return
        onProgress()
        if (socket.bufferedAmount <= ROOM_BYTES) wake()
      })
  }

  function wake(): void {
    const calls = [...waiting]
    waiting.clear()
    for (const call of calls) call()
  }

  const isFull = () => socket.bufferedAmount >= FULL_BYTES
  function onRoom(call: () => void): () => void {
    waiting.add(call)
    return () => void waiting.delete(call)
  }

  return {
    send,
    isFull,
    offer(frame) {
      if (isFull()) return false
      send(frame)
      return true
    },
    async room(signal) {
      while (isFull() && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const done = () => {
            stop()
            signal.removeEventListener('abort', done)
            resolve()
          }
          const stop = onRoom(done)
          signal.addEventListener('abort', done, { once: true })
        })
      }
    },
    onRoom,
  }
}
