import { messageId } from './frames.ts'

/**
 * The messages that may leave the socket: everything else, orders above all, can't, whoever calls it.
 * Ids of the TWS API: 9 contract details, 14 log level, 17 accounts, 20/25 history and its cancel, 49 time, 59 data type, 71 start.
 */
const ALLOWED: ReadonlySet<number> = new Set([9, 14, 17, 20, 25, 49, 59, 71])
const HANDSHAKE = 'API\0'
const LENGTH_BYTES = 4

/** Throws unless the bytes are exactly one frame, or the handshake, that is on the allow-list. */
export function assertAllowed(bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const greets = buffer.toString('latin1', 0, HANDSHAKE.length) === HANDSHAKE
  const frame = greets ? buffer.subarray(HANDSHAKE.length) : buffer
  const whole = frame.length > LENGTH_BYTES && frame.readUInt32BE(0) === frame.length - LENGTH_BYTES
  if (greets && whole) return
  const id = whole ? messageId(frame.subarray(LENGTH_BYTES)) : Number.NaN
  if (!ALLOWED.has(id))
    throw new Error(`Message ${id} may not leave the bridge: it reads market data and can not trade.`)
}
