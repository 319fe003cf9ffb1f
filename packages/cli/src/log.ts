import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { describeError } from '@tidegate/functions'
import { type Logger, pino } from 'pino'

/**
 * A driver's error holds every parameter of its statement, secrets among them: a log gets what it says alone. What the
 * bridge says has its errors described already.
 */
const serializers = { err: (err: unknown) => (err instanceof Error ? describeError(err) : err) }

/** A log nobody reads: what went wrong is part of each command's own answer. */
export function silentLog(): Logger {
  return pino({ level: 'silent' })
}

/** A log written line by line through `write`. */
export function writtenLog(level: 'info' | 'warn', write: (text: string) => void): Logger {
  return pino({ level, serializers }, { write })
}

/** A log in a file, made with its folder where it is missing. Written at once, so that a killed process loses nothing. */
export function fileLog(level: 'info' | 'warn', path: string): Logger {
  mkdirSync(dirname(path), { recursive: true })
  const destination = pino.destination({ dest: path, sync: true })
  // A full disk fails the database too, and that is what is told: the log must not end the process first.
  destination.on('error', () => {})
  return pino({ level, serializers }, destination)
}
