import { errorBodySchema } from '@tidegate/relay'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { createFakeClock } from './clock.ts'
import { NOW_SEC } from './market.ts'
import { AAPL, endAll, KEY, request, sent, startBridge, startSimulator } from './rig.ts'

afterEach(endAll)

const TEN_THOUSAND = 10_000
const AT_ONCE = 20

/** One good body of every route: what is sent is one of these, bent. */
const GOOD: Readonly<Record<string, object>> = {
  '/v1/bars': request(),
  '/v1/contracts': { contract: AAPL },
  '/v1/contracts/search': { pattern: 'AAPL' },
  '/v1/chains': { symbol: 'AAPL', secType: 'STK', conId: 1 },
  '/v1/ticks': { contract: AAPL, whatToShow: 'TRADES', start: NOW_SEC - 3600 },
  '/v1/head': { contract: AAPL, whatToShow: 'TRADES' },
  '/v1/sessions': { contract: AAPL, duration: '2 D' },
}
const PATHS = [
  ...Object.keys(GOOD),
  '/ready',
  '/v1/status',
  '/metrics',
  '/v1',
  '/v1/../metrics',
  '/v1/bars/',
  '//',
  '/%00',
]

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, '', 0, -1, 1.5, 1e308, -1e308, 9e15, 2 ** 53, 2 ** 31, true, [], {}, [[]]),
  fc.constantFrom<unknown>(
    '\0',
    'STK\0SMART',
    '\n',
    'é',
    '\u{1F4A9}',
    '\ud800',
    'A'.repeat(70),
    '1 D\n',
    '-1 D',
    '99999 Y',
  ),
  fc.constantFrom<unknown>('constructor', '__proto__', '1e999', 'NaN', '9'.repeat(400), { $gt: '' }, { toString: 1 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.anything({ maxDepth: 2, withNullPrototype: true, withBigInt: false }),
)
const name = fc.oneof(
  fc.constantFrom(
    'contract',
    'barSize',
    'whatToShow',
    'hours',
    'start',
    'end',
    'duration',
    'priority',
    'waitMs',
    'caller',
  ),
  fc.constantFrom('count', 'pattern', 'symbol', 'secType', 'conId', 'exchange', 'strike', '__proto__', 'x', ''),
  fc.string({ maxLength: 6 }),
)
/** JSON text of a value, a field of which may be any number at all: JSON knows no largest one. */
const json = (value: unknown) => JSON.stringify(value) ?? 'undefined'
const bent = (good: object) =>
  fc.oneof(
    fc.tuple(name, odd).map(([field, value]) => json({ ...good, [field]: value })),
    fc.tuple(name, odd).map(([field, value]) => json({ ...good, contract: { ...AAPL, [field]: value } })),
    fc
      .tuple(name, fc.constantFrom('1e999', '-1e999', '0.1e-400', '1'.repeat(400)))
      .map(([field, number]) => `${json(good).slice(0, -1)},${json(field)}:${number}}`),
    fc.nat({ max: 200 }).map((end) => json(good).slice(0, end)),
    fc
      .tuple(fc.nat({ max: 100 }), fc.string({ unit: 'binary', maxLength: 3 }))
      .map(([at, text]) => json(good).slice(0, at) + text + json(good).slice(at + text.length)),
  )
const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.json({ maxDepth: 3 }),
  fc.constantFrom('[[[[', '{"a":'.repeat(2000), '['.repeat(5000), '"'.repeat(99), '\uFEFF{}', 'null', '""', '0', '[]'),
)
const headers = fc.record({
  authorization: fc.oneof(
    { weight: 8, arbitrary: fc.constant(`Bearer ${KEY}`) },
    { weight: 1, arbitrary: fc.constantFrom('', 'Bearer', `Bearer ${KEY}${KEY}`, `bearer ${KEY}`, 'Basic eDp5') },
  ),
  'content-type': fc.constantFrom('application/json', 'text/plain', 'application/x-www-form-urlencoded', '', 'x'),
  'x-request-id': fc.oneof(
    fc.constantFrom('', 'a', 'a'.repeat(1000), '../..', '{}'),
    fc.stringMatching(/^[ -~]{0,20}$/),
  ),
  'content-length': fc.constantFrom('', '0', '-1', '1e9', '99999999'),
})
const call = fc.constantFrom(...PATHS).chain((path) =>
  fc.record({
    path: fc.constant(path),
    method: fc.oneof({ weight: 6, arbitrary: fc.constant('POST') }, fc.constantFrom('GET', 'PUT', 'DELETE', 'PATCH')),
    headers,
    body: fc.oneof({ weight: 4, arbitrary: bent(GOOD[path] ?? {}) }, { weight: 1, arbitrary: anything }),
  }),
)

type Call = typeof call extends fc.Arbitrary<infer C> ? C : never

describe('ten thousand requests that nobody meant', () => {
  it('get clean 4xx answers, or are as good as meant, and leave the bridge as it was', async () => {
    const clock = createFakeClock(NOW_SEC * 1000)
    const simulator = await startSimulator({ now: clock.now })
    const { bridge, logged } = await startBridge(simulator.port, { clock })
    const arrivedBefore = simulator.received.length
    const statuses = new Map<number, number>()
    const opened: Promise<unknown>[] = []
    const send = async ({ path, method, headers, body }: Call) => {
      const hangUp = new AbortController()
      const init = { method, headers, body: method === 'GET' ? undefined : body, signal: hangUp.signal }
      const asked = bridge.fetch(new Request(`http://bridge${path}`, init))
      // What is as good as meant goes on to the gateway, or waits for its turn there: it is let go of.
      const response = await Promise.race([asked, turns(40)])
      if (!response) {
        hangUp.abort()
        opened.push(asked)
        return
      }
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
      if (response.status === 200) return
      expect([response.status, path, body]).toEqual([expect.toSatisfy(isClean), path, body])
      const text = await response.text()
      const { error } = JSON.parse(text) as { error: unknown }
      const { message } = errorBodySchema.parse(error)
      expect(message).not.toMatch(/\bat .*\.ts:\d|node_modules|\[object/)
      expect(text).not.toContain(KEY)
    }
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (calls) => {
        await Promise.all(calls.map(send))
      }),
      { numRuns: TEN_THOUSAND / AT_ONCE },
    )
    for (const response of await Promise.all(opened)) expect((response as Response).status).toBeLessThan(504)
    expect(bridge.status().state).toBe('ready')
    expect(statuses.get(400)).toBeGreaterThan(TEN_THOUSAND / 3)
    expect(new Set(statuses.keys())).toEqual(new Set([...statuses.keys(), 200, 400, 401, 404]))
    expect(logged.filter((line) => line.includes('"kind":"internal"'))).toEqual([])
    // Nothing but what the schemas took has gone out, within the message rate of a second that does not pass.
    expect(simulator.received.length - arrivedBefore).toBeLessThan(50)
    expect(sent(simulator, 3)).toBe(0)
  }, 30_000)
})

const isClean = (status: unknown) => typeof status === 'number' && status >= 400 && status < 500

/** Undefined, after some turns of the event loop. */
async function turns(count: number): Promise<undefined> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
  return undefined
}
