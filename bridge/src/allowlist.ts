import { messageId } from './frames.ts'

/**
 * The messages that may leave the socket, by their ids in the TWS API, each with what it is for.
 * Everything else, orders above all, can't leave, whoever calls it.
 */
export const ALLOWED: ReadonlyMap<number, string> = new Map([
  [1, 'quotes'],
  [2, 'their cancel'],
  [9, 'contract details'],
  [14, 'log level, which the library sends by itself'],
  [17, 'the list of accounts: ready means that one is named'],
  [20, 'historical bars and sessions'],
  [25, 'their cancel'],
  [49, 'the gateway’s clock, and whether it is alive'],
  [50, 'real-time bars'],
  [51, 'their cancel'],
  [59, 'market data type'],
  [71, 'start, after the greeting'],
  [78, 'option chains'],
  [81, 'symbol search'],
  [87, 'head timestamps'],
  [90, 'their cancel'],
  [96, 'historical ticks'],
  [97, 'tick-by-tick data'],
  [98, 'their cancel'],
])
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
