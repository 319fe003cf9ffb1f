/** A frame over this is no message of the protocol: the stream is out of step. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024
const LENGTH_BYTES = 4
/** What the four letters are when they are read as a length. */
const HTTP = Buffer.from('HTTP').readUInt32BE(0)

/**
 * Cuts a TWS byte stream into its frames (uint32 big-endian length, payload), however the network splits or joins them.
 * Pieces of an unfinished frame are kept apart and joined once, so that a large message costs no more than its bytes.
 */
export function createFrameReader(): (bytes: Buffer) => Buffer[] {
  let pieces: Buffer[] = []
  let held = 0
  let needed = LENGTH_BYTES

  return (bytes) => {
    pieces.push(bytes)
    held += bytes.length
    const frames: Buffer[] = []
    while (held >= needed) {
      const joined = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, held)
      const length = joined.readUInt32BE(0)
      if (length > MAX_FRAME_BYTES) {
        const why = length === HTTP ? ' It answered HTTP: a web server listens there, and no gateway.' : ''
        throw new RangeError(`A frame of ${length} bytes was announced; expected at most ${MAX_FRAME_BYTES}.${why}`)
      }
      const end = LENGTH_BYTES + length
      if (joined.length >= end) {
        frames.push(joined.subarray(LENGTH_BYTES, end))
        pieces = joined.length > end ? [joined.subarray(end)] : []
        held = joined.length - end
        needed = LENGTH_BYTES
      } else {
        pieces = [joined]
        needed = end
      }
    }
    return frames
  }
}

/** The message id a frame begins with; NaN for a frame that begins with no number. */
export function messageId(frame: Buffer): number {
  const end = frame.indexOf(0)
  return end > 0 && end <= 4 ? Number(frame.toString('latin1', 0, end)) : Number.NaN
}
