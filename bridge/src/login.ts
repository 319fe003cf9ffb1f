import { type Contract, type ContractDetails, TidegateError, toTidegateError } from '@tidegate/core'
import type { BridgeStatus } from '@tidegate/relay'
import { sleep } from './clock.ts'
import { type Connection, type ConnectionOptions, connect, type GatewayBars, type GatewayHistory } from './gateway.ts'

const BACKOFF = { firstMs: 500, mostMs: 30_000 }
/** A gateway whose account begins so is Tidegate's simulator: no real account does. */
const SIMULATED_PREFIX = 'SIM'

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** The login's connection, kept alive: what is asked goes to the one that stands now. */
export interface Login {
  status(): BridgeStatus['gateway']
  /** Resolves when ready; rejects with why not once `ms` have passed, or at once with `failFast` when nobody answers. */
  untilReady(ms: number, failFast?: boolean): Promise<void>
  contracts(contract: Contract, signal: AbortSignal): Promise<ContractDetails[]>
  history(request: GatewayHistory, signal: AbortSignal): Promise<GatewayBars>
  close(): Promise<void>
}

export interface LoginOptions extends Omit<ConnectionOptions, 'onChange'> {
  readonly random: () => number
  readonly log: Log
}

/** Starts connecting, with backoff and jitter, and connects again whenever the connection ends, until closed. */
export function openLogin(options: LoginOptions): Login {
  const { host, port, clock, random, log } = options
  const closing = new AbortController()
  const watchers = new Set<() => void>()
  let connection: Connection | undefined
  let connectedAt: string | undefined
  let trouble: TidegateError | undefined
  let attempts = 0

  const changed = () => {
    for (const watcher of [...watchers]) watcher()
  }

  const keepConnected = async (): Promise<void> => {
    let clientId = options.clientId
    while (!closing.signal.aborted) {
      try {
        connection = await connect({ ...options, clientId, onChange: changed })
        connectedAt = new Date(clock.now()).toISOString()
        attempts = 0
        log.info({ host, port, clientId, serverVersion: connection.serverVersion }, 'connected to the gateway')
        changed()
        trouble = await connection.ended
        log.warn({ err: trouble }, 'the gateway connection ended')
      } catch (cause) {
        trouble = toTidegateError(cause, 'disconnected')
        // Another program holds our client id; the gateway tells programs apart by nothing else.
        if (trouble.kind === 'conflict') clientId++
        log.warn({ host, port, clientId, err: trouble }, 'could not connect to the gateway')
      }
      connection = undefined
      attempts++
      changed()
      const backoffMs = Math.min(BACKOFF.firstMs * 2 ** (attempts - 1), BACKOFF.mostMs)
      if (trouble.kind !== 'conflict') await sleep(clock, backoffMs * (0.5 + random() / 2), closing.signal)
    }
  }
  const running = keepConnected()

  function whyNot(): string | undefined {
    if (!connection) return trouble?.message ?? `Connecting to ${host}:${port}.`
    if (connection.accounts.length === 0) return 'The gateway lists no account: is it logged in?'
    if (connection.cutOff) return 'The gateway has lost its connection to IBKR (1100).'
    const broken = connection.farms.filter((farm) => farm.kind === 'history' && farm.state === 'broken')
    return broken.length > 0
      ? `IBKR's history servers are out of reach (${broken.map((farm) => farm.name).join(', ')}).`
      : undefined
  }

  function current(): Connection {
    const reason = whyNot()
    if (connection && reason === undefined) return connection
    const kind = connection && !connection.cutOff && connection.accounts.length > 0 ? 'farm-down' : 'disconnected'
    throw new TidegateError(kind, reason ?? 'The gateway is not connected.', {
      cause: trouble,
      retryAfterMs: BACKOFF.mostMs,
    })
  }

  return {
    status() {
      const reason = whyNot()
      const accounts = connection?.accounts ?? []
      return {
        host,
        port,
        state: reason === undefined ? 'ready' : connection || attempts > 0 ? 'down' : 'connecting',
        reason,
        serverVersion: connection?.serverVersion,
        connectedAt: connection ? connectedAt : undefined,
        accounts: accounts.map(masked),
        mode: modeOf(accounts[0]),
        simulated: accounts[0]?.startsWith(SIMULATED_PREFIX) ?? false,
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
          if (whyNot() === undefined) return settle(resolve)
          if (failFast && attempts > 0 && trouble && trouble.kind !== 'conflict') settle(() => reject(trouble))
        }
        const stopTimer = clock.after(ms, () =>
          settle(() =>
            reject(new TidegateError('disconnected', whyNot() ?? 'The gateway is not ready.', { cause: trouble })),
          ),
        )
        watchers.add(look)
        look()
      })
    },
    contracts: async (contract, signal) => current().contracts(contract, signal),
    history: async (request, signal) => current().history(request, signal),
    async close() {
      closing.abort()
      connection?.close()
      await running
    },
  }
}

/** `DU*****67`: enough to tell accounts apart, not to name one. */
function masked(account: string): string {
  const prefix = /^[A-Z]*/.exec(account)?.[0] ?? ''
  const rest = account.slice(prefix.length)
  return `${prefix}${'*'.repeat(Math.max(0, rest.length - 2))}${rest.slice(-2)}`
}

/** Paper accounts begin with D (DU, DF); the simulator's stand for paper. */
function modeOf(account: string | undefined): BridgeStatus['gateway']['mode'] {
  if (account === undefined) return 'unknown'
  return account.startsWith('D') || account.startsWith(SIMULATED_PREFIX) ? 'paper' : 'live'
}
