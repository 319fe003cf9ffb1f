import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundle, type TargetName } from '../../scripts/bundle.ts'
import { freePort, type Postgres, startPostgres } from '../support/postgres.ts'

const BRIDGE_KEY = 'bridge-key-of-the-deployment-test-0123'
const TIDEGATE_KEY = 'tidegate-key-of-the-deployment-test-01'

let dist = ''
let postgres: Postgres
const running: ChildProcess[] = []
beforeAll(async () => {
  dist = await mkdtemp(path.join(tmpdir(), 'tidegate-deployed-'))
  postgres = await startPostgres()
})
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  await postgres?.close()
  await rm(dist, { recursive: true, force: true })
})

/** Bundles a program and runs it far from the source, as an image does: with this environment and no packages. */
async function run(
  name: TargetName,
  env: Readonly<Record<string, string>>,
  untilItSays: string,
): Promise<ChildProcess> {
  const { file } = await bundle(name, dist)
  const child = spawn(process.execPath, [file], { cwd: dist, env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const hear = (bytes: Buffer) => {
      said += bytes
      if (said.includes(untilItSays)) resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}:\n${said}`)))
  })
  return child
}

async function ask(port: number, route: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}${route}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${TIDEGATE_KEY}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  return (await response.json()) as Record<string, unknown>
}

async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 50))
}

describe('what is deployed', () => {
  it('runs as bundles alone: simulator, bridge and functions on a Postgres, from a request to rows', async () => {
    const [gatewayPort, bridgePort, port] = [await freePort(), await freePort(), await freePort()]
    const databaseUrl = await postgres.freshDatabase()
    await run('simulator', { SIMULATOR_PORTS: String(gatewayPort) }, 'listening')
    const bridge = await run(
      'bridge',
      { IBKR_PORT: String(gatewayPort), BRIDGE_PORT: String(bridgePort), BRIDGE_KEY },
      'the bridge listens',
    )
    const functions = await run(
      'functions',
      {
        BRIDGE_URL: `http://127.0.0.1:${bridgePort}`,
        BRIDGE_KEY,
        TIDEGATE_KEY,
        DATABASE_URL: databaseUrl,
        FUNCTIONS_PORT: String(port),
      },
      'the functions listen',
    )
    await until(async () => JSON.stringify(await ask(port, '/v1/status')).includes('"state":"ready"'))

    const body = { instruments: ['AAPL.NASDAQ'], specs: ['5MIN'], start: '2024-01-02', end: '2024-01-06' }
    const { id } = await ask(port, '/v1/runs', body)
    await until(async () => (await ask(port, `/v1/runs/${id}`)).state !== 'open')

    expect(await ask(port, `/v1/runs/${id}`)).toMatchObject({ state: 'done', bars: 4 * 78 })
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    const { rows } = await client.query('select count(*)::int as bars, min(ts) as "from" from market_data')
    await client.end()
    expect(rows).toEqual([{ bars: 4 * 78, from: new Date('2024-01-02T14:30:00Z') }])

    for (const child of [functions, bridge]) {
      child.kill('SIGTERM')
      expect(await once(child, 'exit')).toEqual([0, null])
    }
  })
})
