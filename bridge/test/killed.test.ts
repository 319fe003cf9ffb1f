import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type BarsRequest, createRelay } from '@tidegate/relay'
import { createSimulator } from '@tidegate/simulator'
import { afterEach, expect, it } from 'vitest'
import { hasRedis, startRedis } from './redis.ts'
import { endAll, KEY, onEnd, sent, until } from './rig.ts'

afterEach(endAll)

const MAIN = new URL('../src/main.ts', import.meta.url).pathname
const SYMBOLS = ['AAPL', 'MSFT', 'NVDA', 'AMZN', 'TSLA', 'META', 'AMD', 'NFLX', 'IBM', 'KO', 'JPM', 'SPY'] as const
const KINDS = ['TRADES', 'MIDPOINT', 'BID', 'ASK'] as const
const DAY_SEC = 86_400

/** The nth of requests for five-second bars that are all different: so many contracts and kinds in turn that only the ten-minute rule binds. */
function smallBars(n: number): BarsRequest {
  const symbol = SYMBOLS[n % SYMBOLS.length] ?? 'AAPL'
  return {
    contract: { symbol, secType: 'STK', exchange: 'SMART', currency: 'USD' },
    barSize: '5 secs',
    whatToShow: KINDS[Math.floor(n / SYMBOLS.length) % KINDS.length] ?? 'TRADES',
    hours: 'all',
    end: Math.floor(Date.now() / 1000 / DAY_SEC) * DAY_SEC - 7 * DAY_SEC - n * 60,
    duration: '60 S',
    priority: 'backfill',
    waitMs: 20_000,
  }
}

async function run(env: Record<string, string>): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, BRIDGE_KEY: KEY, BRIDGE_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onEnd(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout?.on('data', (bytes) => {
    output += bytes
  })
  await until('it is connected', () => /connected to the gateway/.test(output) && /the bridge listens/.test(output))
  return { child, url: /"url":"([^"]+)"/.exec(output)?.[1] ?? '' }
}

/** What the second process finds of the first: its file, or, with a file of its own, their Redis. */
type Memory = (folder: string) => Promise<{ first: Record<string, string>; second: Record<string, string> }>

const inFile: Memory = async (folder) => {
  const env = { BRIDGE_STATE: path.join(folder, 'sent.jsonl') }
  return { first: env, second: env }
}

const inRedis: Memory = async (folder) => {
  const REDIS_URL = (await startRedis()).url
  const env = (name: string) => ({ REDIS_URL, TWS_ACCOUNT: 'DU1234567', BRIDGE_STATE: path.join(folder, name) })
  return { first: env('first.jsonl'), second: env('second.jsonl') }
}

const memories: [string, Memory][] = [['a file', inFile]]
if (hasRedis()) memories.push(['Redis', inRedis])

it.each(memories)(
  'a bridge killed under load breaks no rule when it is back, by %s',
  async (_, memory) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-killed-'))
    onEnd(() => rm(folder, { recursive: true, force: true }))
    const simulator = await createSimulator({ pacing: 'strict' })
    onEnd(() => simulator.close())
    const env = await memory(folder)
    const gateway = { IBKR_PORT: String(simulator.port) }

    const killed = await run({ ...gateway, ...env.first })
    const broken = createRelay({ url: killed.url, key: KEY })
    const lost = Promise.allSettled(Array.from({ length: 40 }, (_, n) => broken.bars(smallBars(n))))
    await until('some have arrived', () => sent(simulator, 20) >= 25)
    killed.child.kill('SIGKILL')
    await once(killed.child, 'exit')
    await lost
    const before = sent(simulator, 20)

    const { url } = await run({ ...gateway, ...env.second })
    const relay = createRelay({ url, key: KEY })
    // The first of them are twins of what went before, which would wait for their fifteen seconds.
    const asked = Array.from({ length: 60 }, (_, n) => ({ ...smallBars(n + 20), ...(n < 20 ? { waitMs: 2000 } : {}) }))
    const outcomes = await Promise.allSettled(asked.map((request) => relay.bars(request)))
    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(simulator.violations).toEqual([])
    expect(sent(simulator, 20)).toBeLessThanOrEqual(60)
    // The rest of the budget is used, less what had been counted and was killed on its way.
    expect(sent(simulator, 20)).toBeGreaterThanOrEqual(before + 10)
    expect(refused.length).toBeGreaterThan(20)
    for (const error of refused) expect(error).toMatchObject({ kind: 'busy' })
  },
  30_000,
)
