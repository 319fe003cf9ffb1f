/** Framing: every message is a uint32 big-endian length and a payload of NUL-ended fields. */

/** Clients refuse a message over this many payload bytes; so does the simulator, both ways. */
export const MAX_FRAME_BYTES = 0xff_ff_ff - 4

/** Builds one message: each field, then a NUL, behind the length of them all. */
export function frame(fields: readonly (string | number)[]): Buffer {
  return frameParts([Buffer.from(`${fields.join('\0')}\0`)])
}

/** Builds one message from the pieces of its payload, whose NULs are in place already. */
export function frameParts(parts: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(parts.reduce((sum, part) => sum + part.length, 0))
  return Buffer.concat([head, ...parts])
}

/** The fields of a payload. Split at NUL only: a client's types are its own affair. */
export function splitFields(payload: Buffer): string[] {
  const fields = payload.toString('utf8').split('\0')
  if (fields.at(-1) === '') fields.pop()
  return fields
}

/** The peer broke the framing; nothing after it can be understood. */
export class FramingError extends Error {
  override readonly name = 'FramingError'
}

/** Bytes as they arrive, in whatever pieces; taken out by count. */
export class ByteQueue {
  #chunks: Buffer[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
  }

  /** The first `count` bytes without taking them, or undefined while fewer are here. */
  peek(count: number): Buffer | undefined {
    if (this.#size < count) return undefined
    const first = this.#chunks[0]
    if (first && first.length >= count) return first.subarray(0, count)
    const whole = Buffer.concat(this.#chunks)
    this.#chunks = [whole]
    return whole.subarray(0, count)
  }

  /** Takes `count` bytes, or undefined while fewer are here. */
  take(count: number): Buffer | undefined {
    const bytes = this.peek(count)
    const first = this.#chunks[0]
    if (!bytes || !first) return bytes
    if (first.length === count) this.#chunks.shift()
    else this.#chunks[0] = first.subarray(count)
    this.#size -= count
    return bytes
  }
}

/** Takes the next whole payload off the queue, or undefined until it is complete. Throws FramingError on one too long. */
export function nextFrame(queue: ByteQueue): Buffer | undefined {
  const head = queue.peek(4)
  if (!head) return undefined
  const size = head.readUInt32BE(0)
  if (size > MAX_FRAME_BYTES) throw new FramingError(`A message of ${size} bytes exceeds ${MAX_FRAME_BYTES}.`)
  if (queue.size < 4 + size) return undefined
  queue.take(4)
  return queue.take(size)
}
