import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

/** The client, as its makers publish it. */
const IB_ASYNC = 'ib_async==2.1.0'
const FOLDER = path.resolve(import.meta.dirname, '../../node_modules/.cache/interop-venv')

/** A Python that has the client. Made once and kept; throws, saying which step failed, where Python or pip cannot do it. */
export async function openVenv(): Promise<string> {
  const python = path.join(FOLDER, 'bin', 'python')
  const have = await readFile(path.join(FOLDER, 'installed'), 'utf8').catch(() => '')
  if (have === IB_ASYNC) return python
  await run('python3', ['-m', 'venv', '--clear', FOLDER])
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', IB_ASYNC])
  await run(python, ['-c', `open(${JSON.stringify(path.join(FOLDER, 'installed'))}, 'w').write('${IB_ASYNC}')`])
  return python
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [status] = (await once(child, 'exit').catch((cause: unknown) => {
    throw new Error(`${command} cannot be run`, { cause })
  })) as [number | null]
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${status}`)
}
