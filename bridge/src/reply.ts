import type { Answer } from './kinds/kind.ts'

/** A reply as newline-delimited JSON, a line at a time as the reader takes them: head, columns, done. */
export function linesReply(requestId: string, answer: Answer): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  function* lines(): Generator<object> {
    yield { head: { requestId, ...answer.head } }
    yield* answer.chunks?.() ?? []
    yield { done: answer.done }
  }
  const reply = lines()
  return new ReadableStream({
    pull(controller) {
      const { value, done } = reply.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`))
    },
  })
}
