import { type ChildProcess, fork } from 'node:child_process'
import type { Outcome } from './run.ts'
import type { Task, Told } from './worker.ts'

/** A run that takes longer hangs: minutes, where seconds are usual, for machines with much else to do. */
const MOST_MS = 600_000

/** What became of a seed: its outcome, or why there is none. */
export type Result =
  | { readonly seed: number; readonly outcome: Outcome; readonly broken?: undefined }
  | { readonly seed: number; readonly outcome?: undefined; readonly broken: string }

export interface PoolOptions {
  readonly seeds: readonly number[]
  /** Processes at once. */
  readonly workers: number
  /** Told what happens, line by line, if anybody wants to know. */
  readonly onLine: ((line: string) => void) | undefined
  /** Told of each seed's end, in the order of the seeds. */
  readonly onResult: (result: Result) => void
}

/** Runs all the seeds, each in one of so many processes; a process that dies or hangs costs its seed alone. */
export async function runPool({ seeds, workers, onLine, onResult }: PoolOptions): Promise<void> {
  const left = [...seeds]
  const ended = new Map<number, Result>()
  let told = 0

  function end(result: Result): void {
    ended.set(result.seed, result)
    for (;;) {
      const next = ended.get(seeds[told] ?? -1)
      if (!next) return
      told++
      ended.delete(next.seed)
      onResult(next)
    }
  }

  async function work(): Promise<void> {
    let child: ChildProcess | undefined
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      child ??= begin()
      const result = await runOne(child, seed, onLine)
      if (result.broken !== undefined) {
        child.kill('SIGKILL')
        child = undefined
      }
      end(result)
    }
    child?.disconnect()
  }

  await Promise.all(Array.from({ length: Math.min(workers, seeds.length) }, work))
}

function begin(): ChildProcess {
  return fork(new URL('./worker.ts', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

function runOne(child: ChildProcess, seed: number, onLine: PoolOptions['onLine']): Promise<Result> {
  const task: Task = { seed, verbose: onLine !== undefined }
  return new Promise((resolve) => {
    const tooLong = setTimeout(() => end({ seed, broken: `not over after ${MOST_MS / 60_000} minutes` }), MOST_MS)
    const onExit = (code: number | null, signal: string | null) =>
      end({ seed, broken: `its process ended (${signal ?? code})` })
    const onMessage = (told: Told) => {
      if ('line' in told) onLine?.(told.line)
      else if ('outcome' in told) end({ seed, outcome: told.outcome })
      else end({ seed, broken: told.thrown })
    }
    function end(result: Result): void {
      clearTimeout(tooLong)
      child.off('exit', onExit).off('message', onMessage)
      resolve(result)
    }
    child.on('exit', onExit).on('message', onMessage)
    child.send(task)
  })
}
