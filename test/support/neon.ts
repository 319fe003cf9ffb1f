import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { DatabaseError, Pool, type PoolClient, type QueryArrayResult } from 'pg'

/** A stand-in of Neon's SQL over HTTP in front of a real Postgres. */
export interface Neon {
  /** `http://127.0.0.1:PORT/sql` */
  readonly endpoint: string
  /** How many requests have come. */
  readonly requests: () => number
  close(): Promise<void>
}

export interface NeonStandInOptions {
  /** The Postgres behind it. Default: the one that a request's connection string names. */
  readonly url?: string
}

interface Query {
  readonly query: string
  readonly params?: readonly unknown[]
}

interface Reply {
  readonly status: number
  readonly body: object
}

/** The fields of a Postgres error that Neon passes on. */
const ERROR_FIELDS = [
  ...(['severity', 'code', 'detail', 'hint', 'position', 'internalPosition', 'internalQuery', 'where'] as const),
  ...(['schema', 'table', 'column', 'dataType', 'constraint', 'file', 'line', 'routine'] as const),
]
const ISOLATION: Readonly<Record<string, string>> = {
  ReadUncommitted: 'read uncommitted',
  ReadCommitted: 'read committed',
  RepeatableRead: 'repeatable read',
  Serializable: 'serializable',
}
/** What Postgres sent, as it sent it. */
const RAW_TYPES = { getTypeParser: () => (value: string) => value }

/**
 * Serves `POST /sql` as Neon's proxy does: one statement, or a batch in one transaction, over pooled connections;
 * a Postgres error is 400 with its fields, an unreachable database 500. `neon()` works with it unmodified.
 */
export async function startNeon({ url }: NeonStandInOptions = {}): Promise<Neon> {
  let requests = 0
  const pools = new Map<string, Pool>()
  const poolOf = (named: string) => {
    const found = pools.get(named)
    if (found) return found
    const pool = new Pool({ connectionString: named })
    // A connection that breaks is replaced when it was idle; in use it fails its query, which is where it is reported.
    pool.on('error', () => {})
    pool.on('connect', (client) => client.on('error', () => {}))
    pools.set(named, pool)
    return pool
  }
  const server = createServer(async (request, response) => {
    requests++
    const { status, body } = await answer(request, (named) => poolOf(url ?? named).connect())
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sql`,
    requests: () => requests,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      await Promise.all([...pools.values()].map((pool) => pool.end()))
    },
  }
}

async function answer(request: IncomingMessage, connect: (url: string) => Promise<PoolClient>): Promise<Reply> {
  const { method, headers } = request
  if (method !== 'POST' || request.url !== '/sql') return { status: 404, body: { message: 'not found' } }
  const named = headers['neon-connection-string']
  if (typeof named !== 'string') return { status: 400, body: { message: 'missing header neon-connection-string' } }
  let client: PoolClient | undefined
  try {
    const asked = JSON.parse(await text(request)) as Query | { readonly queries: readonly Query[] }
    client = await connect(named)
    const body =
      'queries' in asked
        ? { results: await inTransaction(client, asked.queries, headers) }
        : await run(client, asked, headers)
    return { status: 200, body }
  } catch (error) {
    return refusal(error)
  } finally {
    client?.release()
  }
}

async function run(client: PoolClient, { query, params = [] }: Query, headers: IncomingHttpHeaders) {
  const raw = headers['neon-raw-text-output'] === 'true'
  const result = await client.query({
    text: query,
    values: [...params],
    rowMode: 'array',
    ...(raw ? { types: RAW_TYPES } : {}),
  })
  const rowAsArray = headers['neon-array-mode'] === 'true'
  const { command, rowCount, fields } = result
  return { command, rowCount, fields, rowAsArray, rows: rowAsArray ? result.rows : objectsOf(result) }
}

function objectsOf({ rows, fields }: QueryArrayResult<unknown[]>): object[] {
  return rows.map((row) => Object.fromEntries(fields.map(({ name }, i) => [name, row[i]])))
}

async function inTransaction(client: PoolClient, queries: readonly Query[], headers: IncomingHttpHeaders) {
  const isolation = ISOLATION[String(headers['neon-batch-isolation-level'])]
  const modes = [
    ...(isolation ? [`isolation level ${isolation}`] : []),
    ...(headers['neon-batch-read-only'] === 'true' ? ['read only'] : []),
    ...(headers['neon-batch-deferrable'] === 'true' ? ['deferrable'] : []),
  ]
  await client.query(`begin ${modes.join(', ')}`)
  try {
    const results = []
    for (const query of queries) results.push(await run(client, query, headers))
    await client.query('commit')
    return results
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

function refusal(error: unknown): Reply {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof DatabaseError)) return { status: 500, body: { message } }
  return {
    status: 400,
    body: { message, ...Object.fromEntries(ERROR_FIELDS.map((name) => [name, error[name] ?? null])) },
  }
}
