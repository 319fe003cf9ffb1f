import { EventName, IBApi } from '@stoqey/ib'
import { TidegateError } from '@tidegate/core'
import { isSimulated } from './account.ts'
import { createGatewayClock } from './ahead.ts'
import { gatewayError } from './codes.ts'
import type { Connection, ConnectionOptions } from './connection.ts'
import { askBars } from './gateway/bars.ts'
import { hearAnswers } from './gateway/events.ts'
import { askHead } from './gateway/head.ts'
import { createSubscriber } from './gateway/live.ts'
import { askChains, askContracts, askMatches } from './gateway/lookups.ts'
import { askSessions } from './gateway/sessions.ts'
import { askTicks } from './gateway/ticks.ts'
import type { Request, Wire } from './gateway/wire.ts'
import { guardWriting, type LibrarySocket, takeOverReading } from './link.ts'
import { createPulse, type Pulse } from './pulse.ts'
import { createRequests } from './requests.ts'

/** Our pacing is the only limiter: the library's own rounds up past IBKR's limit, so it is kept out of the way. */
const LIBRARY_RATE = 1_000_000
/** Request ids far from 0, so that they are never taken for ids of another kind in a gateway's log. */
const FIRST_REQUEST_ID = 1000
const CLIENT_ID_IN_USE = 326
/** Too many messages a second; after three of these the gateway closes the connection. */
export const TOO_FAST = 100
/** The library's code for what goes wrong with the TCP connection. */
const CONNECTION_FAILED = 502
/** Last words on a connection: the gateway's on the message rate, and the library's on versions and closed peers. */
const LAST_WORDS: ReadonlySet<number> = new Set([100, 503, 506, 507])
/** From this server version on (2016), a historical reply has the form that history.ts reads. */
const OLDEST_SERVER_VERSION = 124
/** Why a gateway takes a connection and says nothing on it. */
const CHECK =
  'Is the gateway logged in, is its API enabled, does a dialog wait there for a person, is the address of this machine trusted?'
const HUNG = 'It hangs, or a dialog waits there for a person: look at its window, and start it anew where it stays so.'

/**
 * Connects; resolves once the handshake is answered, the accounts are listed and the gateway has told its time.
 * Throws `conflict` where the client id is taken, `timeout` where the gateway takes the connection and says nothing,
 * `disconnected` where nobody answers, where it hangs up, or where its version is none that can be spoken.
 */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const { host, port, clock, requestTimeoutMs } = options
  const ib = new IBApi({ host, port, clientId: options.clientId, maxReqPerSec: LIBRARY_RATE })
  const socket = (ib as unknown as { controller: { socket: LibrarySocket } }).controller.socket
  const requests = createRequests<Request>({ clock, timeoutMs: requestTimeoutMs, firstId: FIRST_REQUEST_ID })
  const greeted = Promise.withResolvers<void>()
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<TidegateError>()
  let accounts: readonly string[] = []
  const isMadeUp = () => isSimulated(accounts[0] ?? '')
  const gatewayClock = createGatewayClock({
    clock,
    steady: options.steady,
    isSimulated: isMadeUp,
    onAhead: options.onAhead,
  })
  let pulse: Pulse | undefined
  let stopWaiting = () => {}
  let over = false
  let isGreeted = false
  let reason: TidegateError | undefined

  const end = (error: TidegateError) => {
    if (over) return
    over = true
    stopWaiting()
    pulse?.stop()
    options.signal.removeEventListener('abort', close)
    requests.end(error)
    greeted.reject(error)
    resolveEnded(error)
    ib.disconnect()
  }
  const close = () => end(new TidegateError('disconnected', 'The bridge closed the connection.'))
  const fallSilent = (what: string, ms: number, advice: string) =>
    end(new TidegateError('timeout', `The gateway at ${host}:${port} ${what} within ${ms / 1000} s. ${advice}`))
  /** Calls the library to send. What throws there leaves its queue stuck for ever, so the connection ends with it. */
  function hand(message: () => void): void {
    try {
      message()
    } catch (cause) {
      end(new TidegateError('internal', `The library could not send a message: ${cause}`, { cause }))
    }
  }

  /** Sends what is no request when its turn comes; when the connection is over by then, it has no use any more. */
  async function send(message: () => void): Promise<void> {
    await options.message()
    if (!over) hand(message)
  }

  /** The handshake and the start message are two messages like any other. */
  async function dial(): Promise<void> {
    await options.message()
    await send(() => {
      // Not before: what pacing holds back is no silence of the gateway's.
      stopWaiting = clock.after(requestTimeoutMs, () =>
        fallSilent('took the connection and did not say hello', requestTimeoutMs, CHECK),
      )
      ib.connect()
      guardWriting(socket)
      socket.client?.once('connect', () => options.onHandshake?.())
    })
  }

  takeOverReading(socket, {
    begin: (id) => requests.get(id) !== undefined,
    bars: (id, bars) => requests.get(id)?.bars?.(bars),
    end: (id) => requests.get(id)?.end?.(),
    minTick: (id, minTick) => requests.get(id)?.quote?.({ minTick }),
    unreadable: (id, cause) =>
      requests.get(id)?.fail(new TidegateError('internal', `The gateway's bars can not be read: ${cause}`, { cause })),
    broken: (cause) =>
      end(new TidegateError('disconnected', `The gateway sent what can not be read: ${cause}`, { cause, code: 507 })),
  })
  ib.on(EventName.server, (version) => {
    if (version >= OLDEST_SERVER_VERSION) return
    const advice = `expected ${OLDEST_SERVER_VERSION} or more: update IB Gateway or TWS`
    end(
      new TidegateError('disconnected', `The gateway at ${host}:${port} has server version ${version}; ${advice}.`, {
        code: 503,
      }),
    )
  })
  ib.on(EventName.error, (error, code, id) => {
    if (id !== -1) {
      options.onMessage?.(code, error.message, id)
      requests.message(id, code, error.message)
    } else if (code === CONNECTION_FAILED) reason = unreachable(error, options)
    else if (LAST_WORDS.has(code)) reason = gatewayError('disconnected', code, error.message)
  })
  ib.on(EventName.info, (text, code) => {
    if (code === CLIENT_ID_IN_USE)
      reason = new TidegateError('conflict', `Client id ${options.clientId} is in use at the gateway.`, { code })
    if (LAST_WORDS.has(code)) reason = gatewayError('disconnected', code, text)
    // IBKR drops the message that came too fast and names no request: whichever it was would wait for ever.
    if (code === TOO_FAST) requests.lose(gatewayError('pacing', code, text))
    // The library too speaks in codes, when a connection that is over is closed.
    if (!over) options.onNotice?.(code, text)
  })
  ib.on(EventName.managedAccounts, (list) => {
    accounts = list
      .split(',')
      .map((account) => account.trim())
      .filter(Boolean)
  })
  ib.on(EventName.nextValidId, () => {
    const ask = () => send(() => ib.reqCurrentTime())
    const onSilence = (ms: number) => fallSilent('has not answered a question for its time', ms, HUNG)
    pulse ??= createPulse({ clock, patienceMs: requestTimeoutMs, ask, onSilence })
  })
  ib.on(EventName.currentTime, (sec) => {
    gatewayClock.told(sec)
    pulse?.beat()
    isGreeted = true
    greeted.resolve()
  })
  hearAnswers(ib, requests)
  ib.on(EventName.disconnected, () => end(reason ?? hungUp(options, isGreeted)))

  options.signal.addEventListener('abort', close, { once: true })
  if (options.signal.aborted) close()
  void dial()
  await greeted.promise
  stopWaiting()
  const wire: Wire = { ib, requests, hand, send, asOf: gatewayClock.asOf }
  const live = createSubscriber(wire, options.marketDataType)
  return {
    get serverVersion() {
      return ib.serverVersion
    },
    get accounts() {
      return accounts
    },
    get simulated() {
      return isMadeUp()
    },
    get nextId() {
      return requests.nextId
    },
    now: gatewayClock.now,
    get aheadMs() {
      return gatewayClock.aheadMs
    },
    contracts: (contract, signal) => askContracts(wire, contract, signal),
    search: (pattern, signal) => askMatches(wire, pattern, signal),
    chains: (underlying, signal) => askChains(wire, underlying, signal),
    history: (request, signal) => askBars(wire, request, signal),
    ticks: (request, signal) => askTicks(wire, request, signal),
    head: (request, signal) => askHead(wire, request, signal),
    sessions: (request, signal) => askSessions(wire, request, signal),
    live,
    ended,
    close,
  }
}

function hungUp({ host, port }: ConnectionOptions, isGreeted: boolean): TidegateError {
  const when = isGreeted ? '.' : ` before it said hello. ${CHECK}`
  return new TidegateError('disconnected', `The gateway at ${host}:${port} closed the connection${when}`)
}

function unreachable(cause: Error, { host, port }: ConnectionOptions): TidegateError {
  const advice =
    'Is IB Gateway or TWS running and logged in, is its API enabled, and is the port right ' +
    '(Gateway 4002 paper, 4001 live; TWS 7497 paper, 7496 live)? In Docker, is the port mapped?'
  const message = `Nobody answers at ${host}:${port} (${cause.message}). ${advice}`
  return new TidegateError('disconnected', message, { cause, code: CONNECTION_FAILED })
}
