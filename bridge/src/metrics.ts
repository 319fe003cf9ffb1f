import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ErrorKind } from '@tidegate/core'
import type { BridgeStatus } from '@tidegate/relay'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { PacingStats } from './pacing.ts'
import type { LoginState } from './state.ts'

const PREFIX = 'tidegate_bridge_'
const NS_PER_SEC = 1e9
/** How often the event loop is looked at. What Node measures is the time between two looks, this one included. */
const LOOK_MS = 10
/** From a request that goes at once to one that waited its ten minutes for the budget of small bars. */
const WAIT_SECONDS = [0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600]
/** From a gateway on the same machine to the longest timeout that can be set. */
const ANSWER_SECONDS = [0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600]
const PHASES: readonly BridgeStatus['gateway']['phase'][] = [
  ...(['connecting', 'handshaking', 'ready', 'degraded', 'competing', 'login-required'] as const),
]

/** What became of a request: an answer, IBKR's "no data", or the kind of its error. */
export type Outcome = 'ok' | 'empty' | ErrorKind

export interface SeenRequest {
  readonly kind: string
  readonly outcome: Outcome
  /** From when it came to when it went to the gateway, or to its end where it did not go, milliseconds. */
  readonly waitMs: number
  /** From when it went to its answer or error; absent where it did not go, or shared the answer of another. */
  readonly answerMs?: number
}

/** The bridge in numbers, for Prometheus. */
export interface Metrics {
  request(seen: SeenRequest): void
  /** A request that was not asked at all: no key, or not as expected. */
  refused(kind: ErrorKind): void
  /** A message of the gateway that is no data, by its code. */
  message(code: number): void
  /** WebSockets and subscriptions that came (1) or went (-1), live events that a slow reader did not get, and subscriptions
   * that an error ended. */
  readonly stream: {
    sockets(change: number): void
    subscriptions(change: number): void
    dropped(count: number): void
    refused(kind: ErrorKind): void
  }
  /** Everything, in the text format of Prometheus. */
  text(): Promise<string>
  readonly contentType: string
  close(): void
}

/** Metrics in a registry of their own, so that two bridges in one process do not share them. */
export function createMetrics({
  pacing,
  gateway,
  watch,
}: {
  pacing: () => PacingStats
  gateway: () => BridgeStatus['gateway']
  /** Calls back at every change of the login's state. */
  watch: (look: (state: LoginState) => void) => () => void
}): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const named = (name: string, help: string) => ({ name: `${PREFIX}${name}`, help, registers })
  const lag = monitorEventLoopDelay({ resolution: LOOK_MS })
  lag.enable()

  const requests = new Counter({
    ...named('requests_total', 'Requests by kind and outcome: ok, empty, or the kind of the error'),
    labelNames: ['kind', 'outcome'],
  })
  const waits = new Histogram({
    ...named('wait_seconds', 'From when a request came to when it went to the gateway'),
    labelNames: ['kind'],
    buckets: WAIT_SECONDS,
  })
  const answers = new Histogram({
    ...named('answer_seconds', 'From when a request went to the gateway to its answer'),
    labelNames: ['kind'],
    buckets: ANSWER_SECONDS,
  })
  const refused = new Counter({
    ...named('refused_total', 'Requests that were not asked: no key, or not as expected'),
    labelNames: ['kind'],
  })
  const messages = new Counter({
    ...named('gateway_messages_total', 'Messages of the gateway that are no data, by IBKR’s code'),
    labelNames: ['code'],
  })
  const connections = new Counter(named('connections_total', 'Connections made to the gateway: all but one anew'))
  let connectedMs: number | undefined
  const stopWatching = watch((state) => {
    if (state.connectedMs !== undefined && state.connectedMs !== connectedMs) connections.inc()
    connectedMs = state.connectedMs
  })
  const sockets = new Gauge(named('stream_sockets', 'WebSockets that are open'))
  const subscriptions = new Gauge(named('stream_subscriptions', 'Live subscriptions of all WebSockets'))
  const ended = new Counter({
    ...named('stream_refused_total', 'Subscriptions that were refused, or ended by an error, by its kind'),
    labelNames: ['kind'],
  })
  const dropped = new Counter(named('stream_dropped_total', 'Live events that a slow reader did not get'))

  new Gauge({
    ...named('queued_requests', 'Requests that wait for pacing, by priority'),
    labelNames: ['priority'],
    collect() {
      for (const [priority, count] of Object.entries(pacing().queuedBy)) this.set({ priority }, count)
    },
  })
  new Gauge({
    ...named('open_requests', 'Requests of all kinds that the gateway has not answered yet'),
    collect() {
      this.set(pacing().open)
    },
  })
  new Gauge({
    ...named('pacing_left', 'What is left of IBKR’s budgets: messages this second, small-class weight, open requests'),
    labelNames: ['rule'],
    collect() {
      for (const [rule, left] of Object.entries(pacing().left)) this.set({ rule }, left)
    },
  })
  new Gauge({
    ...named(
      'pacing_held_seconds',
      'How long yet a pacing answer of the gateway makes everything, or small requests, hold',
    ),
    labelNames: ['held'],
    collect() {
      for (const [held, ms] of Object.entries(pacing().heldMs)) this.set({ held }, ms / 1000)
    },
  })
  new Gauge({
    ...named('farm_up', 'Farms of IBKR: 1 unless said to be broken'),
    labelNames: ['farm', 'kind'],
    collect() {
      this.reset()
      for (const { name, kind, state } of gateway().farms) this.set({ farm: name, kind }, state === 'broken' ? 0 : 1)
    },
  })
  new Gauge({
    ...named('phase', 'Where the login stands: 1 for the phase it is in'),
    labelNames: ['phase'],
    collect() {
      const now = gateway().phase
      for (const phase of PHASES) this.set({ phase }, phase === now ? 1 : 0)
    },
  })
  new Gauge({
    ...named('ready', 'Whether history can be asked for'),
    collect() {
      this.set(gateway().state === 'ready' && pacing().trouble === undefined ? 1 : 0)
    },
  })
  new Gauge({
    ...named('event_loop_lag_seconds', 'How late the event loop was since the last look'),
    labelNames: ['quantile'],
    collect() {
      for (const quantile of [0.5, 0.99, 1]) {
        const ns = lag.count === 0 ? 0 : lag.percentile(quantile * 100) - LOOK_MS * 1e6
        this.set({ quantile }, Math.max(0, ns) / NS_PER_SEC)
      }
      lag.reset()
    },
  })
  new Gauge({
    ...named('memory_bytes', 'Memory of the process'),
    labelNames: ['part'],
    collect() {
      const { rss, heapUsed, external } = process.memoryUsage()
      this.set({ part: 'resident' }, rss)
      this.set({ part: 'heap' }, heapUsed)
      this.set({ part: 'external' }, external)
    },
  })

  return {
    request({ kind, outcome, waitMs, answerMs }) {
      requests.inc({ kind, outcome })
      waits.observe({ kind }, waitMs / 1000)
      if (answerMs !== undefined) answers.observe({ kind }, answerMs / 1000)
    },
    refused: (kind) => refused.inc({ kind }),
    message: (code) => messages.inc({ code }),
    stream: {
      sockets: (change) => sockets.inc(change),
      subscriptions: (change) => subscriptions.inc(change),
      dropped: (count) => dropped.inc(count),
      refused: (kind) => ended.inc({ kind }),
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
    close() {
      stopWatching()
      lag.disable()
      registry.clear()
    },
  }
}
