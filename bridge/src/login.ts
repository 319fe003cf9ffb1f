import { type Contract, type ContractDetails, TidegateError, toTidegateError } from '@tidegate/core'
import type { BridgeStatus } from '@tidegate/relay'
import { isSimulated, masked, modeOf } from './account.ts'
import { sleep } from './clock.ts'
import type { Connection, ConnectionOptions, GatewayBars, GatewayHistory } from './connection.ts'
import { connect } from './gateway.ts'
import type { Log } from './log.ts'
import { type ExpectedLogin, obstacleOf } from './readiness.ts'

const BACKOFF = { firstMs: 500, mostMs: 30_000 }
/** Client ids tried at once, one after the other, where the first are in use; then the first again, after a pause. */
const CLIENT_IDS = 16

/** The login's connection, kept alive: what is asked goes to the one that stands now. */
export interface Login {
  status(): BridgeStatus['gateway']
  /** Resolves when ready; rejects with why not once `ms` have passed, or at once with `failFast` when nobody answers or a person must act. */
  untilReady(ms: number, failFast?: boolean): Promise<void>
  contracts(contract: Contract, signal: AbortSignal): Promise<ContractDetails[]>
  history(request: GatewayHistory, signal: AbortSignal): Promise<GatewayBars>
  /** Leaves the gateway; what is open fails. */
  close(): Promise<void>
}

export interface LoginOptions extends Omit<ConnectionOptions, 'onChange' | 'signal'> {
  readonly random: () => number
  readonly log: Log
  readonly expected: ExpectedLogin
}

/** Starts connecting, with backoff and jitter, and connects again whenever the connection ends, until closed. */
export function openLogin(options: LoginOptions): Login {
  const { host, port, clock, random, log } = options
  const closing = new AbortController()
  const { signal } = closing
  const watchers = new Set<() => void>()
  let connection: Connection | undefined
  let connectedAt: string | undefined
  let trouble: TidegateError | undefined
  let attempts = 0

  const changed = () => {
    for (const watcher of [...watchers]) watcher()
  }

  /** Connects and stays until the connection ends; how it ended. */
  async function holdConnection(clientId: number): Promise<TidegateError> {
    try {
      connection = await connect({ ...options, clientId, onChange: changed, signal })
    } catch (cause) {
      const error = toTidegateError(cause, 'disconnected')
      if (!signal.aborted) log.warn({ host, port, clientId, err: error }, 'could not connect to the gateway')
      return error
    }
    connectedAt = new Date(clock.now()).toISOString()
    attempts = 0
    log.info({ host, port, clientId, serverVersion: connection.serverVersion }, 'connected to the gateway')
    changed()
    const error = await connection.ended
    connection = undefined
    if (!signal.aborted) log.warn({ err: error }, 'the gateway connection ended')
    return error
  }

  async function keepConnected(): Promise<void> {
    let taken = 0
    while (!signal.aborted) {
      trouble = await holdConnection(options.clientId + taken)
      attempts++
      changed()
      // Another program holds our client id; the gateway tells programs apart by nothing else.
      if (trouble.kind === 'conflict') taken = (taken + 1) % CLIENT_IDS
      if (trouble.kind === 'conflict' && taken > 0) continue
      const backoffMs = Math.min(BACKOFF.firstMs * 2 ** (attempts - 1), BACKOFF.mostMs)
      await sleep(clock, backoffMs * (0.5 + random() / 2), signal)
    }
  }
  const running = keepConnected()

  function obstacle(): TidegateError | undefined {
    if (connection) return obstacleOf(connection, options.expected)
    return new TidegateError('disconnected', trouble?.message ?? `Connecting to ${host}:${port}.`, {
      cause: trouble,
      code: trouble?.code,
    })
  }

  function current(): Connection {
    const error = obstacle()
    if (connection && !error) return connection
    throw new TidegateError(error?.kind ?? 'disconnected', error?.message ?? 'The gateway is not connected.', {
      cause: error,
      code: error?.code,
      retryAfterMs: BACKOFF.mostMs,
    })
  }

  return {
    status() {
      const reason = obstacle()?.message
      const accounts = connection?.accounts ?? []
      const [first] = accounts
      return {
        host,
        port,
        state: reason === undefined ? 'ready' : connection || attempts > 0 ? 'down' : 'connecting',
        reason,
        serverVersion: connection?.serverVersion,
        connectedAt: connection ? connectedAt : undefined,
        accounts: accounts.map(masked),
        mode: modeOf(first),
        simulated: first !== undefined && isSimulated(first),
        farms: connection ? [...connection.farms] : [],
      }
    },
    untilReady(ms, failFast = false) {
      return new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          watchers.delete(look)
          stopTimer()
          act()
        }
        const look = () => {
          const error = obstacle()
          if (!error) return settle(resolve)
          const final = error.kind === 'login-required' || (!connection && trouble && trouble.kind !== 'conflict')
          if (failFast && final) settle(() => reject(connection ? error : trouble))
        }
        const stopTimer = clock.after(ms, () =>
          settle(() => reject(obstacle() ?? new TidegateError('disconnected', 'The gateway is not ready.'))),
        )
        watchers.add(look)
        look()
      })
    },
    contracts: async (contract, hangUp) => current().contracts(contract, hangUp),
    history: async (request, hangUp) => current().history(request, hangUp),
    async close() {
      closing.abort()
      await running
    },
  }
}
