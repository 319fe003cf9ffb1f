import { TidegateError } from '@tidegate/core'
import type { Answer } from './kinds/kind.ts'
import type { Shelf } from './shelf.ts'

/** An answer in one body that is larger, at a hundred bytes each, waits on the shelf for its reader as lines do. */
const SMALL_SIZE = 500

/**
 * A reply as newline-delimited JSON, a line at a time as the reader takes them: head, columns, done. Whoever does not
 * read is cut off where too much is held for all.
 */
export function linesReply(requestId: string, answer: Answer, shelf: Shelf): ReadableStream<Uint8Array> {
  function* lines(): Generator<object> {
    yield { head: { requestId, ...answer.head } }
    yield* answer.chunks?.() ?? []
    yield { done: answer.done }
  }
  return read(lines(), answer.size, shelf)
}

/** A reply in one body. */
export function bodyReply({ done, size }: Answer, shelf: Shelf): ReadableStream<Uint8Array> | string {
  return size <= SMALL_SIZE ? JSON.stringify(done) : read([done].values(), size, shelf)
}

/** Made as it is read: nothing is made before the last has been taken. */
function read(lines: Iterator<object>, size: number, shelf: Shelf): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let cut = () => {}
  const reader = shelf.reader(() => cut())
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        cut = () => controller.error(new TidegateError('busy', 'Too many answers wait to be read.'))
        reader.hold(size)
      },
      pull(controller) {
        reader.took()
        const { value, done } = lines.next()
        if (!done) return controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`))
        reader.leave()
        controller.close()
      },
      cancel: () => reader.leave(),
    },
    { highWaterMark: 0 },
  )
}
