import { TidegateError } from '@tidegate/core'

/** As much of a WebSocket as the stream needs; that of browsers, of `ws` and of Workers alike. */
export interface StreamSocket {
  send(text: string): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'message', hear: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close' | 'error' | 'open', hear: (event: { readonly reason?: string }) => void): void
}

/** Opens a WebSocket; resolves when it is open. The headers carry the key, so they have to be sent. */
export type Connect = (url: string, headers: Readonly<Record<string, string>>) => Promise<StreamSocket>

/** Opens WebSockets as Workers do it: a request that is answered by the socket. */
export function connectByFetch(fetch: (request: Request) => Promise<Response>): Connect {
  return async (url, headers) => {
    const response = await fetch(new Request(url, { headers: { ...headers, upgrade: 'websocket' } }))
    const { webSocket } = response as Response & { webSocket?: (StreamSocket & { accept(): void }) | null }
    if (!webSocket) {
      const text = (await response.text()).slice(0, 200)
      throw new TidegateError('disconnected', `The bridge at ${url} opened no stream: ${response.status} ${text}`)
    }
    webSocket.accept()
    return webSocket
  }
}

/** A socket that is being opened, once it is: `opened(new WebSocket(url, { headers }))` with the `ws` package. */
export function opened(socket: StreamSocket): Promise<StreamSocket> {
  return new Promise((resolve, reject) => {
    const fail = (event: { readonly reason?: string; readonly message?: string }) =>
      reject(new TidegateError('disconnected', `The stream did not open: ${event.message || event.reason || 'closed'}`))
    socket.addEventListener('open', () => resolve(socket))
    socket.addEventListener('error', fail)
    socket.addEventListener('close', fail)
  })
}
