import { type Contract, type ContractDetails, resetAt, TidegateError, toTidegateError } from '@tidegate/core'
import type { BridgeStatus } from '@tidegate/relay'
import { maskedText } from './account.ts'
import { sleep } from './clock.ts'
import { meaningOf } from './codes.ts'
import type { Connection, ConnectionOptions, GatewayBars, GatewayHistory } from './connection.ts'
import { connect } from './gateway.ts'
import type { Log } from './log.ts'
import { createPhaseLog } from './phases.ts'
import { createProbes } from './probes.ts'
import { type ExpectedLogin, isDoubtful, type Need, obstacleOf, phaseOf, reasonOf } from './readiness.ts'
import { FIRST_STATE, type LoginEvent, type LoginState, reduce } from './state.ts'
import { statusOf } from './status.ts'
import { createStrangers } from './strangers.ts'
import { allIdsTaken, createTroubles } from './troubles.ts'

const BACKOFF = { firstMs: 500, mostMs: 30_000 }
/** Client ids tried at once, one after the other, where the first are in use; then the first again, after a pause. */
const CLIENT_IDS = 16

/** The login's connection, kept alive: what is asked goes to the one that stands now. */
export interface Login {
  status(): BridgeStatus['gateway']
  /** Resolves when ready; rejects with why not once `ms` have passed, or at once with `failFast` when nobody answers or a person must act. */
  untilReady(ms: number, failFast?: boolean, need?: Need): Promise<void>
  /**
   * Lets `work` use the connection that stands now, and learns from how it went. Throws at once where the login can't
   * serve the need, with why and when to come again; what IBKR refuses comes out as the error it means.
   */
  ask<T>(need: Need, work: (connection: Connection) => Promise<T>): Promise<T>
  /** Why a request with this need can't be asked now; undefined where it can. */
  obstacle(need: Need): TidegateError | undefined
  contracts(contract: Contract, signal: AbortSignal): Promise<ContractDetails[]>
  history(request: GatewayHistory, signal: AbortSignal): Promise<GatewayBars>
  /** Calls `look` at every change of the login's state, until what it returns is called. */
  watch(look: (state: LoginState) => void): () => void
  /** Calls `listen` with the code of every message of the gateway that is no data. */
  hear(listen: (code: number) => void): void
  /** Leaves the gateway; what is open fails. */
  close(): Promise<void>
}

export interface LoginOptions extends Omit<ConnectionOptions, 'onHandshake' | 'onNotice' | 'onMessage' | 'signal'> {
  readonly random: () => number
  readonly log: Log
  readonly expected: ExpectedLogin
  /** So long history may be silent, or requests be held, before servers are probed, milliseconds; 0 or absent never. */
  readonly probeAfterMs?: number
  /** Lets a probe go when pacing allows it. */
  readonly paced?: <T>(ask: () => Promise<T>) => Promise<T>
}

/** Starts connecting, with backoff and jitter, and connects again whenever the connection ends, until closed. */
export function openLogin(options: LoginOptions): Login {
  const { host, port, clock, random, log, expected, paced = (ask) => ask() } = options
  const closing = new AbortController()
  const { signal } = closing
  const watchers = new Set<(state: LoginState) => void>()
  const strangers = createStrangers(log)
  const listeners = new Set<(code: number) => void>()
  const tellCode = (code: number) => {
    for (const listen of listeners) listen(code)
  }
  const troubles = createTroubles(log, { host, port })
  const tellPhase = createPhaseLog(log, { host, port })
  const probes = createProbes({
    ...{ clock, log, paced, happen },
    afterMs: options.probeAfterMs ?? 0,
    current: () => current('login'),
  })
  let state = FIRST_STATE
  let connection: Connection | undefined
  let stopPause = () => {}

  /** What was found last, by need: each of thousands that wait asks whether it may go. */
  const found = new Map<Need, { of: LoginState; atMs: number; obstacle: TidegateError | undefined }>()

  function obstacle(need: Need = 'history'): TidegateError | undefined {
    const atMs = clock.now()
    const last = found.get(need)
    if (last?.of === state && last.atMs === atMs) return last.obstacle
    const now = { of: state, atMs, obstacle: obstacleOf(state, expected, atMs, need) }
    found.set(need, now)
    return now.obstacle
  }

  function changed(): void {
    const error = obstacle()
    const isUp = state.connection === 'up'
    probes.held(isUp ? error : undefined, isUp ? obstacle('definition') : undefined)
    const reason = reasonOf(state, error)
    if (!signal.aborted) tellPhase({ phase: phaseOf(state, error), obstacle: error?.kind, reason, isCalm: isCalm() })
    for (const look of [...watchers]) look(state)
  }

  function happen(event: LoginEvent): void {
    state = reduce(state, event, clock.now())
    changed()
  }

  function notice(code: number, text: string): void {
    tellCode(code)
    // That a client id is taken is told once, with what to do: the gateway says it of each id at each try.
    const isTold = meaningOf(code, text).means === 'conflict'
    log[isTold ? 'debug' : 'info']({ code }, `the gateway says: ${maskedText(text)}`)
    if (!meaningOf(code, text).known) strangers.meet(code, text)
    happen({ type: 'notice', code, text })
  }

  const isCalm = () => resetAt(clock.now()) !== undefined
  /** Within a reset of IBKR's, what breaks is nothing to worry about. */
  const severity = () => (isCalm() ? 'info' : 'warn')

  /** Connects and stays until the connection ends; how it ended. */
  async function holdConnection(clientId: number): Promise<TidegateError> {
    try {
      connection = await connect({
        ...options,
        clientId,
        signal,
        onNotice: notice,
        onMessage: (code, text) => {
          tellCode(code)
          if (!meaningOf(code, text).known) strangers.meet(code, text)
        },
        onHandshake: () => happen({ type: 'handshaking' }),
      })
    } catch (cause) {
      const error = toTidegateError(cause, 'disconnected')
      if (!signal.aborted) troubles.meet(error, clientId, severity())
      return error
    }
    troubles.forget()
    probes.heard()
    log.info({ host, port, clientId, serverVersion: connection.serverVersion }, 'connected to the gateway')
    happen({ type: 'connected', accounts: connection.accounts })
    const error = await connection.ended
    connection = undefined
    probes.stop()
    if (!signal.aborted) log[severity()]({ err: error }, 'the gateway connection ended')
    return error
  }

  async function keepConnected(): Promise<void> {
    let taken = 0
    let allTaken: TidegateError | undefined
    while (!signal.aborted) {
      const error = await holdConnection(options.clientId + taken)
      // Another program holds our client id; the gateway tells programs apart by nothing else.
      const isTaken = error.kind === 'conflict'
      if (isTaken) taken = (taken + 1) % CLIENT_IDS
      if (!isTaken) allTaken = undefined
      else if (taken === 0 && !allTaken) {
        allTaken = allIdsTaken(options.clientId, CLIENT_IDS)
        log.warn({ host, port }, allTaken.message)
      }
      happen({ type: 'ended', error: allTaken ?? error })
      if (isTaken && taken > 0) continue
      // A reset of IBKR's takes its time: there is no use in hurrying.
      const calm = state.attempts > 1 && resetAt(clock.now()) !== undefined
      const backoffMs = calm ? BACKOFF.mostMs : Math.min(BACKOFF.firstMs * 2 ** (state.attempts - 1), BACKOFF.mostMs)
      await sleep(clock, backoffMs * (0.5 + random() / 2), signal)
    }
  }

  /** The connection, where it can serve the need now. */
  function current(need: Need): Connection {
    const error = obstacle(need)
    if (connection && !error) return connection
    throw error ?? new TidegateError('disconnected', 'The gateway is not connected.', { retryAfterMs: BACKOFF.mostMs })
  }

  async function ask<T>(need: Need, work: (connection: Connection) => Promise<T>): Promise<T> {
    const asked = current(need)
    try {
      const answer = await work(asked)
      if (need === 'history') heard()
      return answer
    } catch (cause) {
      throw learned(toTidegateError(cause), need)
    }
  }

  function heard(): void {
    probes.heard()
    happen({ type: 'answered' })
  }

  /** What a failed request says of the login, and the error with when to come again. */
  function learned(error: TidegateError, need: Need): TidegateError {
    if (error.kind === 'competing-session') {
      happen({ type: 'competing', error })
      const untilMs = state.competing?.untilMs ?? clock.now()
      stopPause()
      stopPause = clock.after(untilMs - clock.now(), changed)
      return obstacle('login') ?? error
    }
    if (need === 'history' && error.kind === 'timeout' && error.code === undefined) probes.missed()
    if (error.kind === 'not-found' && isDoubtful(state)) {
      const message = `${error.message} IBKR's servers are out of reach just now, so this is no word on the contract.`
      return new TidegateError('farm-down', message, {
        cause: error,
        code: error.code,
        retryAfterMs: BACKOFF.mostMs,
      })
    }
    return error
  }

  const running = keepConnected()
  return {
    status: () => statusOf(state, { host, port, expected }, connection, clock.now()),
    untilReady(ms, failFast = false, need = 'history') {
      return new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          watchers.delete(look)
          stopTimer()
          act()
        }
        const look = () => {
          const error = obstacle(need)
          if (!error) return settle(resolve)
          const { trouble } = state
          const final = error.kind === 'login-required' || (!connection && trouble && trouble.kind !== 'conflict')
          if (failFast && final) settle(() => reject(connection ? error : (trouble ?? error)))
        }
        const stopTimer = clock.after(ms, () =>
          settle(() => reject(obstacle(need) ?? new TidegateError('disconnected', 'The gateway is not ready.'))),
        )
        watchers.add(look)
        look()
      })
    },
    ask,
    obstacle,
    contracts: (contract, hangUp) => ask('definition', (asked) => asked.contracts(contract, hangUp)),
    history: (request, hangUp) => ask('history', (asked) => asked.history(request, hangUp)),
    watch(look) {
      watchers.add(look)
      return () => void watchers.delete(look)
    },
    hear: (listen) => void listeners.add(listen),
    async close() {
      closing.abort()
      stopPause()
      await running
      probes.stop()
    },
  }
}
