import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'

export interface Child {
  /** The first line it printed. */
  readonly said: string
  readonly process: ChildProcess
  stop(): Promise<void>
}

/** Starts a program of this folder with this Node, and waits for its first line. */
export async function startChild(file: string, ...args: readonly string[]): Promise<Child> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = once(createInterface(child.stdout), 'line')
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code} before it said a word.`)
  })
  const [said] = (await Promise.race([line, failed])) as [string]
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
