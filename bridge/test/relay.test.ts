import { once } from 'node:events'
import { createConnection } from 'node:net'
import { SEC_TYPES } from '@tidegate/core'
import {
  barColumnsSchema,
  barsDoneSchema,
  barsHeadSchema,
  errorBodySchema,
  statusSchema,
  WHAT_TO_SHOW,
} from '@tidegate/relay'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { createFakeClock } from './clock.ts'
import { NOW_SEC } from './market.ts'
import { AAPL, endAll, KEY, type Rig, request, sent, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

const SECOND_KEY = 's'.repeat(40)

function call(
  { bridge }: Rig,
  path: string,
  body?: BodyInit,
  authorization: string | null = `Bearer ${KEY}`,
): Promise<Response> {
  const headers = authorization === null ? undefined : { authorization }
  return bridge.fetch(
    new Request(`http://bridge${path}`, { method: body === undefined ? 'GET' : 'POST', headers, body }),
  )
}

async function errorIn(response: Response): Promise<{ kind: string; message: string }> {
  const { error } = (await response.json()) as { error: unknown }
  return errorBodySchema.parse(error)
}

describe('the relay', () => {
  it('lets no one in without a key, anywhere but at /health', async () => {
    const simulator = await startSimulator()
    const rig = await startBridge(simulator.port, { settings: { keys: [KEY, SECOND_KEY] } })
    expect(await (await call(rig, '/health', undefined, null)).json()).toEqual({ alive: true })
    const routes = ['/ready', '/v1/status', '/v1/contracts', '/v1/bars', '/metrics', '/v1/anything', '/']
    const wrong = [
      null,
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${KEY}x`,
      `Bearer ${KEY.slice(1)}`,
      KEY,
      `Basic ${KEY}`,
      `Bearer ${KEY} ${KEY}`,
    ]
    for (const path of routes) {
      for (const authorization of wrong) {
        const response = await call(rig, path, JSON.stringify(request()), authorization)
        expect([path, authorization, response.status]).toEqual([path, authorization, 401])
        expect(await errorIn(response)).toMatchObject({
          kind: 'unauthorized',
          message: expect.stringContaining('Bearer KEY'),
        })
      }
    }
    expect(sent(simulator, 20)).toBe(0)
    for (const key of [KEY, SECOND_KEY]) {
      expect((await call(rig, '/v1/status', undefined, `Bearer ${key}`)).status).toBe(200)
    }
    expect(rig.logged.join('\n')).not.toMatch(/kkkk|ssss/)
  })

  it('has no key where the settings have none', async () => {
    const rig = await startBridge((await startSimulator()).port, { settings: { keys: [] } })
    for (const key of ['', 'undefined', KEY])
      expect((await call(rig, '/v1/status', undefined, `Bearer ${key}`)).status).toBe(401)
  })

  it('says whether it is ready, and why not', async () => {
    const simulator = await startSimulator()
    const rig = await startBridge(simulator.port)
    expect(await (await call(rig, '/ready')).json()).toEqual({ ready: true })
    await simulator.close()
    await expect.poll(async () => (await call(rig, '/ready')).status).toBe(503)
    expect(await (await call(rig, '/ready')).json()).toEqual({
      ready: false,
      reason: expect.stringContaining('127.0.0.1'),
    })
  })

  it('tells its state, the accounts masked, there and in the log', async () => {
    const simulator = await startSimulator({ accounts: ['DU1234567', 'F7654321'] })
    const rig = await startBridge(simulator.port)
    const said: unknown = await (await call(rig, '/v1/status')).json()
    const status = statusSchema.parse(said)
    // The schema leaves out what it does not know.
    expect(status).toEqual(said)
    expect(status).toMatchObject({
      gateway: {
        state: 'ready',
        accounts: ['DU*****67', 'F*****21'],
        mode: 'paper',
        simulated: false,
        serverVersion: 193,
      },
      pacing: {
        open: 0,
        maxOpen: 32,
        queued: 0,
        queuedBy: { interactive: 0, scheduled: 0, backfill: 0 },
        maxMessagesPerSecond: 45,
        left: { small: 60, open: 32 },
        heldMs: { messages: 0, small: 0 },
      },
    })
    expect(status.gateway.farms.map((farm) => farm.name)).toContain('ushmds')
    const { messagesInLastSecond, left } = status.pacing
    expect(messagesInLastSecond).toBeGreaterThan(2)
    expect(left.messages).toBe(45 - messagesInLastSecond)
    expect(await rig.relay.status()).toMatchObject({ pacing: { left: { small: 60 } } })
    expect(rig.logged.join('\n')).not.toMatch(/1234567|7654321/)
    const simulated = await startBridge((await startSimulator()).port)
    expect(simulated.bridge.status()).toMatchObject({ simulated: true, mode: 'paper' })
  })

  it('answers bars in lines of the schema, a thousand bars at most in one', async () => {
    const rig = await startBridge((await startSimulator()).port)
    const response = await call(rig, '/v1/bars', JSON.stringify(request({ barSize: '1 min', duration: '3 D' })))
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
    const text = await response.text()
    expect(text.endsWith('\n')).toBe(true)
    const [head, ...rest] = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { head?: unknown; done?: unknown })
    expect(barsHeadSchema.strict().parse(head?.head)).toMatchObject({ barSize: '1 min', whatToShow: 'TRADES' })
    const done = barsDoneSchema.strict().parse(rest.pop()?.done)
    const columns = rest.map((line) => barColumnsSchema.strict().parse(line))
    const lengths = columns.map((line) => [...new Set(Object.values(line).map((column) => column.length))])
    expect(lengths.every((each) => each.length === 1 && (each[0] ?? 0) <= 1000)).toBe(true)
    expect(lengths.flat().reduce((sum, length) => sum + length, 0)).toBe(done.bars)
    expect(done.bars).toBeGreaterThan(3900)
    expect(lengths.flat().slice(0, -1)).toEqual(
      lengths
        .flat()
        .slice(0, -1)
        .map(() => 1000),
    )
  })

  it('says when to come again in the header too', async () => {
    const text = 'Historical Market Data Service error message:Historical data request pacing violation'
    const simulator = await startSimulator()
    const rig = await startBridge(simulator.port)
    simulator.faults.refuseHistory = { times: 1, text }
    expect((await call(rig, '/v1/bars', JSON.stringify(request({ waitMs: 0 })))).status).toBe(429)
    await simulator.close()
    await expect.poll(async () => (await call(rig, '/ready')).status).toBe(503)
    const response = await call(rig, '/v1/bars', JSON.stringify(request({ duration: '2 D', waitMs: 0 })))
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30'])
  })

  it('says where there is nothing', async () => {
    const rig = await startBridge((await startSimulator()).port)
    const response = await call(rig, '/v1/nothing')
    expect(response.status).toBe(404)
    expect(await errorIn(response)).toMatchObject({ kind: 'not-found', message: 'There is no GET /v1/nothing here.' })
  })
})

describe('a caller that breaks off within its body', () => {
  it.each(['content-length: 100', 'transfer-encoding: chunked'])('(%s) is at fault himself', async (header) => {
    const simulator = await startSimulator()
    const { bridge, logged } = await startBridge(simulator.port, { listen: true })
    const url = new URL(bridge.url ?? '')
    const socket = createConnection(Number(url.port), url.hostname)
    socket.on('error', () => {})
    const asked = `POST /v1/bars HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\nexpect: 100-continue`
    socket.write(`${asked}\r\n${header}\r\n\r\n5\r\n{"a":`)
    // It has the head, and waits for the body.
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1.1 100 /)
    socket.destroy()
    await until('it is told', () => logged.some((line) => line.includes('"path":"/v1/bars"')))
    expect(logged.find((line) => line.includes('"path":"/v1/bars"'))).toContain('"kind":"invalid"')
  })
})

describe('bad input', () => {
  const bars = (changes: object) => JSON.stringify({ ...request(), ...changes })
  const contract = (changes: object) => bars({ contract: { ...AAPL, ...changes } })
  const cases: readonly (readonly [what: string, body: string, named: string])[] = [
    ['no JSON', '{', 'The body is no JSON'],
    ['nothing', '', 'The body is no JSON'],
    ['another type', '[]', 'the body'],
    ['null', 'null', 'the body'],
    ['an unknown field', bars({ barsize: '1 min' }), 'barsize'],
    ['an unknown field within', contract({ sectype: 'STK' }), 'contract'],
    ['an unknown bar size', bars({ barSize: '7 mins' }), 'barSize'],
    ['an unknown kind', bars({ whatToShow: 'PRICES' }), 'whatToShow'],
    ['an end that is no number', bars({ end: '2024-01-01' }), 'end'],
    ['an end beyond every date', bars({ end: 9e15 }), 'end'],
    ['a negative end', bars({ end: -1 }), 'end'],
    ['an end with a fraction', bars({ end: 1.5 }), 'end'],
    ['a duration of no unit', bars({ duration: '6' }), 'duration'],
    ['a duration of none', bars({ duration: '0 D' }), 'duration'],
    ['endless patience', bars({ waitMs: 1e12 }), 'waitMs'],
    ['a huge id', contract({ conId: 1e300 }), 'contract.conId'],
    ['an id beyond IBKR’s', contract({ conId: 3_000_000_000 }), 'contract.conId'],
    ['a huge strike', contract({ strike: 1e308 }), 'contract.strike'],
    ['a multiplier that is none', contract({ multiplier: 'many' }), 'contract.multiplier'],
    ['a symbol too long', contract({ symbol: 'A'.repeat(65) }), 'contract.symbol'],
    ['a symbol that would shift the protocol’s fields', contract({ symbol: 'AAPL\0STK\0' }), 'contract.symbol'],
    ['an exchange that would', contract({ exchange: 'SMART\0' }), 'contract.exchange'],
    ['too big a body', bars({ caller: 'x'.repeat(70_000) }), 'The body is larger than 65536 bytes'],
  ]

  it.each(cases)('%s is refused, and what is wrong is named', async (_, body, named) => {
    const simulator = await startSimulator()
    const rig = await startBridge(simulator.port)
    const response = await call(rig, '/v1/bars', body)
    expect(response.status).toBe(400)
    expect(await errorIn(response)).toMatchObject({ kind: 'invalid', message: expect.stringContaining(named) })
    expect(sent(simulator, 20)).toBe(0)
  })

  it('too big a body without a length is refused as well', async () => {
    const rig = await startBridge((await startSimulator()).port, { listen: true })
    const body = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 100; i++) controller.enqueue(new TextEncoder().encode('x'.repeat(1000)))
        controller.close()
      },
    })
    const init: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
      body,
      duplex: 'half',
    }
    const response = await fetch(`${rig.bridge.url}/v1/bars`, init)
    expect(response.status).toBe(400)
    expect(await errorIn(response)).toMatchObject({ message: 'The body is larger than 65536 bytes.' })
  })

  it('of any shape never gives a 5xx', async () => {
    const clock = createFakeClock(NOW_SEC * 1000)
    const simulator = await startSimulator({ now: clock.now })
    const rig = await startBridge(simulator.port, { clock })
    const anything = fc.oneof(
      fc.json(),
      fc.string(),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    )
    const oddity = fc.oneof(
      fc.constantFrom(null, '', 0, -1, 1e308, 9e15, true, [], {}, '\0', 'STK', '1 min', 'é', '\u{1F4A9}', '1 D\n'),
      fc.anything({ maxDepth: 1 }),
    )
    const field = fc.constantFrom(
      'contract',
      'barSize',
      'whatToShow',
      'hours',
      'end',
      'duration',
      'priority',
      'waitMs',
      'caller',
      'x',
    )
    const inner = fc.constantFrom(
      'conId',
      'symbol',
      'secType',
      'strike',
      'right',
      'multiplier',
      'exchange',
      'includeExpired',
      '__proto__',
    )
    // The clock stands still during a call: none may be ready to wait for its turn, as one is that says nothing of it.
    const isPatient = (waitMs: unknown) => waitMs === undefined || Number(waitMs) > 0
    const bent = fc
      .tuple(field, oddity)
      .filter(([name, value]) => name !== 'waitMs' || !isPatient(value))
      .map(([name, value]) => JSON.stringify({ ...request({ waitMs: 0 }), [name]: value }))
    const bentWithin = fc
      .tuple(inner, oddity)
      .map(([name, value]) => JSON.stringify({ ...request({ waitMs: 0 }), contract: { ...AAPL, [name]: value } }))
    // What the schema takes, however odd: the gateway has to cope with it, and the bridge with the gateway's answer.
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
    const odd = fc.record(
      {
        conId: fc.integer({ min: 1, max: 9 }),
        symbol: word,
        secType: fc.constantFrom(...SEC_TYPES),
        lastTradeDateOrContractMonth: fc.constantFrom('202606', '20261399', '000000'),
        strike: fc.double({ min: 0, max: 1e9, noNaN: true }),
        right: fc.constantFrom('C', 'P'),
        multiplier: fc.constantFrom('50', '0', '0.0000001', '9999999999999999'),
        exchange: fc.oneof(fc.constantFrom('', 'SMART'), word),
        localSymbol: word,
        includeExpired: fc.boolean(),
      },
      { requiredKeys: ['secType', 'exchange'] },
    )
    const plausible = fc
      .record({
        contract: odd,
        barSize: fc.constantFrom('1 day', '1 week', '1 month', '1 secs'),
        whatToShow: fc.constantFrom(...WHAT_TO_SHOW),
        duration: fc
          .tuple(fc.integer({ min: 1, max: 99_999 }), fc.constantFrom('S', 'D', 'W', 'M', 'Y'))
          .map((one) => one.join(' ')),
        end: fc.oneof(fc.constant(undefined), fc.nat(), fc.constantFrom(0, 253_402_300_799)),
        waitMs: fc.constant(0),
      })
      .map((one) => JSON.stringify(one))
    const asked = odd.map((contract) => JSON.stringify({ contract, waitMs: 0 }))
    const path = fc.constantFrom('/v1/bars', '/v1/contracts')
    const statuses = new Set<number>()
    await fc.assert(
      fc.asyncProperty(path, fc.oneof(anything, bent, bentWithin, plausible, asked), async (to, body) => {
        const response = await call(rig, to, body ?? '')
        statuses.add(response.status)
        // Time enough for one more message, so that what the schema lets through does reach the gateway.
        await clock.advanceQuickly(25)
        expect([response.status, body]).toEqual([expect.toSatisfy((status: number) => status < 500), body])
        if (response.status !== 200) await errorIn(response)
      }),
      { numRuns: 2000 },
    )
    expect(rig.bridge.status().state).toBe('ready')
    expect(statuses).toEqual(new Set([...statuses, 200, 400]))
    expect(sent(simulator, 20) + sent(simulator, 9)).toBeGreaterThan(200)
  })
})
