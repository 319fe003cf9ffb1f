import type { SubscriptionRequest } from '@tidegate/relay'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createFakeClock } from './clock.ts'
import { startRawGateway } from './gateway.ts'
import { NOW_SEC } from './market.ts'
import { AAPL, endAll, KEY, onEnd, request, sent, until } from './rig.ts'
import { type RawStream, startListening, startStreams, subscribe } from './streams.ts'

afterEach(endAll)

/** Ends the subscription of an id, and waits until that is said. */
async function end({ say, frame }: RawStream, id: number): Promise<void> {
  say({ id, op: 'unsubscribe' })
  await frame({ id, cancelled: true })
}

describe('the stream has room for', () => {
  it('64 ids on one socket, and for another when one is free', async () => {
    const { raw } = await startStreams({}, { faults: { silentHistory: true } })
    const socket = await raw()
    const { say, frame, frames } = socket
    const bars = (id: number) => say({ id, op: 'bars', ...request({ end: NOW_SEC - id * 3600 }) })
    for (let id = 0; id < 64; id++) bars(id)
    bars(64)
    expect((await frame({ id: 64 })).error).toMatchObject({
      kind: 'busy',
      message: expect.stringMatching(/64.*cancel/),
    })
    say({ id: 5, op: 'cancel' })
    await frame({ id: 5, cancelled: true })
    bars(65)
    bars(66)
    expect((await frame({ id: 66 })).error).toMatchObject({ kind: 'busy' })
    expect(frames.filter(({ id }) => id === 65)).toEqual([])
    // Another socket has room of its own.
    const other = await raw()
    other.say({ id: 1, op: 'status' })
    expect(await other.frame({ id: 1 })).toHaveProperty('done.gateway')
  })

  it('a hundred sockets, and for another when one has closed', async () => {
    const { url, relay } = await startStreams()
    const open = () =>
      new Promise<WebSocket>((resolve, reject) => {
        const socket = new WebSocket(`${url}/v1/stream`, { headers: { authorization: `Bearer ${KEY}` } })
        onEnd(() => socket.terminate())
        socket.once('open', () => resolve(socket))
        socket.once('error', reject)
      })
    const sockets = await Promise.all(Array.from({ length: 100 }, open))
    await expect(open()).rejects.toThrow('429')
    // Whoever asks without a stream is not concerned.
    expect((await relay.status()).gateway.state).toBe('ready')
    const closed = new Promise((resolve) => sockets[0]?.once('close', resolve))
    sockets[0]?.close()
    await closed
    expect((await open()).readyState).toBe(WebSocket.OPEN)
  })

  it('ten subscriptions to bars that stay open at IBKR, whatever the socket; who wants the same shares it', async () => {
    const { raw } = await startStreams()
    const [one, two] = [await raw(), await raw()]
    const bars = ({ say }: RawStream, id: number) => {
      const live = { kind: 'bars', contract: AAPL, barSize: '1 min', whatToShow: 'TRADES', hours: 'all' }
      say({ id, op: 'subscribe', ...live, duration: `${600 + id * 60} S` })
    }
    for (let id = 0; id < 10; id++) {
      const socket = id % 2 === 0 ? one : two
      bars(socket, id)
      await socket.frame({ id, subscribed: true })
    }
    bars(two, 10)
    const refusal = { kind: 'busy', message: expect.stringContaining('10 subscriptions to bars') }
    expect((await two.frame({ id: 10 })).error).toMatchObject(refusal)
    bars(two, 0)
    await two.frame({ id: 0, subscribed: true })
    // It is still wanted by the other.
    await end(one, 0)
    bars(one, 11)
    expect((await one.frame({ id: 11 })).error).toMatchObject(refusal)
    await end(two, 0)
    bars(one, 12)
    await one.frame({ id: 12, subscribed: true })
  })

  it('as many tick-by-tick subscriptions as IBKR takes, and for another when one is ended', async () => {
    const { open, simulator, beat } = await startStreams()
    const stream = await open()
    const ticks = (tickType: 'Last' | 'AllLast' | 'BidAsk' | 'MidPoint') =>
      subscribe(stream, { kind: 'ticks', contract: AAPL, tickType })
    const three = [ticks('Last'), ticks('AllLast'), ticks('BidAsk')]
    await until('they arrived', () => sent(simulator, 97) === 3)
    const refused = { kind: 'busy', code: 10190, retryAfterMs: 15_000 }
    await expect(ticks('MidPoint').over).rejects.toMatchObject(refused)
    three[0]?.end()
    await until('it is ended', () => sent(simulator, 98) === 1)
    // Spelled otherwise, so that it is none that has to rest.
    const again = subscribe(stream, { kind: 'ticks', contract: { ...AAPL, conId: 1 }, tickType: 'MidPoint' })
    await until('it arrived', () => sent(simulator, 97) === 5)
    beat.pass(2)
    await until('ticks come', () => again.all('ticks').length > 0)
  })

  it('sixty new subscriptions to five-second bars in ten minutes, which a cancel does not give back', async () => {
    const gateway = await startRawGateway()
    const clock = createFakeClock()
    const { open } = await startListening(gateway.port, { clock })
    const stream = await open()
    const fives = (n: number, waitMs = 10_000) => {
      const live = { kind: 'realtimeBars', whatToShow: 'TRADES', contract: { ...AAPL, symbol: `S${n}` } } as const
      return subscribe(stream, { ...live, waitMs } satisfies SubscriptionRequest)
    }
    const arrived = () => gateway.received.filter(([id]) => id === '50').length
    const all = Array.from({ length: 60 }, (_, n) => fives(n))
    for (let i = 0; i < 50 && arrived() < 60; i++) await clock.advance(100)
    expect(arrived()).toBe(60)
    all[0]?.end()
    await all[0]?.over
    const refusal = await fives(60, 1000).over.catch((cause) => cause)
    expect(refusal).toMatchObject({ kind: 'busy' })
    expect(refusal.retryAfterMs).toBeGreaterThan(550_000)
    // At once: ten minutes of beats would want the peer to answer each.
    clock.set(clock.now() + refusal.retryAfterMs)
    const late = fives(60, 1000)
    for (let i = 0; i < 20 && arrived() < 61; i++) await clock.advance(100)
    expect([arrived(), late.all('subscribed').length]).toEqual([61, 1])
  })
})
