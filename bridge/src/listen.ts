import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { serve } from '@hono/node-server'
import { TidegateError } from '@tidegate/core'

export interface Server {
  readonly url: string
  /** Takes no more connections; resolves when the last has ended. */
  stop(): Promise<void>
  /** Ends every connection, whatever it is at. */
  hangUp(): void
}

/** Listens for HTTP, and hands over what wants to be another protocol. Throws `invalid` where the port is taken. */
export function listenOn({
  fetch,
  upgrade,
  host,
  port,
}: {
  readonly fetch: Parameters<typeof serve>[0]['fetch']
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  readonly host: string
  readonly port: number
}): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, (info) => {
      resolve({
        url: `http://${host.includes(':') ? `[${host}]` : host}:${info.port}`,
        stop: () => new Promise((done) => server.close(() => done())),
        hangUp: () => {
          if ('closeAllConnections' in server) server.closeAllConnections()
        },
      })
    })
    server.on('upgrade', upgrade)
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message
      reject(
        new TidegateError(
          'invalid',
          `The bridge can't listen on ${host}:${port}: ${why}. Set BRIDGE_PORT to a free port.`,
          { cause },
        ),
      )
    })
  })
}
