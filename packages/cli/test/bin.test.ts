import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createFolders, SLOW_MS } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

const BIN = fileURLToPath(new URL('../bin/tidegate.mjs', import.meta.url))
const OWN_BINS = fileURLToPath(new URL('../../../node_modules/.bin', import.meta.url))

interface Started {
  readonly child: ChildProcess
  readonly said: () => string
  readonly ended: Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>
}

let folders: Awaited<ReturnType<typeof createFolders>>
let folder: string
const running = new Set<ChildProcess>()
beforeAll(async () => {
  folders = await createFolders()
})
afterAll(() => folders.remove())
beforeEach(async () => {
  folder = await folders.next()
})
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
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
  test('says its version', async () => {
    const version = start('--version')
    expect(await version.ended).toEqual({ status: 0, signal: null })
    expect(version.said()).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test('says all of it to whoever reads slowly; of one who has read enough it says nothing, and ends as a pipe breaks', async () => {
    const datasets = `Array.from({ length: 3000 }, (_, i) => ({
      ...{ name: 'n' + i, instruments: ['AAPL'], specs: ['DAILY'], since: '1y', schedule: { every: '1h' } },
    }))`
    const cwd = join(folder, 'fresh')
    await mkdir(cwd)
    await writeFile(join(cwd, 'tidegate.config.ts'), `export default { datasets: ${datasets} }\n`)
    // Its own node hands over to nobody, so that the pipe is between the two of us alone.
    const begin = () => {
      const child = spawn(process.execPath, [BIN, 'apply', '--dry-run'], { cwd, env: { HOME: folder } })
      running.add(child)
      return child
    }
    const slow = begin()
    const enough = begin()
    let said = ''
    enough.stderr.on('data', (bytes) => {
      said += bytes
    })
    enough.stdout.once('data', () => enough.stdout.destroy())
    expect(await once(enough, 'close')).toEqual([141, null])
    expect(said).toBe('')
    let text = ''
    for await (const bytes of slow.stdout) {
      text += bytes
      await setImmediate()
    }
    expect(text.match(/^\+ n\d+$/gm)).toHaveLength(3000)
    expect(text).toMatch(/Nothing was changed\.\n$/)
  })

  test('is ended in order by Ctrl-C', async () => {
    const simulator = start('simulate', '--port', '0')
    await until(simulator, 'Stop it with Ctrl-C')
    simulator.child.kill('SIGINT')
    expect(await simulator.ended).toEqual({ status: 0, signal: null })
  })

  test('does not take the end of a config for its own', async () => {
    await writeFile(join(folder, 'tidegate.config.ts'), 'process.exit(0)\n')
    const apply = start('apply')
    expect(await apply.ended).toEqual({ status: 1, signal: null })
    expect(apply.said()).toMatch(
      /^tidegate: \S+\/tidegate\.config\.ts ended the process while it was loaded: [^\n]+\n$/,
    )
  })

  test('reads .env in its folder; what ends in an error says it in one line, and hands its status back', async () => {
    await writeFile(join(folder, '.env'), 'IBKR_PORT=1\n')
    const connect = start('connect')
    expect(await connect.ended).toEqual({ status: 1, signal: null })
    expect(connect.said()).toMatch(/^tidegate: Nobody answers at 127\.0\.0\.1:1 [^\n]+\n$/)
  })

  test('start serves until it is told to end, and nothing of it stays behind', async () => {
    const dataset = {
      name: 'funds',
      instruments: ['SPY.ARCA'],
      specs: ['DAILY'],
      since: '30d',
      schedule: { every: '1h' },
    }
    await writeFile(join(folder, 'tidegate.config.ts'), `export default { datasets: [${JSON.stringify(dataset)}] }\n`)
    const server = start('start', '--port', '0')
    await until(server, 'Serving at')
    expect(server.said()).toContain(', each dataset up to date by its own schedule. The key is in')
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
