import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { TidegateError, toTidegateError } from '@tidegate/core'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Clock } from '../clock.ts'
import { assertScope, type Keyring, type Scope } from '../keys.ts'
import type { Log } from '../log.ts'
import { createOutbox } from './outbox.ts'
import { createSession, type SessionParts } from './session.ts'

export const STREAM_PATH = '/v1/stream'
const MAX_FRAME_BYTES = 64 * 1024
const MOST_SOCKETS = 100
/** A peer that neither answers nor takes anything for twice this long is gone. */
const BEAT_MS = 15_000
/** WebSocket close codes: the server goes away; data of a kind that can't be accepted. */
const GOING_AWAY = 1001
const UNSUPPORTED = 1003

export interface StreamServer {
  /** Takes over a request that wants to become a WebSocket, or refuses it in HTTP. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Ends what is open on every socket and closes them; those that do not answer are cut off after `ms`. */
  close(ms: number): Promise<void>
}

export interface StreamParts extends SessionParts {
  readonly keys: Keyring
  readonly clock: Clock
  readonly log: Log
}

/** The WebSockets of the bridge: who may open one, whether its peer is still there, and its end. */
export function createStreamServer(parts: StreamParts): StreamServer {
  const { keys, clock, log, metrics, observer } = parts
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false })
  const ends = new Set<() => void>()
  let closing = false

  function serve(socket: WebSocket, scopes: ReadonlySet<Scope>): void {
    let isAlive = true
    let missed = 0
    const alive = () => {
      isAlive = true
    }
    const session = createSession(createOutbox(socket, alive), scopes, parts)
    let stopBeat = clock.after(BEAT_MS, beat)
    function beat(): void {
      missed = isAlive ? 0 : missed + 1
      isAlive = false
      stopBeat = clock.after(BEAT_MS, beat)
      if (missed < 2) socket.ping()
      else socket.terminate()
    }
    const end = () => session.end()
    ends.add(end)
    metrics.stream.sockets(1)
    socket.on('pong', alive)
    socket.on('message', (data, isBinary) => {
      alive()
      if (isBinary) socket.close(UNSUPPORTED, 'expected text')
      else session.hear(String(data))
    })
    // What the peer did wrong (too large a frame, no valid text) closes the socket, which is told next.
    socket.on('error', (error) => log.info({ reason: error.message }, 'a stream broke'))
    socket.on('close', () => {
      stopBeat()
      ends.delete(end)
      session.end()
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
