import type { Writable } from 'node:stream'

/** A stream that a command writes to, and that nothing gets lost of while somebody reads it. */
export interface Output {
  readonly write: (text: string) => void
  /** Resolves once everything written so far has been taken, or once nobody takes any more. */
  readonly flushed: () => Promise<void>
}

/**
 * What is written to a pipe waits in this process until its reader takes it. `lost` is told once when nothing can be written
 * any more (`EPIPE`: the reader is gone); what comes after that is dropped.
 */
export function createOutput(stream: Writable, lost: (error: NodeJS.ErrnoException) => void): Output {
  let isLost = false
  const lose = (error: NodeJS.ErrnoException) => {
    if (isLost) return
    isLost = true
    lost(error)
  }
  stream.on('error', lose)
  return {
    write(text) {
      if (!isLost) stream.write(text)
    },
    flushed: () =>
      new Promise((resolve) => {
        if (isLost) return resolve()
        stream.write('', (error) => {
          if (error) lose(error)
          resolve()
        })
      }),
  }
}
