import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onEnd, until } from './rig.ts'

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

/** A Redis of the test's own, on a socket in a folder of its own, that remembers nothing. */
export async function startRedis(port = 20_000 + (process.pid % 20_000)): Promise<TestRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-redis-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const server: ChildProcess = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  server.stdout?.on('data', (bytes) => {
    said += bytes
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
  await until('Redis listens', () => /Ready to accept connections/.test(said))
  return { url: `redis://127.0.0.1:${port}`, kill }
}
