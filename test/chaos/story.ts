import { createHash } from 'node:crypto'

/** What happened in a run, in order, by the run's own clock. */
export interface Story {
  /** One thing that happened. */
  tell(text: string): void
  /** A log whose lines become part of the story: their words, and the fields that are the same in every replay. */
  log(who: string): {
    debug(fields: object, message: string): void
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
    error(fields: object, message: string): void
  }
  /** Equal for runs in which the same happened in the same order. */
  digest(): string
}

/** The gateway's port, and ids that go on counting from one run to the next. */
const OTHER_EACH_TIME = /(?<=127\.0\.0\.1:|port\\?":|chunk[= ])\d+/g
const TOLD = ['chunk', 'spec', 'kind', 'attempt', 'bars', 'written', 'restated', 'state', 'dataset', 'chunks'] as const

export function createStory(now: () => number, print: ((line: string) => void) | undefined): Story {
  const hash = createHash('sha256')
  const tell = (text: string) => {
    const line = `${new Date(now()).toISOString().slice(0, 23)} ${text}`
    hash.update(`${line.replaceAll(OTHER_EACH_TIME, '')}\n`)
    print?.(line)
  }
  return {
    tell,
    log(who) {
      const write = (fields: object, message: string) => {
        const { err } = fields as { readonly err?: unknown }
        const told = TOLD.flatMap((name) => {
          const value = (fields as Record<string, unknown>)[name]
          return value === undefined ? [] : [`${name}=${String(value)}`]
        })
        const why = err instanceof Error ? ` [${err.message}]` : ''
        tell(`  ${who}: ${message} ${told.join(' ')}${why}`)
      }
      return { debug: () => {}, info: write, warn: write, error: write }
    },
    digest: () => hash.copy().digest('hex').slice(0, 12),
  }
}
