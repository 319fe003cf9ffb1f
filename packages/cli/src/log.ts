import { chmodSync, mkdirSync, renameSync, statSync } from 'node:fs'
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

/** Months of a quiet Tidegate, and never a full disk. */
const MOST_BYTES = 50_000_000
/** What is asked for and of whom is for whoever runs Tidegate alone. */
const OWNER_ONLY = { file: 0o600, folder: 0o700 }

/**
 * A log in a file, made with its folder where it is missing. Written at once, so that a killed process loses nothing. Beyond
 * `mostBytes` it goes on in a new one, and the one before is kept beside it as `PATH.1`.
 */
export function fileLog(level: 'info' | 'warn', path: string, mostBytes = MOST_BYTES): Logger {
  mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY.folder })
  let bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  const destination = pino.destination({ dest: path, sync: true, mode: OWNER_ONLY.file })
  // A full disk fails the database too, and that is what is told: the log must not end the process first.
  destination.on('error', () => {})
  destination.on('write', (count) => {
    bytes += count
    if (bytes < mostBytes) return
    bytes = 0
    try {
      renameSync(path, `${path}.1`)
    } catch {
      // Somebody took it away: what comes is written anew all the same.
    }
    destination.reopen()
  })
  // It may be from a time when everybody could read it.
  chmodSync(path, OWNER_ONLY.file)
  return pino({ level, serializers }, destination)
}
