import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { RULES, type Rules, systemClock, type Windows } from '@tidegate/bridge'
import { createRedisWindows, type RedisTiming, type RedisWindowsOptions } from '../src/pacing/redis.ts'
import { onEnd } from './rig.ts'

/** Whether this machine has a Redis to test with; where it has none, that is said aloud. */
export function hasRedis(): boolean {
  const { error } = spawnSync('redis-server', ['--version'])
  if (error)
    console.warn('SKIPPED: no redis-server here, so shared pacing is not tested (apt-get install redis-server).')
  return !error
}

export interface TestRedis {
  readonly url: string
  /** Ends it at once, as a machine does. */
  kill(): Promise<void>
}

/** Below the ports that the system gives to connections: nobody comes by one of these by chance while Redis is away. */
const PORTS = { first: 20_000, count: 12_000 }

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server got no port.')
  return address.port
}

/** A Redis of the test's own, at that port or at one that is free, in a folder of its own; it remembers nothing. */
export async function startRedis(at?: number): Promise<TestRedis> {
  const port = at ?? (await freePort())
  const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-redis-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const server: ChildProcess = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  const ready = new Promise<void>((resolve, reject) => {
    server.stdout?.on('data', (bytes) => {
      said += bytes
      if (/Ready to accept connections/.test(said)) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`Redis ended before it listened on ${port}: ${said}`)))
  })
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await ended
  }
  onEnd(async () => {
    await kill()
    await rm(folder, { recursive: true, force: true })
  })
  await ready
  return { url: `redis://127.0.0.1:${port}`, kill }
}

/** A bridge's times with Redis: short where it waits for them, long where a busy machine could let them end. */
const TIMING: RedisTiming = { answerMs: 5000, retryMs: 20, leaseMs: 60_000, renewMs: 100, settleMs: 100 }

export interface SharedOptions extends Partial<Pick<RedisWindowsOptions, 'log' | 'journal'>> {
  readonly rules?: Rules
  readonly timing?: Partial<RedisTiming>
}

export const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Windows of one more bridge of a login, with a connection of its own to the Redis at `url`. */
export function createSharedWindows(url: string, { rules = RULES, timing, ...parts }: SharedOptions = {}): Windows {
  const windows = createRedisWindows({
    ...{ url, login: 'test', clock: systemClock, rules, log: silent, newId: () => crypto.randomUUID() },
    ...parts,
    timing: { ...TIMING, ...timing },
  })
  onEnd(() => windows.close())
  return windows
}

/** The same, once Redis is reached. */
export async function openShared(url: string, options: SharedOptions = {}): Promise<Windows> {
  const windows = createSharedWindows(url, options)
  await untilReached(windows)
  return windows
}

/** Takes messages until one goes. */
export async function untilReached(windows: Windows): Promise<void> {
  for (let refusal = await windows.take({ small: 0 }); refusal; refusal = await windows.take({ small: 0 }))
    await new Promise((resolve) => setTimeout(resolve, 5))
}

/** A way to Redis that can be cut, as a machine that dies or a cable does: nobody says goodbye. */
export async function startLine(to: string): Promise<{ url: string; cut(): void; mend(): void }> {
  let isCut = false
  const { hostname, port } = new URL(to)
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    if (isCut) return near.destroy()
    const far = connect(Number(port), hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    near.pipe(far).pipe(near)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  onEnd(() => {
    server.close()
    drop()
  })
  return {
    url: `redis://127.0.0.1:${portOf(server)}`,
    cut() {
      isCut = true
      drop()
    },
    mend() {
      isCut = false
    },
  }
}
