/** What a command has of the world: all of it passed in, so that a test holds every part. */
export interface Context {
  /** Standard output: what was asked for. */
  readonly out: (text: string) => void
  /** Standard error: progress and what went wrong. */
  readonly err: (text: string) => void
  /** Resolves once what was said on `out` has been taken by whoever reads it, or `signal` aborts: who says much waits for it. */
  readonly taken: () => Promise<void>
  /** The terminal to draw progress bars on; undefined where nobody looks, and plain lines go to `err` instead. */
  readonly terminal: NodeJS.WritableStream | undefined
  /** How many characters a line of `out` may have; undefined where it is no terminal. */
  readonly columns: number | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder whose `.tidegate` is meant. */
  readonly cwd: string
  readonly pid: number
  readonly isAlive: (pid: number) => boolean
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Resolves after `ms`, or at once when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly fetch: (request: Request) => Promise<Response>
  /** Until what it returns is called, an end of the process is a failure, and `said` is what is told of it. */
  readonly guard: (said: string) => () => void
  /** Says it and ends the process at once, as a failure: nothing can be closed in order any more. */
  readonly fatal: (said: string) => void
  /** Asks a person at the terminal, yes or no; undefined where there is none. */
  readonly ask?: (question: string) => Promise<boolean>
  /** A fresh key, 64 hexadecimal digits. */
  readonly newKey: () => string
  /** Aborts when the command should finish what is under way and end. */
  readonly signal: AbortSignal
}
