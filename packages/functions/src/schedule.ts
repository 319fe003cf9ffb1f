import type { Ingest, Log } from '@tidegate/ingest'
import { pass } from './pass.ts'

export const TICK_MS = 60_000
/** Just past the minute: a timer may fire a little early, and a tick must see the minute as begun. */
const SLACK_MS = 50

export type Every = (ms: number, run: () => void) => () => void

/** Calls `run` whenever a multiple of `ms` since the epoch has passed; keeps no process alive. Returns what ends it. */
export const everyOnTheClock: Every = (ms, run) => {
  let timer: NodeJS.Timeout | undefined
  const next = () => {
    timer = setTimeout(
      () => {
        next()
        run()
      },
      ms - ((Date.now() - SLACK_MS) % ms),
    ).unref()
  }
  next()
  return () => clearTimeout(timer)
}

export interface Schedule {
  start(): void
  /** No pass begins any more; resolves once the one under way is over. */
  stop(): Promise<void>
}

interface ScheduleOptions {
  readonly ingest: Ingest
  readonly log: Log
  readonly every: Every
  /** A signal that aborts after `ms`. Default: AbortSignal.timeout. */
  readonly timeout?: (ms: number) => AbortSignal
}

/** Passes at once and then every minute. One at a time: a minute that comes while a pass is under way is left out. */
export function createSchedule({ ingest, log, every, timeout }: ScheduleOptions): Schedule {
  let end: (() => void) | undefined
  let current: Promise<void> | undefined
  const run = () => {
    current ??= pass(ingest, log, timeout).finally(() => {
      current = undefined
    })
  }
  return {
    start() {
      if (end) return
      end = every(TICK_MS, run)
      run()
    },
    async stop() {
      end?.()
      await current
    },
  }
}
