import { serve } from '@hono/node-server'
import { TidegateError } from '@tidegate/core'

export interface Listener {
  readonly url: string
  /** Takes no more requests; resolves once the open ones are answered. */
  close(): Promise<void>
}

/** Serves `fetch` on a TCP port; 0 is any free one. Throws `invalid` where the address can't be listened on. */
export function listenOn(
  fetch: (request: Request) => Promise<Response> | Response,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, (info) => {
      resolve({
        url: `http://${host.includes(':') ? `[${host}]` : host}:${info.port}`,
        close: () => new Promise((done) => server.close(() => done())),
      })
    })
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message
      reject(
        new TidegateError(
          'invalid',
          `The functions can't listen on ${host}:${port}: ${why}. Set FUNCTIONS_PORT to a free port.`,
          { cause },
        ),
      )
    })
  })
}
