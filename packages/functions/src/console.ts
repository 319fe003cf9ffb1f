import type { Log } from '@tidegate/ingest'
import { describeError } from './describe.ts'

/** pino's numbers of the levels that are used. */
const LEVELS = { info: 30, warn: 40, error: 50 } as const

/** A log through the console, a line of JSON an entry, with the fields that pino has: what a Worker can do. */
export function createConsoleLog(now: () => number, out: Pick<Console, keyof typeof LEVELS> = console): Log {
  const write = (level: keyof typeof LEVELS) => (fields: object, msg: string) =>
    out[level](JSON.stringify({ ...plain(fields), level: LEVELS[level], time: now(), msg }))
  return { info: write('info'), warn: write('warn'), error: write('error') }
}

function plain(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? describeError(value) : value]),
  )
}
