import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRelay } from '@tidegate/relay'
import { afterEach, describe, expect, it } from 'vitest'
import { endAll, KEY, onEnd, request, sent, startSimulator, until } from './rig.ts'

afterEach(endAll)

const MAIN = new URL('../src/main.ts', import.meta.url).pathname

interface Process {
  readonly child: ChildProcess
  readonly logged: () => string
  readonly ended: Promise<number | null>
}

function run(env: Record<string, string>): Process {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onEnd(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => {
      output += bytes
    })
  }
  return { child, logged: () => output, ended: once(child, 'close').then(([code]) => code as number | null) }
}

async function listening({ logged }: Process): Promise<string> {
  await until(
    'the bridge listens and is connected',
    () => /the bridge listens/.test(logged()) && /connected to the gateway/.test(logged()),
  )
  const url = /"url":"([^"]+)"/.exec(logged())?.[1]
  if (!url) throw new Error(`No url in ${logged()}`)
  return url
}

describe('the process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finishes what is open at %s, takes nothing new, and ends with 0',
    async (signal) => {
      const simulator = await startSimulator()
      const bridge = run({ IBKR_PORT: String(simulator.port), BRIDGE_KEY: KEY, BRIDGE_PORT: '0' })
      const url = await listening(bridge)
      const relay = createRelay({ url, key: KEY })
      simulator.faults.delayMs = 400
      const open = relay.bars(request())
      await until('the request arrives', () => sent(simulator, 20) === 1)
      bridge.child.kill(signal)
      await until('it heard', () => /finishing what is open/.test(bridge.logged()))
      await expect(relay.bars(request({ duration: '2 D' }))).rejects.toMatchObject({ kind: 'disconnected' })
      const { bars, done } = await open
      expect(bars.t).toHaveLength(done.bars)
      expect(done.bars).toBeGreaterThan(0)
      expect(await bridge.ended).toBe(0)
      expect(sent(simulator, 20)).toBe(1)
      expect(bridge.logged()).not.toContain(KEY)
      expect(bridge.logged()).not.toContain('SIM0000001')
    },
  )

  it('ends with 1 and every fault of its settings', async () => {
    const bridge = run({ IBKR_PORT: 'x', BRIDGE_HOST: '0.0.0.0' })
    expect(await bridge.ended).toBe(1)
    // For people: a line a fault, and no JSON.
    expect(bridge.logged()).toMatch(/^The settings are wrong:\n {2}IBKR_PORT: [^\n]+\n {2}BRIDGE_KEY: [^\n]+\n$/)
    expect(bridge.logged()).toContain('BRIDGE_HOST 0.0.0.0 is open to others')
  })

  it('logs an error as what it is, with what caused it', async () => {
    const bridge = run({ IBKR_PORT: '1', BRIDGE_KEY: KEY, BRIDGE_PORT: '0', BRIDGE_STATE: '/dev/null/no' })
    await until('it says so', () => /could not connect/.test(bridge.logged()))
    const line = bridge
      .logged()
      .split('\n')
      .find((one) => /could not connect/.test(one))
    const { err } = JSON.parse(line ?? '')
    expect(err).toMatchObject({ type: 'TidegateError', kind: 'disconnected', code: 502, cause: { type: 'Error' } })
    expect(err.message.match(/ECONNREFUSED/g)).toHaveLength(1)
  })
})
