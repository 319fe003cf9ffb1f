import { type BarSizeSetting, EventName, IBApi, type WhatToShow } from '@stoqey/ib'
import {
  appendBars,
  type BarColumns,
  type Contract,
  type ContractDetails,
  emptyBars,
  TidegateError,
} from '@tidegate/core'
import type { Farm } from '@tidegate/relay'
import type { Clock } from './clock.ts'
import { farmOf, gatewayError, meaningOf } from './codes.ts'
import { fromIbDetails, toIbContract } from './details.ts'
import type { HistoryHead } from './history.ts'
import { guardWriting, type LibrarySocket, takeOverReading } from './link.ts'
import { createRequests, type OpenRequest } from './requests.ts'

/** Our pacing is the only limiter: the library's own rounds up past IBKR's limit, so it is kept out of the way. */
const LIBRARY_RATE = 1_000_000
/** Request ids far from 0, so that they are never taken for ids of another kind in a gateway's log. */
const FIRST_REQUEST_ID = 1000
const CLIENT_ID_IN_USE = 326
const EPOCH_SECONDS = 2

export interface GatewayHistory {
  readonly contract: Contract
  readonly barSize: string
  readonly whatToShow: string
  readonly regularHours: boolean
  /** Exclusive, epoch seconds; undefined: now. */
  readonly end: number | undefined
  readonly duration: string
}

export interface GatewayBars {
  readonly bars: BarColumns
  /** IBKR's own "no data". */
  readonly empty: boolean
  /** Epoch seconds by the gateway's clock when the request went out; never later than that. */
  readonly asOf: number
  readonly notices: readonly { readonly code: number; readonly message: string }[]
}

export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly clientId: number
  readonly marketDataType: number
  readonly clock: Clock
  readonly requestTimeoutMs: number
  /** Waits until one more message may leave; every message of ours passes it. */
  readonly message: () => Promise<void>
  /** Farm notices and connectivity messages, as they come. */
  readonly onChange: () => void
}

/** One TCP connection to a gateway, from the handshake to its end. Never used again after that: the library keeps stale requests. */
export interface Connection {
  readonly serverVersion: number
  readonly accounts: readonly string[]
  readonly farms: readonly Farm[]
  /** 1100 stands: the gateway itself is cut off from IBKR. */
  readonly cutOff: boolean
  contracts(contract: Contract, signal: AbortSignal): Promise<ContractDetails[]>
  history(request: GatewayHistory, signal: AbortSignal): Promise<GatewayBars>
  /** Settles when the connection is over, with why. */
  readonly ended: Promise<TidegateError>
  close(): void
}

interface Request extends OpenRequest {
  details?(details: ContractDetails): void
  bars?(bars: BarColumns): void
  done?(): void
}

/**
 * Connects; resolves once the handshake is answered and an account is listed.
 * Throws `conflict` where the client id is taken, `disconnected` where nobody answers or the gateway hangs up.
 */
export function connect(options: ConnectionOptions): Promise<Connection> {
  const { host, port, clock, requestTimeoutMs } = options
  const ib = new IBApi({ host, port, clientId: options.clientId, maxReqPerSec: LIBRARY_RATE })
  const socket = (ib as unknown as { controller: { socket: LibrarySocket } }).controller.socket
  const requests = createRequests<Request>({ clock, timeoutMs: requestTimeoutMs, firstId: FIRST_REQUEST_ID })
  const farms = new Map<string, Farm>()
  let accounts: readonly string[] = []
  let offsetMs = 0
  let cutOff = false

  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<TidegateError>()
  let reason = new TidegateError('disconnected', `The gateway at ${host}:${port} closed the connection.`)
  const end = (error: TidegateError) => {
    requests.failAll(error)
    resolveEnded(error)
    ib.disconnect()
  }

  const later = (send: () => void) => {
    // A cancel or a probe that finds the connection gone has nothing left to do.
    options
      .message()
      .then(send)
      .catch(() => {})
  }

  takeOverReading(socket, {
    head: () => {},
    bars: (id, bars) => requests.get(id)?.bars?.(bars),
    end: (head: HistoryHead) => requests.get(head.requestId)?.done?.(),
    broken: (cause) =>
      end(
        new TidegateError('disconnected', 'The gateway sent what can not be read; the connection was closed.', {
          cause,
        }),
      ),
  })
  ib.on(EventName.error, (error, code, id) => {
    if (id !== -1) return requests.message(id, code, error.message)
    const { means, advice } = meaningOf(code, error.message)
    reason = gatewayError(
      means === 'notice' || means === 'ignore' || means === 'no-data' ? 'disconnected' : means,
      code,
      error.message,
      advice,
    )
  })
  ib.on(EventName.info, (text, code) => {
    if (code === CLIENT_ID_IN_USE)
      reason = new TidegateError('conflict', `Client id ${options.clientId} is in use at the gateway.`, { code })
    if (code === 1100) cutOff = true
    if (code === 1101 || code === 1102) cutOff = false
    const farm = farmOf(code, text)
    if (farm) farms.set(`${farm.kind} ${farm.name}`, farm)
    options.onChange()
  })
  ib.on(EventName.currentTime, (sec) => {
    offsetMs = sec * 1000 - clock.now()
  })
  ib.on(EventName.contractDetails, (id, details) => requests.get(id)?.details?.(fromIbDetails(details)))
  ib.on(EventName.contractDetailsEnd, (id) => requests.get(id)?.done?.())
  ib.on(EventName.disconnected, () => end(reason))

  function contracts(contract: Contract, signal: AbortSignal): Promise<ContractDetails[]> {
    const found: ContractDetails[] = []
    return requests.open(
      signal,
      (resolve, reject) => ({
        details: (details) => found.push(details),
        done: () => resolve(found),
        notice: () => {},
        noData: () => false,
        fail: reject,
      }),
      {
        send: async (id) => {
          await options.message()
          ib.reqContractDetails(id, toIbContract(contract))
        },
        // IBKR has no cancel for contract details: what still comes is for an id that nobody waits for.
        cancel: () => {},
      },
    )
  }

  function history(request: GatewayHistory, signal: AbortSignal): Promise<GatewayBars> {
    const bars = emptyBars()
    const notices: { code: number; message: string }[] = []
    let askedAtMs = clock.now()
    const answer = (empty: boolean): GatewayBars => ({
      bars,
      empty,
      notices,
      asOf: Math.floor((askedAtMs + offsetMs) / 1000),
    })
    return requests.open(
      signal,
      (resolve, reject) => ({
        bars: (more) => appendBars(bars, more),
        done: () => {
          if (bars.t.length > 0) resolve(answer(false))
          // A breach of pacing can be answered by silence, which is no word of IBKR's.
          else
            reject(
              new TidegateError('pacing', 'The gateway answered with no bars and without saying that there are none.', {
                retryAfterMs: 15_000,
              }),
            )
        },
        notice: (code, message) => notices.push({ code, message }),
        noData: () => {
          resolve(answer(true))
          return true
        },
        fail: reject,
      }),
      {
        send: async (id) => {
          await options.message()
          if (signal.aborted) return
          askedAtMs = clock.now()
          const { contract, barSize, whatToShow, regularHours, duration } = request
          const end = request.end === undefined ? '' : utcText(request.end)
          // biome-ignore format: one call, one line a group of its ten parameters.
          ib.reqHistoricalData(id, toIbContract(contract), end, duration,
            barSize as BarSizeSetting, whatToShow as WhatToShow, regularHours, EPOCH_SECONDS, false)
        },
        cancel: (id) => later(() => ib.cancelHistoricalData(id)),
      },
    )
  }

  return new Promise((resolve, reject) => {
    let ready = false
    void ended.then((error) => {
      if (!ready) reject(unreachable(error, host, port))
    })
    const stopWaiting = clock.after(requestTimeoutMs, () => {
      end(
        new TidegateError(
          'timeout',
          `The gateway at ${host}:${port} took the connection and did not say hello within ${requestTimeoutMs / 1000} s.`,
        ),
      )
    })
    void ended.then(stopWaiting)
    ib.on(EventName.managedAccounts, (list) => {
      accounts = list
        .split(',')
        .map((account) => account.trim())
        .filter(Boolean)
    })
    ib.on(EventName.nextValidId, () => {
      if (ready) return
      ready = true
      stopWaiting()
      later(() => ib.reqCurrentTime())
      later(() => ib.reqMarketDataType(options.marketDataType))
      resolve({
        get serverVersion() {
          return ib.serverVersion
        },
        get accounts() {
          return accounts
        },
        get farms() {
          return [...farms.values()]
        },
        get cutOff() {
          return cutOff
        },
        contracts,
        history,
        ended,
        close: () => end(new TidegateError('disconnected', 'The bridge closed the connection.')),
      })
    })
    // The handshake and the start message are two messages like any other.
    Promise.all([options.message(), options.message()]).then(() => {
      ib.connect()
      guardWriting(socket)
    }, reject)
  })
}

function unreachable(error: TidegateError, host: string, port: number): TidegateError {
  if (error.code !== 502) return error
  const advice =
    'Is IB Gateway or TWS running and logged in, is its API enabled, and is the port right ' +
    '(Gateway 4002 paper, 4001 live; TWS 7497 paper, 7496 live)? In Docker, is the port mapped?'
  return new TidegateError('disconnected', `Nobody answers at ${host}:${port} (${error.message}). ${advice}`, {
    cause: error,
    code: 502,
  })
}

/** `yyyymmdd-hh:mm:ss`, which IBKR reads as UTC. */
function utcText(sec: number): string {
  const iso = new Date(sec * 1000).toISOString()
  return `${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 19)}`
}
