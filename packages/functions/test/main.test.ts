import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createStore, openTcp } from '@tidegate/db'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Postgres, startPostgres } from '../../../test/support/postgres.ts'
import type { StartedAnswer } from '../src/index.ts'
import { type Gateway, historyRequests, KEY, openGateway } from './world.ts'

const until = (check: () => unknown) => vi.waitFor(check, { timeout: 15_000, interval: 20 })

let postgres: Postgres
let gateway: Gateway & { readonly key: string }
let url = ''
const children = new Set<ChildProcess>()
beforeAll(async () => {
  ;[postgres, gateway] = await Promise.all([startPostgres(), openGateway({ now: Date.now }, { listen: true })])
  url = await postgres.freshDatabase()
}, 60_000)
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await gateway?.close()
  await postgres?.close()
})

function environment(): Record<string, string> {
  return {
    DATABASE_URL: url,
    BRIDGE_URL: gateway.bridge.url ?? '',
    BRIDGE_KEY: gateway.key,
    TIDEGATE_KEY: KEY,
    FUNCTIONS_PORT: '0',
  }
}

interface Process {
  readonly child: ChildProcess
  /** Everything it has written so far. */
  readonly said: () => string
  /** Its status and the signal that ended it. */
  readonly ended: Promise<unknown[]>
}

function start(env: Record<string, string>): Process {
  const main = `${import.meta.dirname}/../src/main.ts`
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      said += data
    })
  }
  return { child, said: () => said, ended: once(child, 'close') }
}

describe('the functions as a process', () => {
  it('make their schema, listen, and at SIGTERM finish the chunk under way', async () => {
    const { child, said, ended } = start(environment())
    await until(() => expect(said()).toContain('the functions listen'))
    const { url: address } = JSON.parse(
      said()
        .split('\n')
        .find((line) => line.includes('the functions listen')) ?? '',
    )
    expect((await fetch(`${address}/health`)).status).toBe(200)

    gateway.simulator.faults.delayMs = 400
    const answer = await fetch(`${address}/v1/runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ instruments: ['AAPL.NASDAQ'], specs: ['1HOUR'], start: '2026-03-02', end: '2026-03-07' }),
    })
    expect(answer.status).toBe(202)
    const { id, chunks } = (await answer.json()) as StartedAnswer
    await until(() => expect(historyRequests(gateway.simulator)).toBe(1))
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    expect(said()).toContain('finishing what is under way')

    const database = openTcp(url)
    const run = await createStore(database).run(id)
    await database.close()
    expect(run).toMatchObject({ state: 'done', chunks: { done: chunks, leased: 0, queued: 0 } })
    await expect(fetch(`${address}/health`)).rejects.toThrow()
  }, 30_000)

  it('say everything that is wrong with their settings, and end', async () => {
    const { said, ended } = start({ ...environment(), BRIDGE_KEY: '', FUNCTIONS_PORT: 'eighty' })
    expect(await ended).toEqual([1, null])
    expect(said()).toMatch(/BRIDGE_KEY[\s\S]*FUNCTIONS_PORT|FUNCTIONS_PORT[\s\S]*BRIDGE_KEY/)
  })

  it('say that nobody answers where the database should be, and never its password', async () => {
    const gone = new URL(url)
    gone.port = '1'
    const { said, ended } = start({ ...environment(), DATABASE_URL: gone.href })
    expect(await ended).toEqual([1, null])
    expect(said()).toContain('DATABASE_URL')
    expect(said()).not.toContain(gone.password)
  })
})
