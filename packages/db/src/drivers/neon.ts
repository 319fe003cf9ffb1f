import { neon, neonConfig } from '@neondatabase/serverless'
import { TidegateError } from '@tidegate/core'
import { drizzle } from 'drizzle-orm/neon-http'
import { type Database, type Orm, placeOf, rowsOf } from '../database.ts'
import * as schema from '../schema/index.ts'

export interface NeonOptions {
  /**
   * Where the SQL-over-HTTP endpoint of the URL's host and port is, when it is not Neon's own:
   * `http://127.0.0.1:4444/sql`. It holds for that host in this whole process; the endpoint given last counts.
   */
  readonly endpoint?: string
}

/** Endpoints by `host:port`. The driver knows one endpoint function for the process, so that function looks here. */
const endpoints = new Map<string, string>()

/** A Neon database over HTTP: one round trip a statement, from anywhere that has `fetch`. Throws `invalid` for a URL that is none. */
export function openNeon(url: string, { endpoint }: NeonOptions = {}): Database {
  const place = placeOf(url)
  if (endpoint !== undefined) useEndpoint(url, endpoint)
  const orm: Orm = drizzle({ client: neon(url), schema })
  return {
    driver: 'neon',
    orm,
    rows: (statement) => rowsOf(orm, statement, place),
    async migrate() {
      throw new TidegateError(
        'invalid',
        'Migrations need a session, which SQL over HTTP has none of: run `tidegate migrate`, which connects over TCP.',
      )
    },
    async close() {},
  }
}

function useEndpoint(url: string, endpoint: string): void {
  const { hostname, port } = new URL(url)
  if (endpoints.size === 0) {
    const neonsOwn = neonConfig.fetchEndpoint
    neonConfig.fetchEndpoint = (host, ofPort, options) =>
      endpoints.get(`${host}:${ofPort}`) ?? (typeof neonsOwn === 'string' ? neonsOwn : neonsOwn(host, ofPort, options))
  }
  endpoints.set(`${hostname}:${port}`, endpoint)
}
