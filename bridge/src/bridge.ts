import type { BridgeStatus } from '@tidegate/relay'
import { createAnswering } from './answering.ts'
import { createAsking } from './asking.ts'
import { type Clock, createSteadyClock, systemClock } from './clock.ts'
import { createDrain } from './drain.ts'
import { TOO_FAST } from './gateway.ts'
import { createKeyring } from './keys.ts'
import type { Answer } from './kinds/kind.ts'
import { listenOn, type Server } from './listen.ts'
import { createMaskedLog, type Log } from './log.ts'
import { openLogin } from './login.ts'
import { createMetrics } from './metrics.ts'
import { createObserver } from './observer.ts'
import { lockState } from './pacing/lock.ts'
import { openWindows } from './pacing/open.ts'
import { rulesWith } from './pacing/rules.ts'
import { createPacing } from './pacing.ts'
import { createRelayApp } from './relay.ts'
import { type BridgeSettings, MARKET_DATA_TYPES } from './settings.ts'
import { createSharing } from './sharing.ts'
import { createShelf } from './shelf.ts'
import { createHub } from './stream/hub.ts'
import { createKeeper } from './stream/keeper.ts'
import { createStreamServer } from './stream/server.ts'

/** What is open when the bridge closes has its own timeout; an answer may take this much longer to be read. */
const FLUSH_MS = 5000
/** Bars that answers kept for sharing may hold in all: some 10 MB. */
const SHARED_BARS = 100_000
/** Said once: it is so until somebody mends it. */
const AHEAD =
  'the gateway’s clock is ahead of this machine’s: bars count as closed by this machine’s; set both clocks (NTP)'

export interface BridgeOptions {
  readonly settings: BridgeSettings
  readonly log: Log
  readonly clock?: Clock
  /** For what is counted in intervals; absent: `clock` where that is given, else one that nobody sets. */
  readonly steady?: Clock
  /** Uniform in [0, 1). */
  readonly random?: () => number
  readonly newId?: () => string
  /** Wait for the gateway, and fail at once with what to check where nobody answers. For a command, not a service. */
  readonly untilReady?: boolean
  /** Listen for HTTP. Without, only `fetch` reaches the relay. Default true. */
  readonly listen?: boolean
}

export interface Bridge {
  /** Where it listens; undefined where it does not. */
  readonly url: string | undefined
  /** The relay, without a network between. */
  readonly fetch: (request: Request) => Promise<Response>
  status(): BridgeStatus['gateway']
  /** Takes no more requests, lets the open ones finish within their timeout, leaves the gateway. */
  close(): Promise<void>
}

/**
 * Owns one login: connects to the gateway and offers the relay. Throws `invalid` where the port is taken, `conflict` where another
 * bridge has the login's state file.
 */
export async function createBridge(options: BridgeOptions): Promise<Bridge> {
  const {
    settings,
    clock = systemClock,
    steady = options.clock ?? createSteadyClock(systemClock),
    random = Math.random,
    newId = () => crypto.randomUUID(),
    listen = true,
  } = options
  const log = createMaskedLog(options.log)
  const rules = rulesWith(settings)
  let toldAhead = false
  // Bridges that share Redis count together, whatever file each writes.
  const isAlone = settings.stateFile !== undefined && settings.redisUrl === undefined
  const unlock = isAlone ? lockState(settings.stateFile, log) : () => {}
  const windows = await openWindows({ settings, clock, steady, rules, log, newId })
  const pacing = createPacing({ clock: steady, rules, windows })
  const login = openLogin({
    ...settings.gateway,
    marketDataType: MARKET_DATA_TYPES[settings.marketDataType],
    clock,
    steady,
    random,
    log,
    requestTimeoutMs: settings.requestTimeoutMs,
    message: pacing.message,
    expected: settings,
    onAhead: (ms) => {
      if (!toldAhead) log.warn({ aheadMs: ms }, AHEAD)
      toldAhead = true
    },
    probeAfterMs: settings.probeAfterMs,
    // A probe goes past the queue, which waits for what the probe is to find out. Daily bars have no budget but messages.
    paced: async (ask) => {
      await pacing.message()
      return ask()
    },
  })
  const sharing = createSharing<Answer>(steady, { maxSize: SHARED_BARS, sizeOf: ({ size }) => size })
  let connectedMs: number | undefined
  login.watch((state) => {
    // Another gateway may stand there now, with another market behind it.
    if (state.connectedMs !== undefined && state.connectedMs !== connectedMs) sharing.forget()
    connectedMs = state.connectedMs
  })
  const metrics = createMetrics({ pacing: pacing.stats, gateway: login.status, watch: login.watch })
  login.hear((code) => {
    metrics.message(code)
    // IBKR names no request with it: the whole login goes too fast.
    if (code === TOO_FAST) pacing.backOff('messages')
  })
  const observer = createObserver({ clock: steady, log, metrics })
  const asking = createAsking({ clock: steady, pacing })
  const ask = createAnswering({ sharing, asking, login, observer })
  const drain = createDrain(clock)
  const keys = createKeyring(settings.keys, settings.readKeys)
  const shelf = createShelf()
  const app = createRelayApp({ login, pacing, ask, metrics, drain, keys, newId, observer, shelf })
  const hub = createHub(createKeeper({ clock, asking, login }), steady)
  const status = () => ({ gateway: login.status(), pacing: pacing.stats() })
  const stream = createStreamServer({
    ...{ ask, hub, drain, metrics, observer, status, newId, keys, log, shelf },
    clock: steady,
  })
  let server: Server | undefined
  const close = async () => {
    const stopped = server?.stop()
    await drain.close(settings.requestTimeoutMs)
    await stream.close(FLUSH_MS)
    hub.close()
    pacing.close()
    await login.close()
    await windows.close()
    unlock()
    sharing.clear()
    metrics.close()
    const hangUp = clock.after(FLUSH_MS, () => server?.hangUp())
    await stopped
    hangUp()
  }
  try {
    server = listen ? await listenOn({ ...settings, fetch: app.fetch, upgrade: stream.upgrade }) : undefined
    if (options.untilReady) await login.untilReady(settings.connectionTimeoutMs, true)
    return { url: server?.url, fetch: async (request) => app.fetch(request), status: () => login.status(), close }
  } catch (error) {
    await close()
    throw error
  }
}
