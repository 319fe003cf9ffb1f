import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { TidegateError, toTidegateError } from '@tidegate/core'
import { type WebSocket, WebSocketServer } from 'ws'
import { assertScope, type Keyring, type Scope } from '../keys.ts'
import type { Log } from '../log.ts'
import type { Shelf } from '../shelf.ts'
import { createOutbox } from './outbox.ts'
import { createSession, type SessionParts } from './session.ts'

export const STREAM_PATH = '/v1/stream'
const MAX_FRAME_BYTES = 64 * 1024
const MOST_SOCKETS = 100
/** A peer that neither answers a ping nor takes anything for twice this long is gone. */
const BEAT_MS = 15_000
/** Pings of a peer's between two of ours; who sends more means no good. */
const MOST_PINGS = 1000
/** WebSocket close codes: the server goes away; data of a kind that can't be accepted; too many pings. */
const GOING_AWAY = 1001
const UNSUPPORTED = 1003
const POLICY = 1008

export interface StreamServer {
  /** Takes over a request that wants to become a WebSocket, or refuses it in HTTP. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Ends what is open on every socket and closes them; those that do not answer are cut off after `ms`. */
  close(ms: number): Promise<void>
}

export interface StreamParts extends SessionParts {
  readonly keys: Keyring
  readonly log: Log
  readonly shelf: Shelf
}

/** The WebSockets of the bridge: who may open one, whether its peer is still there, and its end. */
export function createStreamServer(parts: StreamParts): StreamServer {
  const { keys, clock, log, metrics, observer, shelf } = parts
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    // Ours is answered when there is room: a peer that pings and does not read would fill the memory.
    autoPong: false,
  })
  const ends = new Set<() => void>()
  let closing = false

  function serve(socket: WebSocket, scopes: ReadonlySet<Scope>): void {
    let isAlive = true
    let missed = 0
    let pings = 0
    let unanswered: Buffer | undefined
    /** The last pings that it has not answered. */
    const questions: string[] = []
    const reader = shelf.reader(() => {
      log.warn({}, 'a stream was cut off: it had not read for the longest, and too much was held for all')
      socket.terminate()
    })
    const alive = () => {
      isAlive = true
      reader.took()
    }
    const outbox = createOutbox(socket, alive)
    const session = createSession(outbox, reader, scopes, parts)
    let stopBeat = clock.after(BEAT_MS, beat)
    function beat(): void {
      missed = isAlive ? 0 : missed + 1
      isAlive = false
      pings = 0
      stopBeat = clock.after(BEAT_MS, beat)
      if (missed >= 2) socket.terminate()
      else {
        const question = parts.newId()
        questions.splice(0, questions.length - 2)
        questions.push(question)
        socket.ping(question)
      }
    }
    /** Of several pings that wait, only the last need be answered (RFC 6455, 5.5.3). */
    function pong(): void {
      if (unanswered) socket.pong(unanswered)
      unanswered = undefined
    }
    socket.on('ping', (data) => {
      if (++pings > 2 * MOST_PINGS) socket.terminate()
      if (pings > MOST_PINGS) return socket.close(POLICY, 'too many pings')
      const isWaiting = unanswered !== undefined
      unanswered = data
      if (!outbox.isFull()) pong()
      else if (!isWaiting) outbox.onRoom(pong)
    })
    const end = () => session.end()
    ends.add(end)
    metrics.stream.sockets(1)
    // Whoever answers what was not asked may not be reading at all.
    socket.on('pong', (data) => {
      const at = questions.indexOf(String(data))
      if (at < 0) return
      questions.splice(0, at + 1)
      alive()
    })
    socket.on('message', (data, isBinary) => {
      if (isBinary) socket.close(UNSUPPORTED, 'expected text')
      else session.hear(String(data))
    })
    // What the peer did wrong (too large a frame, no valid text) closes the socket, which is told next.
    socket.on('error', (error) => log.info({ reason: error.message }, 'a stream broke'))
    socket.on('close', () => {
      stopBeat()
      ends.delete(end)
      session.end()
      reader.leave()
      metrics.stream.sockets(-1)
    })
  }

  /** The scopes of whoever asks. Throws where nobody may come in. */
  function admit({ url = '', headers }: IncomingMessage): ReadonlySet<Scope> {
    if (url.split('?')[0] !== STREAM_PATH) throw new TidegateError('not-found', `There is no WebSocket at ${url}.`)
    assertScope(keys, headers.authorization, 'read')
    if (closing) throw new TidegateError('disconnected', 'The bridge is closing: ask again once it is back.')
    if (server.clients.size >= MOST_SOCKETS)
      throw new TidegateError('busy', `${MOST_SOCKETS} streams are open, which is the most: close one.`)
    return keys.scopesOf(headers.authorization)
  }

  return {
    upgrade(request, socket, head) {
      // Until the socket is a WebSocket, what goes wrong with it is nobody's.
      const onError = (error: Error) => log.info({ reason: error.message }, 'a stream broke before it began')
      socket.on('error', onError)
      try {
        const scopes = admit(request)
        server.handleUpgrade(request, socket, head, (webSocket) => {
          socket.off('error', onError)
          serve(webSocket, scopes)
        })
      } catch (cause) {
        const error = toTidegateError(cause)
        observer.refused(error, { path: request.url?.split('?')[0] })
        refuse(socket, error)
      }
    },
    async close(ms) {
      closing = true
      const gone = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const end of ends) end()
      for (const socket of server.clients) socket.close(GOING_AWAY, 'the bridge closes')
      const stopTimer = clock.after(ms, () => {
        for (const socket of server.clients) socket.terminate()
      })
      await gone
      stopTimer()
    },
  }
}

function refuse(socket: Duplex, error: TidegateError): void {
  const body = JSON.stringify({ error: error.toJSON() })
  socket.end(
    `HTTP/1.1 ${error.status} ${error.kind}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
