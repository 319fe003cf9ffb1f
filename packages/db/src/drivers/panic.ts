import { PGlite, type PGliteOptions } from '@electric-sql/pglite'
import { TidegateError } from '@tidegate/core'

export interface EndingOptions {
  /** Told once, at once: nothing can be asked of the database any more, and closing what uses it may never end. */
  readonly onEnd: (error: TidegateError) => void
  /** Where it is, for people. */
  readonly place: string
}

/**
 * PGlite that is left alone once it has panicked, as it does where its log can't be written for want of room: asked anything after
 * that it spins for ever, and the whole process with it. What is asked then is refused with `database`.
 */
export class EndingPglite extends PGlite {
  readonly #options: EndingOptions
  #end: TidegateError | undefined

  constructor(options: PGliteOptions, ending: EndingOptions) {
    super(options)
    this.#options = ending
  }

  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  override execProtocol(...how: Parameters<PGlite['execProtocol']>): ReturnType<PGlite['execProtocol']> {
    return this.#unlessEnded(() => super.execProtocol(...how))
  }

  override execProtocolStream(
    ...how: Parameters<PGlite['execProtocolStream']>
  ): ReturnType<PGlite['execProtocolStream']> {
    return this.#unlessEnded(() => super.execProtocolStream(...how))
  }

  async #unlessEnded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#end) throw this.#end
    try {
      return await work()
    } catch (cause) {
      if (!isPanic(cause)) throw cause
      const { place, onEnd } = this.#options
      this.#end = new TidegateError(
        'database',
        `The embedded database in ${place} has ended: ${cause.message}. Nothing that was stored is lost: make room on its disk, and start again.`,
        { cause },
      )
      onEnd(this.#end)
      throw this.#end
    }
  }
}

function isPanic(error: unknown): error is Error {
  return error instanceof Error && 'severity' in error && error.severity === 'PANIC'
}
