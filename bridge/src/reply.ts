import { sliceBars } from '@tidegate/core'
import type { GatewayBars } from './connection.ts'

/** The relay's promise: no line holds more. */
const BARS_A_LINE = 1000

/** A bars reply as newline-delimited JSON, a line at a time as the reader takes them: head, columns, done. */
export function barsReply(head: object, { bars, empty, asOf, notices }: GatewayBars): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  function* lines(): Generator<object> {
    yield { head }
    for (let from = 0; from < bars.t.length; from += BARS_A_LINE) yield sliceBars(bars, from, from + BARS_A_LINE)
    yield { done: { bars: bars.t.length, empty, asOf, notices } }
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
