import type { PGlite } from '@electric-sql/pglite'
import { TidegateError } from '@tidegate/core'

export interface PanicOptions {
  /** Where it is, for people. */
  readonly place: string
  /** Told once, at once: nothing can be asked of the database any more, and closing what uses it may never end. */
  readonly onEnd: (error: TidegateError) => void
}

/**
 * Has PGlite left alone once it has panicked, as it does where its log can't be written for want of room: asked anything after
 * that it spins for ever, and the whole process with it. What is asked then is refused with `database`. Whether it has.
 */
export function guardPanic(client: PGlite, { place, onEnd }: PanicOptions): () => boolean {
  let end: TidegateError | undefined

  async function unlessEnded<T>(work: () => Promise<T>): Promise<T> {
    if (end) throw end
    try {
      return await work()
    } catch (cause) {
      if (!isPanic(cause)) throw cause
      end = new TidegateError(
        'database',
        `The embedded database in ${place} has ended: ${cause.message}. Nothing that was stored is lost: make room on its disk, and start again.`,
        { cause },
      )
      onEnd(end)
      throw end
    }
  }

  // The two ways by which all that it is asked goes.
  const execProtocol = client.execProtocol.bind(client)
  const execProtocolStream = client.execProtocolStream.bind(client)
  Object.assign(client, {
    execProtocol: (...how: Parameters<PGlite['execProtocol']>) => unlessEnded(() => execProtocol(...how)),
    execProtocolStream: (...how: Parameters<PGlite['execProtocolStream']>) =>
      unlessEnded(() => execProtocolStream(...how)),
  })
  return () => end !== undefined
}

function isPanic(error: unknown): error is Error {
  return error instanceof Error && 'severity' in error && error.severity === 'PANIC'
}
