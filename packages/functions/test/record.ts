import type { Log } from '@tidegate/ingest'

export interface Entry {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string
}

export interface RecordingLog extends Log {
  readonly entries: readonly Entry[]
  messages(): string[]
  debug(fields: object, message: string): void
}

/** A log that remembers, for a test to read. */
export function recordingLog(): RecordingLog {
  const entries: Entry[] = []
  const write = (level: Entry['level']) => (fields: object, message: string) => {
    entries.push({ level, fields, message })
  }
  return {
    entries,
    messages: () => entries.map(({ message }) => message),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
}
