/** What was opened, to be closed in the opposite order, each once, whatever else fails. */
export interface Closer {
  add(close: () => Promise<void>): void
  /** Throws the first failure after everything was tried. */
  close(): Promise<void>
}

export function createCloser(): Closer {
  const open: (() => Promise<void>)[] = []
  return {
    add: (close) => void open.push(close),
    async close() {
      const failures: unknown[] = []
      for (let close = open.pop(); close; close = open.pop()) {
        try {
          await close()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}
