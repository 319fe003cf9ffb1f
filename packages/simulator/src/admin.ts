import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type GatewayEvent, readEvent } from './events.ts'
import { FaultError, isRecord, readFaults } from './faults/read.ts'
import { FAULTS } from './faults/table.ts'
import type { Faults } from './faults.ts'
import type { Violation } from './judge.ts'
import type { MarketEvents } from './market/events.ts'

/** The simulator as its admin sees it. */
export interface Administered {
  readonly faults: Faults
  readonly marketEvents: MarketEvents
  readonly violations: readonly Violation[]
  now(): number
  event(event: GatewayEvent): Promise<void>
}

export interface Admin {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

const MAX_BODY_BYTES = 65_536

interface Answer {
  readonly status: number
  readonly body: unknown
}

/**
 * Serves the faults of a running simulator as JSON over HTTP: `GET /faults`, `PATCH /faults`, `POST /events`,
 * `GET /violations`. It has no key and so belongs on loopback; a body must be said to be JSON, which no form of
 * a web page can. Rejects where the port cannot be opened.
 */
export function serveAdmin(
  simulator: Administered,
  { host = '127.0.0.1', port }: { host?: string; port: number },
): Promise<Admin> {
  const server = createServer(async (request, response) => {
    const { status, body } = await answer(simulator, request)
    response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
  })
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`The admin interface cannot listen on ${host}:${port}: ${cause.message}`, { cause })),
    )
    server.listen({ host, port }, () => {
      const address = server.address()
      resolve({
        host,
        port: typeof address === 'object' && address ? address.port : port,
        close: () => closeServer(server),
      })
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function answer(simulator: Administered, request: IncomingMessage): Promise<Answer> {
  const { faults, violations } = simulator
  try {
    switch (`${request.method} ${request.url}`) {
      case 'GET /faults':
        return { status: 200, body: { ...stateOf(simulator), known: FAULTS } }
      case 'PATCH /faults': {
        const given = await bodyOf(request)
        if (!isRecord(given)) throw new FaultError('Expected an object of faults, such as {"delayMs": 250}.')
        Object.assign(faults, readFaults(given))
        return { status: 200, body: stateOf(simulator) }
      }
      case 'POST /events': {
        await simulator.event(readEvent(await bodyOf(request)))
        return { status: 200, body: stateOf(simulator) }
      }
      case 'GET /violations':
        return { status: 200, body: { atMs: simulator.now(), violations } }
      default:
        return { status: 404, body: { error: 'Known are GET and PATCH /faults, POST /events, GET /violations.' } }
    }
  } catch (error) {
    const status = error instanceof FaultError ? 400 : 500
    return { status, body: { error: error instanceof Error ? error.message : String(error) } }
  }
}

/** JSON has no undefined: what is not set is null, which takes it back as well. */
function stateOf({ faults, marketEvents }: Administered): object {
  const { refuse = null, refuseHistory = null } = faults
  const { splits, settlementDelaySec = null } = marketEvents
  return { faults: { ...faults, refuse, refuseHistory }, market: { splits, settlementDelaySec } }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new FaultError('Expected a body of content-type application/json.')
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_BODY_BYTES) throw new FaultError(`The body exceeds ${MAX_BODY_BYTES} bytes.`)
    chunks.push(bytes)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (cause) {
    throw new FaultError('The body is not JSON.', { cause })
  }
}
