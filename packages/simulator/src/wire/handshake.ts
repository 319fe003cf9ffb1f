import type { ByteQueue } from './frames.ts'
import { FramingError } from './frames.ts'

/** The oldest protocol the simulator writes. Below it lie formats no current client asks for. */
export const MIN_SERVER_VERSION = 163
/** From 201 on, messages turn to protobuf one by one; the simulator stays text. */
export const MAX_SERVER_VERSION = 200

/** Longer than any greeting of a real client; a stranger (an HTTP request, say) is cut off here. */
const MAX_GREETING_BYTES = 1024

export interface Greeting {
  readonly minVersion: number
  readonly maxVersion: number
  /** What follows the versions, `+PACEAPI` for one. */
  readonly options: string
}

/**
 * Reads `API\0`, a length, and `v100..193 +OPTIONS`; undefined until all of it is here.
 * Throws FramingError as soon as the bytes cannot become a greeting.
 */
export function readGreeting(queue: ByteQueue): Greeting | undefined {
  const seen = queue.peek(Math.min(4, queue.size)) ?? Buffer.alloc(0)
  if (!Buffer.from('API\0').subarray(0, seen.length).equals(seen)) {
    throw new FramingError('The connection does not begin with API\\0.')
  }
  const head = queue.peek(8)
  if (!head) return undefined
  const size = head.readUInt32BE(4)
  if (size > MAX_GREETING_BYTES) throw new FramingError(`A greeting of ${size} bytes exceeds ${MAX_GREETING_BYTES}.`)
  if (queue.size < 8 + size) return undefined
  queue.take(8)
  return parseGreeting((queue.take(size) ?? Buffer.alloc(0)).toString('utf8'))
}

function parseGreeting(text: string): Greeting {
  const match = /^v(\d{1,6})(?:\.\.(\d{1,6}))?(?: (.*))?$/.exec(text)
  if (!match) throw new FramingError(`The greeting ${JSON.stringify(text)} names no version range.`)
  const minVersion = Number(match[1])
  return { minVersion, maxVersion: Number(match[2] ?? match[1]), options: match[3] ?? '' }
}

/** The version both speak: the client's maximum or the server's, whichever is lower; undefined where the ranges do not meet. */
export function negotiate(greeting: Greeting, serverVersion: number): number | undefined {
  const version = Math.min(greeting.maxVersion, serverVersion)
  return version >= MIN_SERVER_VERSION && version >= greeting.minVersion ? version : undefined
}
