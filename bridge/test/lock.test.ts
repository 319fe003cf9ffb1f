import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lockState } from '../src/pacing/lock.ts'
import { silent } from './redis.ts'
import { AAPL, endAll, onEnd, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidegate-lock-'))
  onEnd(() => rmSync(folder, { recursive: true, force: true }))
  file = path.join(folder, 'deep', 'sent.jsonl')
})

/** The field of /proc that says when a process began: it is this one's parent, or any other that lives. */
function beginOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

it('a second bridge of one state file is refused, and told what to do; the first goes on', async () => {
  const { port } = await startSimulator()
  const settings = { stateFile: file }
  const first = await startBridge(port, { settings })
  await expect(startBridge(port, { settings })).rejects.toMatchObject({
    kind: 'conflict',
    message: expect.stringMatching(
      new RegExp(`process ${process.pid} .*${file}\\.lock.*BRIDGE_URL and BRIDGE_KEY.*stop it.*same REDIS_URL`),
    ),
  })
  await first.relay.contracts({ contract: AAPL })
  await first.bridge.close()
  // Nothing that counts for long has been sent.
  expect(existsSync(path.dirname(file))).toBe(false)
  await (await startBridge(port, { settings })).bridge.close()
})

it('a bridge that does not start gives the file back', async () => {
  const { port } = await startSimulator()
  await expect(startBridge(1, { settings: { stateFile: file } })).rejects.toMatchObject({ kind: 'disconnected' })
  await startBridge(port, { settings: { stateFile: file } })
})

it('what a living process holds is refused, and taken over when it is dead, also where another has its pid', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  onEnd(() => child.kill('SIGKILL'))
  const pid = child.pid ?? 0
  file = path.join(folder, 'sent.jsonl')
  writeFileSync(`${file}.lock`, `${pid} ${beginOf(pid)}`)
  expect(() => lockState(file, silent)).toThrow(`process ${pid} has this login`)
  writeFileSync(`${file}.lock`, `${pid} 1`)
  lockState(file, silent)()
  writeFileSync(`${file}.lock`, `${pid} ${beginOf(pid)}`)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const give = lockState(file, silent)
  expect(readFileSync(`${file}.lock`, 'utf8')).toBe(`${process.pid} ${beginOf(process.pid)}`)
  give()
  // A container that starts anew has the same pid, and what was torn off is nobody's.
  for (const left of [`${process.pid} 1`, '', 'x']) {
    writeFileSync(`${file}.lock`, left)
    lockState(file, silent)()
  }
  expect(existsSync(`${file}.lock`)).toBe(false)
})

it('what a killed process holds is taken over, also while its parent has not asked after it', async () => {
  // The shell becomes another program, which knows of no child.
  const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'])
  onEnd(() => parent.kill('SIGKILL'))
  const pid = Number(await once(parent.stdout, 'data'))
  file = path.join(folder, 'sent.jsonl')
  writeFileSync(`${file}.lock`, `${pid} ${beginOf(pid)}`)
  expect(() => lockState(file, silent)).toThrow(`process ${pid} has this login`)
  process.kill(pid, 'SIGKILL')
  await until('it is a zombie', () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '))
  lockState(file, silent)()
})

it('where no file can be made that is warned of, and the bridge goes on', () => {
  writeFileSync(path.join(folder, 'occupied'), '')
  const told: string[] = []
  const log = { ...silent, warn: (_: object, message: string) => void told.push(message) }
  lockState(path.join(folder, 'occupied', 'sent.jsonl'), log)()
  expect(told).toEqual([expect.stringContaining('a second bridge of this login would not be noticed')])
})
