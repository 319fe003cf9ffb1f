import { afterEach, describe, expect, it } from 'vitest'
import { NOW_SEC } from './market.ts'
import { AAPL, endAll, KEY, request, sent, until } from './rig.ts'
import { startStreams } from './streams.ts'

afterEach(endAll)

const READ_KEY = 'r'.repeat(32)

describe('requests over a stream', () => {
  it('are answered as over HTTP, many at a time', async () => {
    const { open, relay } = await startStreams()
    const stream = await open()
    const durations = ['1 D', '2 D', '3 D', '4 D']
    const answers = await Promise.all(durations.map((duration) => stream.bars(request({ duration }))))
    for (const [i, duration] of durations.entries()) {
      expect(answers[i]).toEqual(await relay.bars(request({ duration })))
    }
    const ticks = { contract: AAPL, whatToShow: 'TRADES', hours: 'all', start: NOW_SEC - 30 } as const
    expect(await stream.ticks(ticks)).toEqual(await relay.ticks(ticks))
    expect(await stream.contracts({ contract: AAPL })).toEqual(await relay.contracts({ contract: AAPL }))
    expect(await stream.search({ pattern: 'AAP' })).toEqual(await relay.search({ pattern: 'AAP' }))
    const head = { contract: AAPL, whatToShow: 'TRADES' } as const
    expect(await stream.head(head)).toBe(await relay.head(head))
    const week = { contract: AAPL, duration: '5 D' }
    expect(await stream.sessions(week)).toEqual(await relay.sessions(week))
    expect((await stream.status()).gateway.state).toBe('ready')
  })

  it('come in the frames of their own id: head, chunks of at most a thousand bars, done', async () => {
    const { raw } = await startStreams()
    const { say, frames } = await raw()
    say({ id: 'x', op: 'bars', ...request({ barSize: '1 min', duration: '2 D' }) })
    await until('it is done', () => frames.some((one) => 'done' in one))
    const kinds = frames.map((one) => Object.keys(one).filter((name) => name !== 'id'))
    expect(kinds).toEqual([['head'], ['chunk'], ['chunk'], ['chunk'], ['done']])
    expect(frames.every((one) => one.id === 'x')).toBe(true)
    // The id of its line in the log.
    const requestId = expect.stringMatching(/^[\w-]{36}$/)
    expect(frames[0]?.head).toEqual({ requestId, barSize: '1 min', whatToShow: 'TRADES' })
  })

  it('that fail say why, as over HTTP', async () => {
    const { open } = await startStreams()
    const stream = await open()
    const nobody = { ...AAPL, symbol: 'NOBODY' }
    await expect(stream.contracts({ contract: nobody })).rejects.toMatchObject({ kind: 'not-found', code: 200 })
  })

  it('are cancelled at the gateway by whoever hangs up', async () => {
    const { open, simulator } = await startStreams({}, { faults: { silentHistory: true } })
    const stream = await open()
    const caller = new AbortController()
    const asked = stream.bars(request(), caller.signal)
    await until('it is asked', () => sent(simulator, 20) === 1)
    caller.abort()
    await expect(asked).rejects.toMatchObject({ kind: 'disconnected' })
    await until('it is cancelled', () => sent(simulator, 25) === 1)
  })

  it('are cancelled when the socket goes', async () => {
    const { raw, simulator } = await startStreams({}, { faults: { silentHistory: true } })
    const { say, socket } = await raw()
    say({ id: 1, op: 'bars', ...request() })
    await until('it is asked', () => sent(simulator, 20) === 1)
    socket.terminate()
    await until('it is cancelled', () => sent(simulator, 25) === 1)
  })
})

describe('a frame', () => {
  it.each<[string, object | string, number | string | null, string]>([
    ['no JSON', '{', null, 'no JSON'],
    ['no object', '7', null, 'the body'],
    ['nothing of an id', { op: 'bars' }, null, 'id'],
    ['an op that there is not', { id: 1, op: 'trade' }, 1, 'There is no op "trade"'],
    ['a fault within', { id: 2, op: 'bars', ...request(), duration: 'a while' }, 2, 'duration'],
    ['a field too many', { id: 3, op: 'bars', ...request(), color: 'red' }, 3, 'color'],
    ['a field too many beside a status', { id: 5, op: 'status', x: 1 }, 5, 'x'],
    ['a field too many beside a cancel', { id: 6, op: 'cancel', x: 1 }, 6, 'x'],
    ['a subscription to nothing', { id: 'a', op: 'subscribe', kind: 'gossip', contract: AAPL }, 'a', 'kind'],
    ['a null where a contract should be', { id: 4, op: 'subscribe', kind: 'quotes', contract: null }, 4, 'contract'],
  ])('with %s is answered by an error, and the socket lives on', async (_, what, id, words) => {
    const { raw } = await startStreams()
    const { say, frame, frames } = await raw()
    say(what)
    say({ id: 'alive', op: 'status' })
    await until('both are answered', () => frames.length === 2)
    const error = await frame({ id })
    expect(error.error).toMatchObject({ kind: 'invalid', message: expect.stringContaining(words) })
    expect(await frame({ id: 'alive' })).toHaveProperty('done.gateway')
  })

  it('under an id in use disturbs nothing', async () => {
    const { raw, simulator } = await startStreams({}, { faults: { silentHistory: true } })
    const { say, frame, frames } = await raw()
    say({ id: 1, op: 'bars', ...request() })
    await until('it is asked', () => sent(simulator, 20) === 1)
    say({ id: 1, op: 'head', contract: AAPL, whatToShow: 'TRADES' })
    expect((await frame({ id: null })).error).toMatchObject({ message: expect.stringContaining('in use') })
    say({ id: 1, op: 'cancel' })
    await frame({ id: 1, cancelled: true })
    say({ id: 1, op: 'cancel' })
    await frame({ id: 1, cancelled: false })
    expect(frames).toHaveLength(3)
  })

  it('that is too large, or no text, ends the socket', async () => {
    const { raw } = await startStreams()
    const large = await raw()
    large.say({ id: 1, op: 'x'.repeat(70_000) })
    expect(await large.closed).toBe(1009)
    const binary = await raw()
    binary.socket.send(Buffer.from('{}'))
    expect(await binary.closed).toBe(1003)
  })
})

describe('a stream', () => {
  it('is opened by a key alone, where there is one', async () => {
    const { raw, open, url } = await startStreams()
    await expect(raw('wrong'.repeat(8))).rejects.toMatchObject({ message: expect.stringContaining('401') })
    await expect(open('wrong'.repeat(8))).rejects.toMatchObject({ kind: 'disconnected' })
    const upgrade = { headers: { authorization: `Bearer ${KEY}` } }
    expect((await fetch(`${url}/v1/stream`, upgrade)).status).toBe(400)
  })

  it('opened by a key for reading takes requests and no subscription', async () => {
    const { open } = await startStreams({ settings: { readKeys: [READ_KEY] } })
    const stream = await open(READ_KEY)
    expect((await stream.bars(request())).done.bars).toBeGreaterThan(0)
    const subscribed = stream.subscribe({ kind: 'quotes', contract: AAPL }, () => {}, new AbortController().signal)
    await expect(subscribed).rejects.toMatchObject({ kind: 'forbidden' })
  })

  it('ends with the bridge, and says so', async () => {
    const { open, bridge } = await startStreams()
    const stream = await open()
    await bridge.close()
    expect(await stream.closed).toMatchObject({
      kind: 'disconnected',
      message: expect.stringContaining('bridge closes'),
    })
    await expect(stream.status()).rejects.toMatchObject({ kind: 'disconnected' })
  })
})
