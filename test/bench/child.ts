import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { BRIDGE_ENV, BRIDGE_FLAGS } from './flags.ts'

export interface Child {
  /** What it said when it was ready. */
  readonly said: string
  readonly process: ChildProcess
  stop(): Promise<void>
}

/** Starts a program of this folder with this Node, and waits for its first line. */
export function startChild(file: string, ...args: readonly string[]): Promise<Child> {
  return startProgram([path.join(import.meta.dirname, file), ...args], /^(.*)$/)
}

/** Starts the bridge for the gateway at `port`, with the flags it is shipped with; it says where it listens. */
export function startBridge(port: string, rate: string): Promise<Child> {
  return startProgram([...BRIDGE_FLAGS, path.join(import.meta.dirname, 'bridge.ts'), port, rate], /^(.*)$/, BRIDGE_ENV)
}

/** Starts this Node with any arguments, and waits for a line that `ready` fits: its first group is what was said. */
export async function startProgram(
  args: readonly string[],
  ready: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<Child> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${args.join(' ')} ended with ${code} before it was ready.`)
  })
  const lines = createInterface(child.stdout)
  const heard = new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      const said = ready.exec(line)?.[1]
      if (said !== undefined) resolve(said)
    })
  })
  const said = await Promise.race([heard, failed])
  failed.catch(() => {})
  return {
    said,
    process: child,
    async stop() {
      if (child.exitCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
