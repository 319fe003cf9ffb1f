import { createServer, type Socket } from 'node:net'

/** A port that can be shut and opened again, with all that is connected to it. */
export interface Listener {
  /** Opens the port; resolves with its number, the same as before where it was open already. Rejects with what to do. */
  open(): Promise<number>
  /** Closes every connection. */
  drop(): void
  /** Closes every connection and the port. */
  close(): Promise<void>
}

export interface ListenerOptions {
  readonly host: string
  /** 0 takes any free one, and then keeps to it. */
  readonly port: number
  readonly serve: (socket: Socket) => void
  readonly log: (message: string, error?: unknown) => void
}

export function createListener({ host, port: wanted, serve, log }: ListenerOptions): Listener {
  const sockets = new Set<Socket>()
  let port = wanted
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serve(socket)
  })

  function drop(): void {
    for (const socket of sockets) socket.destroy()
  }

  return {
    drop,

    open: () =>
      new Promise((resolve, reject) => {
        if (server.listening) {
          resolve(port)
          return
        }
        server.once('error', (cause: NodeJS.ErrnoException) => reject(advise(cause, host, port)))
        server.listen({ host, port }, () => {
          server.removeAllListeners('error')
          server.on('error', (error) => log('The listening socket failed.', error))
          const address = server.address()
          if (typeof address === 'object' && address) port = address.port
          resolve(port)
        })
      }),

    close: () =>
      new Promise((resolve) => {
        // A second close finds the server closed already, which is what was asked for.
        server.close(() => resolve())
        drop()
      }),
  }
}

function advise(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  const advice =
    cause.code === 'EADDRINUSE'
      ? `Port ${port} on ${host} is already in use: stop the program that listens there, or choose another port (0 takes any free one).`
      : `The simulator cannot listen on ${host}:${port}: ${cause.message}`
  return new Error(advice, { cause })
}
