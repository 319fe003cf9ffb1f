import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Somebody who is told: keeps what comes, and answers as it is set to. */
export interface Receiver {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly received: Received[]
  /** What a request to this path is answered with: a status, or whatever a function does. Default 204. */
  readonly answers: Map<string, number | ((response: ServerResponse) => void)>
  /** The bodies that came to a path, read as JSON. */
  bodies(
    path: string,
  ): { readonly id: string; readonly type: string; readonly timestamp: string; readonly data: object }[]
  close(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const answers: Receiver['answers'] = new Map()
  const server = createServer(async (request, response) => {
    const path = request.url ?? ''
    received.push({ path, headers: request.headers, body: await text(request) })
    const answer = answers.get(path) ?? 204
    if (typeof answer === 'function') answer(response)
    else response.writeHead(answer).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answers,
    bodies: (path) => received.filter((one) => one.path === path).map(({ body }) => JSON.parse(body)),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
