import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createOutbox } from '../src/stream/outbox.ts'
import { endAll, onEnd, until } from './rig.ts'

afterEach(endAll)

const FRAME = { text: 'x'.repeat(16_000) }
/** A frame and its head. */
const FRAME_BYTES = 16_100
const KIB = 1024

/** A socket of ours whose peer does not read. */
async function unread() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await new Promise((resolve) => server.once('listening', resolve))
  const ours = new Promise<WebSocket>((resolve) => server.once('connection', resolve))
  const peer = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  peer.on('error', () => {})
  onEnd(() => {
    peer.terminate()
    server.close()
  })
  await new Promise((resolve) => peer.once('open', resolve))
  peer.pause()
  return { ours: await ours, peer }
}

/** Offers until the peer is behind, however much the network itself holds. */
async function fill(offer: () => boolean): Promise<void> {
  for (let refused = 0; refused < 20; ) {
    refused = offer() ? 0 : refused + 1
    await new Promise(setImmediate)
  }
}

describe('what a peer does not read', () => {
  it('is dropped beyond a fixed amount, and there is room when it reads again', async () => {
    const { ours, peer } = await unread()
    let progress = 0
    const outbox = createOutbox(ours, () => progress++)
    await fill(() => outbox.offer(FRAME))
    expect(ours.bufferedAmount).toBeLessThan(256 * KIB + FRAME_BYTES)
    let hasRoom = false
    const waiting = outbox.room(new AbortController().signal).then(() => {
      hasRoom = true
    })
    await new Promise(setImmediate)
    expect(hasRoom).toBe(false)
    const before = progress
    peer.resume()
    await waiting
    expect(ours.bufferedAmount).toBeLessThan(256 * KIB)
    expect(progress).toBeGreaterThan(before)
  })

  it('cuts it off where it is what can not wait', async () => {
    const { ours } = await unread()
    const outbox = createOutbox(ours, () => {})
    await fill(() => outbox.offer(FRAME))
    let most = 0
    for (let i = 0; i < 1000 && ours.readyState === ours.OPEN; i++) {
      outbox.send(FRAME)
      most = Math.max(most, ours.bufferedAmount)
    }
    await until('it is cut off', () => ours.readyState === ours.CLOSED)
    expect(most).toBeLessThan(2048 * KIB + 2 * FRAME_BYTES)
    outbox.send(FRAME)
  })

  it('keeps nobody waiting who has hung up', async () => {
    const { ours } = await unread()
    const outbox = createOutbox(ours, () => {})
    await fill(() => outbox.offer(FRAME))
    const caller = new AbortController()
    const waiting = outbox.room(caller.signal)
    caller.abort()
    await waiting
  })
})
