import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SLOW_MS } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

const BIN = fileURLToPath(new URL('../bin/tidegate.mjs', import.meta.url))
const OWN_BINS = fileURLToPath(new URL('../../../node_modules/.bin', import.meta.url))

interface Started {
  readonly child: ChildProcess
  readonly said: () => string
  readonly ended: Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>
}

let folder: string
const running = new Set<ChildProcess>()
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-bin-'))
})
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
  await rm(folder, { recursive: true, force: true })
})

/** The command as a shell would start it: by whatever node the machine has, not the one the project brings. */
function start(...argv: string[]): Started {
  const path = (process.env.PATH ?? '').split(':').filter((part) => part !== OWN_BINS)
  const env = { PATH: path.join(':'), HOME: folder }
  const child = spawn('node', [BIN, ...argv], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => chunks.push(String(bytes)))
  const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (status, signal) => {
      running.delete(child)
      resolve({ status, signal })
    })
  })
  return { child, said: () => chunks.join(''), ended }
}

const until = (started: Started, text: string) =>
  expect.poll(started.said, { timeout: SLOW_MS, interval: 30 }).toContain(text)

describe('the command as a process', () => {
  test('says its version and hands its status back', async () => {
    const version = start('--version')
    expect(await version.ended).toEqual({ status: 0, signal: null })
    expect(version.said()).toMatch(/^\d+\.\d+\.\d+\n$/)
    const misused = start('fetch', '--bogus')
    expect(await misused.ended).toEqual({ status: 2, signal: null })
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it in order', async (signal) => {
    const simulator = start('simulate', '--port', '0')
    await until(simulator, 'Stop it with Ctrl-C')
    simulator.child.kill(signal)
    expect(await simulator.ended).toEqual({ status: 0, signal: null })
  })

  test('reads .env in its folder, and what ends in an error says it in one line', async () => {
    await writeFile(join(folder, '.env'), 'IBKR_PORT=1\n')
    const connect = start('connect')
    expect(await connect.ended).toEqual({ status: 1, signal: null })
    expect(connect.said()).toMatch(/^tidegate: Nobody answers at 127\.0\.0\.1:1 [^\n]+\n$/)
  })

  test('start serves until it is told to end, and nothing of it stays behind', async () => {
    const server = start('start', '--port', '0')
    await expect
      .poll(
        () =>
          stat(join(folder, '.tidegate', 'server.json')).then(
            () => true,
            () => false,
          ),
        { timeout: SLOW_MS },
      )
      .toBe(true)
    const { pid } = JSON.parse(await readFile(join(folder, '.tidegate', 'server.json'), 'utf8'))
    server.child.kill('SIGTERM')
    const { status } = await server.ended
    expect({ status, said: server.said() }).toMatchObject({ status: 0 })
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    await expect(stat(join(folder, '.tidegate', 'server.json'))).rejects.toThrow('ENOENT')
    await expect(stat(join(folder, '.tidegate', 'db.lock'))).rejects.toThrow('ENOENT')
  })

  test('killed outright, the process it handed over to ends in order by itself', async () => {
    const simulator = start('simulate', '--port', '0')
    await until(simulator, 'Stop it with Ctrl-C')
    simulator.child.kill('SIGKILL')
    // The pipes close only once the last process that holds them is gone.
    expect(await simulator.ended).toEqual({ status: null, signal: 'SIGKILL' })
  })
})
