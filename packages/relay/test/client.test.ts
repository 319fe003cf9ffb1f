import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BarColumns, TidegateError } from '@tidegate/core'
import { type BarsRequest, createRelay, type Relay } from '@tidegate/relay'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const REQUEST: BarsRequest = {
  contract: { secType: 'STK', symbol: 'AAPL', exchange: 'SMART', currency: 'USD' },
  barSize: '1 min',
  whatToShow: 'TRADES',
  duration: '1 D',
}
const HEAD = { head: { requestId: 'r', barSize: '1 min', whatToShow: 'TRADES' } }

function columns(from: number, count: number): BarColumns {
  const each = <T>(value: (i: number) => T) => Array.from({ length: count }, (_, i) => value(i))
  return {
    t: each((i) => from + i * 60),
    o: each((i) => i + 0.1),
    h: each((i) => i + 1 / 3),
    l: each(() => -1),
    c: each((i) => i),
    v: each((i) => (i % 2 ? null : i)),
    w: each(() => null),
    n: each((i) => i),
  }
}

const doneOf = (bars: number) => ({
  done: { bars, empty: bars === 0, asOf: 1_700_000_000, simulated: true, notices: [] },
})
const linesOf = (...lines: unknown[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

/** A relay whose bridge gives this response to anything. */
function relayTo(respond: (request: Request) => Promise<Response> | Response): Relay {
  return createRelay({ url: 'http://bridge.example:8787', key: 'secret key', fetch: respond })
}

/** A reply in these pieces; an Error among them breaks it off. */
function pieces(parts: readonly (string | Uint8Array | Error)[]): Response {
  const rest = [...parts]
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const part = rest.shift()
      if (part === undefined) controller.close()
      else if (part instanceof Error) controller.error(part)
      else controller.enqueue(typeof part === 'string' ? new TextEncoder().encode(part) : part)
    },
  })
  return new Response(body)
}

async function failure(response: Response): Promise<TidegateError> {
  const error = await relayTo(() => response)
    .bars(REQUEST)
    .catch((cause: unknown) => cause)
  if (!(error instanceof TidegateError)) throw new Error(`It threw no error of ours but ${error}.`)
  return error
}

describe('a bars reply', () => {
  it('is the same bars wherever the network cuts it', async () => {
    const whole = new TextEncoder().encode(
      linesOf(
        HEAD,
        columns(1_700_000_000, 3),
        { note: 'a line of a kind not yet known, — with ünïcödé 🌊' },
        columns(1_700_000_180, 2),
        { done: { ...doneOf(5).done, notices: [{ code: 2188, message: 'up to the second — „data“' }] } },
      ),
    )
    const expected = await relayTo(() => new Response(whole)).bars(REQUEST)
    expect(expected.bars.t).toHaveLength(5)
    expect(expected.bars.v).toEqual([0, null, 2, 0, null])
    expect(expected.done.notices).toEqual([{ code: 2188, message: 'up to the second — „data“' }])
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 40 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length]
        const parts = at.slice(1).map((end, i) => whole.slice(at[i], end))
        expect(await relayTo(() => pieces(parts)).bars(REQUEST)).toEqual(expected)
      }),
    )
  })

  it('broken off anywhere before its last byte is `disconnected`, never fewer bars', async () => {
    const whole = linesOf(HEAD, columns(1_700_000_000, 2), doneOf(2))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), fc.boolean(), async (end, loudly) => {
        const parts = [whole.slice(0, end), ...(loudly ? [new Error('reset by peer')] : [])]
        expect(await failure(pieces(parts))).toMatchObject({ kind: 'disconnected' })
      }),
    )
  })

  it('without bars is empty only by the word of its end', async () => {
    const { bars, done } = await relayTo(() => pieces([linesOf(HEAD, doneOf(0))])).bars(REQUEST)
    expect(bars.t).toEqual([])
    expect(done.empty).toBe(true)
    expect(await failure(pieces([linesOf(HEAD)]))).toMatchObject({ kind: 'disconnected' })
    expect(await failure(new Response(null))).toMatchObject({ kind: 'disconnected' })
    expect(await failure(new Response(null, { status: 204 }))).toMatchObject({ kind: 'disconnected' })
  })

  it('that ends in an error throws that error, with all it says', async () => {
    const error = { kind: 'pacing', message: 'slowly', code: 162, retryAfterMs: 15_000 }
    const thrown = await failure(pieces([linesOf(HEAD, columns(1_700_000_000, 2), { error })]))
    expect(thrown.toJSON()).toEqual(error)
  })

  it.each<[string, unknown[], string]>([
    ['announces other bars than it sent', [HEAD, columns(0, 2), doneOf(3)], 'disconnected'],
    ['has columns of different lengths', [{ ...columns(0, 2), c: [1] }, doneOf(2)], 'internal'],
    ['has text for a price', [{ ...columns(0, 1), o: ['1'] }, doneOf(1)], 'internal'],
    ['has null for a price', [{ ...columns(0, 1), o: [null] }, doneOf(1)], 'internal'],
    ['lacks a column', [{ t: [0] }, doneOf(1)], 'internal'],
    ['ends in a done of another shape', [HEAD, { done: { bars: 0 } }], 'internal'],
    ['ends in an error of another shape', [HEAD, { error: { kind: 'odd', message: 'x' } }], 'internal'],
    ['has a line that is null', [null], 'internal'],
    ['has a line that is a number', [7], 'internal'],
    ['has a line that is a text', ['done'], 'internal'],
  ])('that %s is refused', async (_, lines, kind) => {
    expect(await failure(pieces([linesOf(...lines)]))).toMatchObject({ kind })
  })

  it.each(['<html>\n', '{"done":\n', '{"t":[1}\n'])('that holds %j is refused as `internal`', async (text) => {
    expect(await failure(pieces([linesOf(HEAD), text]))).toMatchObject({ kind: 'internal' })
  })
})

describe('an answer that is no success', () => {
  it('is the bridge’s own error', async () => {
    const error = { kind: 'busy', message: 'the budget is spent', retryAfterMs: 4000 }
    const thrown = await failure(Response.json({ error }, { status: 429 }))
    expect(thrown.toJSON()).toEqual({ ...error, code: undefined })
  })

  it.each([
    [401, 'unauthorized'],
    [429, 'busy'],
    [500, 'internal'],
    [502, 'disconnected'],
    [503, 'disconnected'],
    [504, 'timeout'],
  ])('%i from something in between is %s', async (status, kind) => {
    const page = new Response('<html>Bad gateway</html>', { status, headers: { 'content-type': 'text/html' } })
    expect(await failure(page)).toMatchObject({ kind, message: expect.stringContaining(String(status)) })
  })

  it.each(['null', '7', '"x"', '[]', '{}', '{"error":null}', '{"error":{"kind":"odd","message":"x"}}'])(
    'with the body %s is `internal`',
    async (body) => {
      expect(await failure(new Response(body, { status: 500 }))).toMatchObject({ kind: 'internal' })
    },
  )

  it('a bridge that nobody runs is `disconnected`, and the key is not told', async () => {
    const relay = createRelay({ url: 'http://127.0.0.1:1', key: 'secret key' })
    const thrown = await relay.status().catch((cause: unknown) => cause)
    expect(thrown).toMatchObject({ kind: 'disconnected', message: expect.stringContaining('http://127.0.0.1:1') })
    expect(String(thrown)).not.toContain('secret')
  })
})

describe('what is asked', () => {
  it('goes with the key, as JSON, to its route', async () => {
    const seen: Request[] = []
    const relay = relayTo((request) => {
      seen.push(request)
      return pieces([linesOf(doneOf(0))])
    })
    await relay.bars(REQUEST)
    const [request] = seen
    expect(request?.method).toBe('POST')
    expect(request?.url).toBe('http://bridge.example:8787/v1/bars')
    expect(request?.headers.get('authorization')).toBe('Bearer secret key')
    expect(request?.headers.get('content-type')).toBe('application/json')
    expect(await request?.json()).toEqual(REQUEST)
  })

  it('of contracts comes back as the gateway said it, more than we know included', async () => {
    const details = { contract: { conId: 1, symbol: 'AAPL', secType: 'STK' }, longName: 'Apple', fresh: 1 }
    const ask = (body: string) => relayTo(() => new Response(body)).contracts({ contract: REQUEST.contract })
    expect(await ask(JSON.stringify({ contracts: [details], simulated: true }))).toEqual([details])
    for (const body of [
      '',
      '<html>',
      'null',
      '{}',
      '{"contracts":[]}',
      '{"contracts":[{}]}',
      JSON.stringify({ contracts: [details] }),
    ]) {
      await expect(ask(body)).rejects.toMatchObject({ name: 'TidegateError', kind: 'internal' })
    }
  })

  it.each(['', '<html>', 'null', '{"gateway":{}}'])('a status of %j is `internal`', async (body) => {
    await expect(relayTo(() => new Response(body)).status()).rejects.toMatchObject({
      name: 'TidegateError',
      kind: 'internal',
    })
  })
})

describe('hanging up', () => {
  it('by aborting closes the connection, before the answer and within it', async () => {
    const closed: string[] = []
    const opened: (() => void)[] = []
    const server = createServer((request, response) => {
      response.on('close', () => closed.push(String(request.url)))
      if (request.url === '/v1/bars') response.write(linesOf(HEAD))
      for (const tell of opened.splice(0)) tell()
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    try {
      const relay = createRelay({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'k' })
      for (const ask of [relay.status, (signal: AbortSignal) => relay.bars(REQUEST, signal)]) {
        const hangUp = new AbortController()
        const arrived = new Promise<void>((resolve) => opened.push(resolve))
        const answer = ask(hangUp.signal).catch((cause: unknown) => cause)
        await arrived
        hangUp.abort()
        expect(await answer).toMatchObject({ name: 'TidegateError', kind: 'disconnected' })
      }
      await expect.poll(() => closed).toEqual(['/v1/status', '/v1/bars'])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('is what a reader does that stops before the end', async () => {
    let cancelled = false
    const body = new ReadableStream<Uint8Array>({
      start: (controller) =>
        controller.enqueue(new TextEncoder().encode(linesOf({ error: { kind: 'timeout', message: 'x' } }))),
      cancel() {
        cancelled = true
      },
    })
    expect(await failure(new Response(body))).toMatchObject({ kind: 'timeout' })
    expect(cancelled).toBe(true)
  })
})
