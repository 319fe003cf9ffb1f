import { type Bridge, createBridge, readSettings, systemClock } from '@tidegate/bridge'
import type { BarColumns } from '@tidegate/core'
import type { Database } from '@tidegate/db'
import { createRelay, type Relay } from '@tidegate/relay'
import { createSimulator, type Simulator, type TruthQuery } from '@tidegate/simulator'
import { createNodeFunctions, type NodeFunctions, type ProgressAnswer } from '../src/index.ts'
import { type RecordingLog, recordingLog } from './record.ts'

export const KEY = 'tidegate-key-of-the-tests-0123456789'
const BRIDGE_KEY = 'bridge-key-of-the-tests-0123456789ab'
/** Where the tests' clock begins: a Wednesday, 14:00 in New York. */
const BEGIN_MS = Date.UTC(2026, 3, 8, 18)

/** A clock that runs from the tests' own instant, and can be put forward. */
export interface TestClock {
  readonly now: () => number
  advance(sec: number): void
}

export function createTestClock(): TestClock {
  let offsetMs = BEGIN_MS - Date.now()
  return {
    now: () => Date.now() + offsetMs,
    advance(sec) {
      offsetMs += sec * 1000
    },
  }
}

export interface Gateway {
  readonly simulator: Simulator
  readonly bridge: Bridge
  readonly relay: Relay
  close(): Promise<void>
}

/** A simulated gateway and a bridge connected to it, by the tests' clock. */
export async function openGateway(
  clock: Pick<TestClock, 'now'>,
  { requestTimeoutMs = 10_000, listen = false }: { requestTimeoutMs?: number; listen?: boolean } = {},
): Promise<Gateway & { readonly key: string }> {
  const simulator = await createSimulator({ now: clock.now })
  const settings = {
    ...readSettings({
      IBKR_HOST: simulator.host,
      IBKR_PORT: String(simulator.port),
      BRIDGE_KEY,
      BRIDGE_PORT: '0',
    }),
    requestTimeoutMs,
  }
  const bridge = await createBridge({
    settings,
    log: recordingLog(),
    clock: { ...systemClock, now: clock.now },
    listen,
    untilReady: true,
  })
  return {
    simulator,
    bridge,
    relay: createRelay({ url: 'http://bridge.test', key: BRIDGE_KEY, fetch: bridge.fetch }),
    key: BRIDGE_KEY,
    async close() {
      await bridge.close()
      await simulator.close()
    },
  }
}

export interface World extends Gateway {
  /** What the answers of requests for bars that begin now wait for on their way to the functions. */
  hold: Promise<void> | undefined
  readonly functions: NodeFunctions
  readonly clock: TestClock
  readonly log: RecordingLog
  /** Calls the HTTP interface as somebody who has the key, and gives the status and the JSON. */
  call<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T; headers: Headers }>
  /** Polls a run until it has ended. */
  ended(runId: string): Promise<ProgressAnswer>
}

/** Everything there is of Tidegate on Node, on this database. The database is the caller's to close. */
export async function openWorld(
  database: Database,
  options: { readonly requestTimeoutMs?: number; readonly clock?: TestClock } = {},
): Promise<World> {
  const { clock = createTestClock() } = options
  const log = recordingLog()
  const gateway = await openGateway(clock, options)
  const relay: Relay = {
    ...gateway.relay,
    async bars(request, signal) {
      const { hold } = world
      const answer = await gateway.relay.bars(request, signal)
      await hold
      return answer
    },
  }
  const functions = await createNodeFunctions({
    database,
    relay,
    keys: [KEY],
    log,
    now: clock.now,
    random: () => 0,
    every: () => () => {},
  })

  async function call<T>(method: string, path: string, body?: unknown) {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await functions.fetch(
      new Request(`http://tidegate.test${path}`, { method, body: text, headers: { authorization: `Bearer ${KEY}` } }),
    )
    return { status: answer.status, body: (await answer.json()) as T, headers: answer.headers }
  }

  const world: World = {
    ...gateway,
    relay,
    hold: undefined,
    functions,
    clock,
    log,
    call,
    async ended(runId) {
      for (;;) {
        const { body } = await call<ProgressAnswer>('GET', `/v1/runs/${runId}`)
        if (body.state !== 'open') return body
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    async close() {
      await functions.close()
      await gateway.close()
    },
  }
  return world
}

/** The bars of the simulated market, as columns. */
export function truth(simulator: Simulator, query: TruthQuery): BarColumns {
  const bars = simulator.truth(query)
  const orNull = (value: number) => (value === -1 ? null : value)
  return {
    t: bars.map((bar) => bar.timeSec),
    o: bars.map((bar) => bar.open),
    h: bars.map((bar) => bar.high),
    l: bars.map((bar) => bar.low),
    c: bars.map((bar) => bar.close),
    v: bars.map((bar) => orNull(bar.volume)),
    w: bars.map((bar) => orNull(bar.wap)),
    n: bars.map((bar) => orNull(bar.count)),
  }
}

/** How many requests for bars the gateway has got. */
export function historyRequests(simulator: Simulator): number {
  return simulator.received.filter(
    ({ messageId, fields }) => messageId === REQ_HISTORICAL_DATA && !fields.includes('SCHEDULE'),
  ).length
}

/** reqHistoricalData, as TWS numbers its messages. */
const REQ_HISTORICAL_DATA = 20
