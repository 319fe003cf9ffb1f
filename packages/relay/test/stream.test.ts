import { connectByFetch, createStream, opened, type Stream, type StreamSocket } from '@tidegate/relay'
import { describe, expect, it } from 'vitest'

const URL_OF_BRIDGE = 'http://bridge.example:8787'
const CONTRACT = { secType: 'STK', symbol: 'AAPL', exchange: 'SMART' } as const
const BARS = { contract: CONTRACT, barSize: '1 min', whatToShow: 'TRADES', duration: '1 D' } as const
const COLUMNS = { t: [60, 120], o: [1, 1], h: [1, 1], l: [1, 1], c: [1, 1], v: [1, null], w: [1, null], n: [1, null] }
const DONE = { bars: 2, empty: false, asOf: 200, simulated: true, notices: [] }

interface Call {
  readonly id: number
  readonly op: string
}

/** A socket whose other end the test holds. */
function createSocket() {
  const listeners = new Map<string, ((event: { data: unknown; reason?: string }) => void)[]>()
  const said: Call[] = []
  const emit = (type: string, event: object = {}) => {
    for (const hear of listeners.get(type) ?? []) hear({ data: undefined, ...event })
  }
  const socket: StreamSocket = {
    send: (text) => void said.push(JSON.parse(text)),
    close: () => emit('close', { reason: 'by us' }),
    addEventListener(type: string, hear: (event: never) => void) {
      listeners.set(type, [...(listeners.get(type) ?? []), hear as never])
    },
  }
  return { socket, said, emit, tell: (frame: unknown) => emit('message', { data: JSON.stringify(frame) }) }
}

async function joined() {
  const end = createSocket()
  const asked: unknown[] = []
  const connect = async (...all: unknown[]) => {
    asked.push(...all)
    return end.socket
  }
  return { ...end, asked, stream: await createStream({ url: URL_OF_BRIDGE, key: 'secret', connect }) }
}

const failureOf = (promise: Promise<unknown>) => promise.then(() => undefined).catch((error: unknown) => error)

describe('a stream', () => {
  it('is asked for with the key, and asks under ids of its own', async () => {
    const { asked, stream, said, tell } = await joined()
    expect(asked).toEqual([`${URL_OF_BRIDGE}/v1/stream`, { authorization: 'Bearer secret' }])
    const [one, two] = [stream.bars(BARS), stream.head({ contract: CONTRACT, whatToShow: 'TRADES' })]
    expect(said.map(({ id, op }) => [id, op])).toEqual([
      [1, 'bars'],
      [2, 'head'],
    ])
    tell({ id: 2, done: { head: 42, simulated: true } })
    tell({ id: 1, head: { barSize: '1 min' } })
    tell({ id: 1, chunk: COLUMNS })
    tell({ id: 7, done: {} })
    tell({ id: 1, done: DONE })
    expect(await two).toBe(42)
    expect(await one).toEqual({ bars: COLUMNS, done: DONE })
  })

  it('never takes a part for the whole', async () => {
    const { stream, tell } = await joined()
    const answer = stream.bars(BARS)
    tell({ id: 1, chunk: COLUMNS })
    tell({ id: 1, done: { ...DONE, bars: 3 } })
    await expect(answer).rejects.toMatchObject({ kind: 'disconnected', message: expect.stringContaining('3 bars') })
  })

  it.each<[string, object]>([
    ['columns of different lengths', { chunk: { ...COLUMNS, c: [1] } }],
    ['columns that lack one', { chunk: { t: [1] } }],
    ['an end of another shape', { done: { bars: 'many' } }],
  ])('fails a request that is answered by %s, and no other', async (_, frame) => {
    const { stream, tell } = await joined()
    const [bad, good] = [stream.bars(BARS), stream.bars(BARS)]
    tell({ id: 1, ...frame })
    await expect(bad).rejects.toMatchObject({ kind: 'internal' })
    tell({ id: 2, chunk: COLUMNS })
    tell({ id: 2, done: DONE })
    expect((await good).done).toEqual(DONE)
  })

  it('says what the bridge says, with all it says', async () => {
    const { stream, tell } = await joined()
    const answer = stream.bars(BARS)
    const error = { kind: 'pacing', message: 'slowly', code: 162, retryAfterMs: 15_000 }
    tell({ id: 1, error })
    expect(((await failureOf(answer)) as { toJSON(): object }).toJSON()).toEqual(error)
  })

  it.each<[string, (end: Awaited<ReturnType<typeof joined>>) => void]>([
    ['closes', ({ emit }) => emit('close', { reason: 'the bridge closes' })],
    ['breaks', ({ emit }) => emit('error')],
    ['says what is no JSON', ({ emit }) => emit('message', { data: '{' })],
    ['says what is no frame', ({ tell }) => tell({ id: 1, error: 'none' })],
    ['says that we said nonsense', ({ tell }) => tell({ id: null, error: { kind: 'invalid', message: 'no JSON' } })],
  ])('that %s fails everything open, and everything after', async (_, happen) => {
    const end = await joined()
    const answer = failureOf(end.stream.bars(BARS))
    const subscribed = failureOf(subscribe(end.stream))
    happen(end)
    expect(await answer).toMatchObject({ name: 'TidegateError' })
    expect(await subscribed).toMatchObject({ name: 'TidegateError' })
    expect(await end.stream.closed).toMatchObject({ name: 'TidegateError' })
    await expect(end.stream.status()).rejects.toMatchObject({ name: 'TidegateError' })
  })

  it('cancels what its caller leaves, and takes no more of it', async () => {
    const { stream, said, tell } = await joined()
    const caller = new AbortController()
    const answer = stream.bars(BARS, caller.signal)
    caller.abort()
    await expect(answer).rejects.toMatchObject({ kind: 'disconnected' })
    expect(said.at(-1)).toEqual({ id: 1, op: 'cancel' })
    tell({ id: 1, cancelled: true })
    await expect(stream.bars(BARS, caller.signal)).rejects.toMatchObject({ kind: 'disconnected' })
    expect(said).toHaveLength(2)
  })

  it('tells a subscriber each event, until the signal ends it', async () => {
    const { stream, said, tell } = await joined()
    const events: object[] = []
    const caller = new AbortController()
    const over = stream.subscribe({ kind: 'quotes', contract: CONTRACT }, (event) => events.push(event), caller.signal)
    const told = [
      { subscribed: true },
      { quote: { bid: 1 } },
      { dropped: 3 },
      { subscribed: true, gap: { from: 1, to: 2 } },
    ]
    for (const event of told) tell({ id: 1, ...event })
    expect(events).toEqual(told)
    caller.abort()
    await over
    expect(said.at(-1)).toEqual({ id: 1, op: 'cancel' })
  })
})

describe('opening', () => {
  it('a socket waits until it is open, and says why it does not', async () => {
    const good = createSocket()
    const open = opened(good.socket)
    good.emit('open')
    expect(await open).toBe(good.socket)
    const bad = createSocket()
    const refused = failureOf(opened(bad.socket))
    bad.emit('error', { message: 'Unexpected server response: 401' })
    expect(await refused).toMatchObject({ kind: 'disconnected', message: expect.stringContaining('401') })
  })

  it('by a request that is answered without a socket fails with what was answered', async () => {
    const connect = connectByFetch(async (request) => {
      expect(request.headers.get('authorization')).toBe('Bearer secret')
      return new Response('no key', { status: 401 })
    })
    const failed = createStream({ url: URL_OF_BRIDGE, key: 'secret', connect })
    await expect(failed).rejects.toMatchObject({ kind: 'disconnected', message: expect.stringContaining('401 no key') })
  })
})

function subscribe(stream: Stream): Promise<void> {
  return stream.subscribe({ kind: 'quotes', contract: CONTRACT }, () => {}, new AbortController().signal)
}
