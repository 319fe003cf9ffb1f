import { type Contract, type ErrorKind, emptyBars, TidegateError } from '@tidegate/core'
import { type BarsRequest, type BridgeStatus, createRelays, type Relay } from '@tidegate/relay'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const AAPL: Contract = { secType: 'STK', symbol: 'AAPL', exchange: 'SMART', primaryExchange: 'NASDAQ', currency: 'USD' }
const IBM: Contract = { secType: 'STK', symbol: 'IBM', exchange: 'SMART', primaryExchange: 'NYSE', currency: 'USD' }
const ES: Contract = { secType: 'FUT', symbol: 'ES', exchange: 'CME', currency: 'USD' }
const EUR: Contract = { secType: 'CASH', symbol: 'EUR', exchange: 'IDEALPRO', currency: 'USD' }
const HOUR_MS = 3_600_000

type Fault = ErrorKind | TidegateError

interface FakeBridge {
  readonly name: string
  readonly relay: Relay
  readonly markets?: readonly string[]
  readonly asked: string[]
  looks: number
  gateway: Partial<BridgeStatus['gateway']>
  pacing: Partial<BridgeStatus['pacing']>
  /** What befalls the next requests; the last for ever. */
  faults: (Fault | undefined)[]
  /** What answers wait for. */
  hold: Promise<void> | undefined
  isGone: boolean
}

function bridgeOf(name: string, markets?: readonly string[]): FakeBridge {
  const answer = async <T>(text: string, value: T, signal?: AbortSignal): Promise<T> => {
    bridge.asked.push(text)
    await bridge.hold
    const fault = bridge.faults.length > 1 ? bridge.faults.shift() : bridge.faults[0]
    if (signal?.aborted) throw new TidegateError('disconnected', 'hung up')
    if (fault !== undefined) throw typeof fault === 'string' ? new TidegateError(fault, `${name} says ${fault}`) : fault
    return value
  }
  const done = { bars: 0, empty: true, asOf: 0, simulated: false, notices: [] }
  const relay: Relay = {
    contracts: (_, signal) => answer('contracts', [], signal),
    search: (_, signal) => answer('search', [], signal),
    chains: (_, signal) => answer('chains', [], signal),
    bars: ({ contract }, signal) => answer(`bars ${contract.symbol}`, { bars: emptyBars(), done }, signal),
    ticks: async () => {
      throw new Error('not asked for')
    },
    head: (_, signal) => answer('head', 0, signal),
    sessions: (_, signal) =>
      answer('sessions', { zone: 'US/Eastern', sessions: [], empty: true, simulated: true }, signal),
    async status() {
      bridge.looks++
      if (bridge.isGone) throw new TidegateError('disconnected', `${name} did not answer`)
      return {
        gateway: {
          ...{ host: name, port: 4002, state: 'ready', phase: 'ready', accounts: [], mode: 'paper' },
          ...{ simulated: false, farms: [], ...bridge.gateway },
        },
        pacing: {
          ...{ open: 0, maxOpen: 32, queued: 0, queuedBy: { interactive: 0, scheduled: 0, backfill: 0 } },
          ...{ messagesInLastSecond: 0, maxMessagesPerSecond: 45, left: { messages: 45, small: 60, open: 32 } },
          heldMs: { messages: 0, small: 0 },
          ...bridge.pacing,
        },
      }
    },
  }
  const bridge: FakeBridge = {
    ...{ name, relay, markets, asked: [], looks: 0, gateway: {}, pacing: {}, faults: [] },
    ...{ hold: undefined, isGone: false },
  }
  return bridge
}

function setUp(...bridges: FakeBridge[]) {
  const clock = { nowMs: 1_700_000_000_000 }
  const relay = createRelays(bridges, { now: () => clock.nowMs, timeout: () => new AbortController().signal })
  const bars = (contract: Contract, more: Partial<BarsRequest> = {}, signal?: AbortSignal) =>
    relay.bars({ contract, barSize: '1 min', whatToShow: 'TRADES', duration: '1 D', ...more }, signal)
  return { relay, bars, clock }
}

const counts = (...bridges: FakeBridge[]) => bridges.map(({ asked }) => asked.length)

describe('several bridges', () => {
  it('share the requests, each to the one with the fewest open', async () => {
    const [a, b, c] = [bridgeOf('a'), bridgeOf('b'), bridgeOf('c')]
    const { bars } = setUp(a, b, c)
    const open = Promise.withResolvers<void>()
    for (const bridge of [a, b, c]) bridge.hold = open.promise
    const all = Array.from({ length: 30 }, () => bars(AAPL))
    // What others have open there counts as well, once it was looked at.
    await expect.poll(() => counts(a, b, c)).toEqual([10, 10, 10])
    open.resolve()
    await Promise.all(all)
    for (let i = 0; i < 6; i++) await bars(IBM)
    expect(counts(a, b, c)).toEqual([12, 12, 12])
  })

  it('are told apart by what others ask of them, looked at every few seconds and no more', async () => {
    const [a, b] = [bridgeOf('a'), bridgeOf('b')]
    a.pacing = { open: 20, queued: 40 }
    const { bars, clock } = setUp(a, b)
    for (let i = 0; i < 10; i++) await bars(AAPL)
    expect(counts(a, b)).toEqual([0, 10])
    expect([a.looks, b.looks]).toEqual([1, 1])
    clock.nowMs += 5000
    a.pacing = {}
    b.pacing = { open: 32 }
    await bars(AAPL)
    expect(counts(a, b)).toEqual([1, 10])
    expect([a.looks, b.looks]).toEqual([2, 2])
  })

  it('take small bars where most of their budget is left, BID_ASK twice', async () => {
    const [a, b] = [bridgeOf('a'), bridgeOf('b')]
    const left = (small: number) => ({ left: { messages: 45, small, open: 32 } })
    a.pacing = left(10)
    b.pacing = left(16)
    const { bars } = setUp(a, b)
    const small = { barSize: '5 secs', whatToShow: 'BID_ASK' } as const
    for (let i = 0; i < 3; i++) await bars(AAPL, small)
    expect(counts(a, b)).toEqual([0, 3])
    for (let i = 0; i < 4; i++) await bars(AAPL, small)
    expect(counts(a, b)).toEqual([2, 5])
  })

  it('are asked for their markets alone; details and names by any', async () => {
    const [a, b] = [bridgeOf('a', ['NASDAQ', 'CASH:*']), bridgeOf('b', ['CME', 'STK:NYSE'])]
    const { relay, bars } = setUp(a, b)
    for (let i = 0; i < 2; i++) for (const contract of [AAPL, ES, EUR, IBM]) await bars(contract)
    expect(new Set(a.asked)).toEqual(new Set(['bars AAPL', 'bars EUR']))
    expect(new Set(b.asked)).toEqual(new Set(['bars ES', 'bars IBM']))
    await expect(bars({ ...EUR, secType: 'BOND', exchange: 'XETRA' })).rejects.toMatchObject({
      kind: 'no-permission',
      message: expect.stringContaining('BOND:XETRA'),
    })
    for (let i = 0; i < 4; i++) await relay.contracts({ contract: ES })
    expect(a.asked.filter((one) => one === 'contracts')).toHaveLength(2)
  })

  it('learn for an hour which of them has no permission for a market, and ask it last', async () => {
    const [a, b] = [bridgeOf('a'), bridgeOf('b')]
    a.faults = ['no-permission']
    const { bars, clock } = setUp(a, b)
    for (let i = 0; i < 6; i++) await bars(AAPL)
    expect(counts(a, b)).toEqual([1, 6])
    // Not of other markets.
    await bars(ES)
    expect(counts(a, b)).toEqual([2, 7])
    a.faults = []
    clock.nowMs += HOUR_MS
    for (let i = 0; i < 4; i++) await bars(AAPL)
    expect(a.asked.length).toBeGreaterThan(2)
  })

  it('say that there is no permission when none of them has it', async () => {
    const [a, b] = [bridgeOf('a'), bridgeOf('b')]
    a.faults = ['no-permission']
    b.faults = ['no-permission']
    const { bars } = setUp(a, b)
    for (let i = 0; i < 2; i++) await expect(bars(AAPL)).rejects.toMatchObject({ kind: 'no-permission' })
    expect(counts(a, b)).toEqual([2, 2])
  })

  it('keep out one that is busy for as long as it said, for what it is busy with', async () => {
    const [a, b] = [bridgeOf('a'), bridgeOf('b')]
    a.faults = [new TidegateError('busy', 'later', { retryAfterMs: 3000 }), undefined]
    const { bars, clock } = setUp(a, b)
    await bars(AAPL)
    expect(counts(a, b)).toEqual([1, 1])
    for (let i = 0; i < 3; i++) await bars(AAPL)
    expect(counts(a, b)).toEqual([1, 4])
    await bars(AAPL, { priority: 'backfill' })
    await bars(AAPL, { barSize: '5 secs' })
    expect(a.asked.length).toBeGreaterThan(1)
    const before = a.asked.length
    clock.nowMs += 3000
    for (let i = 0; i < 4; i++) await bars(AAPL)
    expect(a.asked.length).toBeGreaterThan(before)
  })

  it('are busy together until the first of them is not, and are not even asked', async () => {
    const [a, b] = [bridgeOf('a'), bridgeOf('b')]
    a.faults = [new TidegateError('busy', 'later', { retryAfterMs: 9000 })]
    b.faults = [new TidegateError('busy', 'later', { retryAfterMs: 4000 })]
    const { bars, clock } = setUp(a, b)
    await expect(bars(AAPL)).rejects.toMatchObject({ kind: 'busy', retryAfterMs: 4000 })
    clock.nowMs += 1000
    await expect(bars(AAPL)).rejects.toMatchObject({ kind: 'busy', retryAfterMs: 3000 })
    expect(counts(a, b)).toEqual([1, 1])
  })

  it.each(['disconnected', 'login-required', 'competing-session', 'farm-down', 'unauthorized'] as const)(
    'pass over one that is %s, and ask it again when it is well',
    async (kind) => {
      const [a, b] = [bridgeOf('a'), bridgeOf('b')]
      a.faults = [kind, undefined]
      const { bars, clock } = setUp(a, b)
      for (let i = 0; i < 4; i++) await bars(AAPL)
      expect(counts(a, b)).toEqual([1, 4])
      a.isGone = true
      clock.nowMs += 15_000
      for (let i = 0; i < 4; i++) await bars(AAPL)
      expect(counts(a, b)).toEqual([1, 8])
      expect(a.looks).toBe(2)
      a.isGone = false
      clock.nowMs += 15_000
      for (let i = 0; i < 4; i++) await bars(AAPL)
      expect(counts(a, b)).toEqual([3, 10])
    },
  )

  it('ask again soon one that failed once, and is well when it is looked at', async () => {
    const [a, b] = [bridgeOf('a'), bridgeOf('b')]
    a.faults = ['disconnected', undefined]
    const { bars, clock } = setUp(a, b)
    for (let i = 0; i < 3; i++) await bars(AAPL)
    expect(counts(a, b)).toEqual([1, 3])
    clock.nowMs += 1000
    for (let i = 0; i < 4; i++) await bars(AAPL)
    expect(counts(a, b)).toEqual([3, 5])
  })

  it('leave out one that takes too long to say how it is: not the first time, but the second', async () => {
    const [a, b] = [bridgeOf('a'), bridgeOf('b')]
    const { relay, clock } = setUp(a, b)
    const slow = AbortSignal.abort()
    a.isGone = true
    const search = () => relay.search({ pattern: 'A' })
    await search()
    a.isGone = false
    clock.nowMs += 15_000
    await search()
    const before = a.asked.length
    a.isGone = true
    await relay.status(slow)
    for (let i = 0; i < 4; i++) await search()
    expect(a.asked.length).toBeGreaterThan(before)
    const after = a.asked.length
    await relay.status(slow)
    for (let i = 0; i < 4; i++) await search()
    expect(a.asked).toHaveLength(after)
  })

  it('leave out at once one whose gateway is logged out, without asking it', async () => {
    const [a, b] = [bridgeOf('a'), bridgeOf('b')]
    a.gateway = { state: 'down', phase: 'login-required', reason: 'log in' }
    const { bars } = setUp(a, b)
    for (let i = 0; i < 3; i++) await bars(AAPL)
    expect(counts(a, b)).toEqual([0, 3])
    b.gateway = a.gateway
    const { bars: alone } = setUp(a, b)
    await expect(alone(AAPL)).rejects.toMatchObject({
      kind: 'login-required',
      message: expect.stringContaining('log in'),
    })
  })

  it('are one error when all of them fail: that of the one that can soonest', async () => {
    const order = ['busy', 'farm-down', 'competing-session', 'disconnected', 'login-required', 'no-permission'] as const
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...order), { minLength: 1, maxLength: 5 }), async (kinds) => {
        const bridges = kinds.map((kind, i) => {
          const bridge = bridgeOf(`bridge-${i}`)
          bridge.faults = [kind]
          return bridge
        })
        const { bars } = setUp(...bridges)
        const first = order.find((kind) => kinds.some((one) => one === kind))
        await expect(bars(AAPL)).rejects.toMatchObject({ kind: first })
        expect(counts(...bridges)).toEqual(kinds.map(() => 1))
      }),
      { numRuns: 25 },
    )
  })

  it.each(['invalid', 'not-found', 'timeout', 'internal'] as const)(
    'ask nobody else after %s: that is about the request',
    async (kind) => {
      const [a, b] = [bridgeOf('a'), bridgeOf('b')]
      a.faults = [kind]
      const { bars } = setUp(a, b)
      await expect(bars(AAPL)).rejects.toMatchObject({ kind })
      expect(counts(a, b)).toEqual([1, 0])
      await bars(AAPL)
      expect(counts(a, b)).toEqual([1, 1])
    },
  )

  it('end with who hangs up, and hold nothing against the bridge', async () => {
    const [a, b] = [bridgeOf('a'), bridgeOf('b')]
    const { bars } = setUp(a, b)
    const hangUp = new AbortController()
    const open = Promise.withResolvers<void>()
    a.hold = open.promise
    const asked = bars(AAPL, {}, hangUp.signal)
    await expect.poll(() => a.asked.length).toBe(1)
    hangUp.abort()
    open.resolve()
    await expect(asked).rejects.toMatchObject({ kind: 'disconnected' })
    expect(counts(a, b)).toEqual([1, 0])
    for (let i = 0; i < 2; i++) await bars(AAPL)
    expect(counts(a, b)).toEqual([2, 1])
  })

  it('are refused while one of them is simulated and another is not', async () => {
    const [a, b] = [bridgeOf('a'), bridgeOf('b')]
    a.gateway = { simulated: true }
    const { relay, bars } = setUp(a, b)
    const mixed = { kind: 'invalid', message: expect.stringMatching(/"a" is connected to the simulator and "b"/) }
    await expect(bars(AAPL)).rejects.toMatchObject(mixed)
    await expect(relay.status()).rejects.toMatchObject(mixed)
    expect(counts(a, b)).toEqual([0, 0])
    b.gateway = { simulated: true }
    expect((await relay.status()).gateway.simulated).toBe(true)
  })

  it('tell the status of each, and of the first that is ready as of all', async () => {
    const [a, b, c] = [bridgeOf('a'), bridgeOf('b'), bridgeOf('c')]
    a.isGone = true
    b.gateway = { state: 'down', phase: 'login-required' }
    const { relay } = setUp(a, b, c)
    const status = await relay.status()
    expect(status.gateway.host).toBe('c')
    expect(status.bridges).toMatchObject([
      { name: 'a', ok: false, error: { kind: 'disconnected' } },
      { name: 'b', ok: true, gateway: { phase: 'login-required' } },
      { name: 'c', ok: true, gateway: { state: 'ready' } },
    ])
    b.isGone = true
    c.isGone = true
    await expect(relay.status()).rejects.toMatchObject({ kind: 'disconnected' })
  })
})
