/**
 * `npm run test:interop`: an unmodified ib_async, in a Python venv of its own, asks the simulator for everything it
 * serves. Status 1 where a check fails. Where Python or pip can't do it, it says so loudly, with status 0, or 1 in CI;
 * `-- --prepare` only makes the venv, and its status says whether that can be done here.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createSimulator } from '@tidegate/simulator'
import { openVenv } from './venv.ts'

/** Wednesday 2026-04-08, 14:00 in New York: every market is open. The clock runs on from there. */
const START_MS = Date.UTC(2026, 3, 8, 18)

async function main(prepareOnly: boolean): Promise<number> {
  let python: string
  try {
    python = await openVenv()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    console.error(`\n!!! test:interop WAS NOT RUN: ${why}. It needs python3 with venv, and pip with a package index.\n`)
    return prepareOnly || process.env.CI ? 1 : 0
  }
  return prepareOnly ? 0 : check(python)
}

/** Starts a strict simulator and hands its port to the client; the client's status is ours. */
async function check(python: string): Promise<number> {
  const aheadMs = START_MS - Date.now()
  const simulator = await createSimulator({
    now: () => Date.now() + aheadMs,
    pacing: 'strict',
    log: (message, error) => console.error(message, error ?? ''),
  })
  try {
    const script = path.join(import.meta.dirname, 'client.py')
    const child = spawn(python, [script, String(simulator.port)], { stdio: 'inherit' })
    const [status] = (await once(child, 'exit')) as [number | null]
    return status === 0 ? 0 : 1
  } finally {
    await simulator.close()
  }
}

process.exitCode = await main(process.argv.includes('--prepare'))
