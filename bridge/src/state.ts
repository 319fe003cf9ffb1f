import type { TidegateError } from '@tidegate/core'
import type { Farm } from '@tidegate/relay'
import { farmOf } from './farms.ts'

/** A pause after another session took the login: a minute, then twice as long each time it is still there. */
export const COMPETING = { firstMs: 60_000, mostMs: 15 * 60_000 }

/** What happens to a login. */
export type LoginEvent =
  /** The gateway took the connection; nothing is said yet. */
  | { readonly type: 'handshaking' }
  /** The handshake is answered, the accounts are listed (perhaps none), the gateway has told its time. */
  | { readonly type: 'connected'; readonly accounts: readonly string[] }
  /** The connection is over, or could not be made. */
  | { readonly type: 'ended'; readonly error: TidegateError }
  /** A message of the gateway that names no request. */
  | { readonly type: 'notice'; readonly code: number; readonly text: string }
  /** Another session uses the login: 10197, or 162 with that text. */
  | { readonly type: 'competing'; readonly error: TidegateError }
  /** The history servers answered a request of somebody. */
  | { readonly type: 'answered' }
  /** Servers of a kind answered a request sent to find out whether they do. */
  | { readonly type: 'probed'; readonly kind: Probed }
  /** The history servers did not answer that one either. */
  | { readonly type: 'silent' }

/** Servers that are probed: the notice that they are back can get lost. */
export type Probed = 'history' | 'definition'

export interface LoginState {
  readonly connection: 'none' | 'handshaking' | 'up'
  readonly accounts: readonly string[]
  /** Every farm the gateway has spoken of on this connection, by kind and name. */
  readonly farms: ReadonlyMap<string, Farm>
  /** 1100 or 2110 stands: the gateway itself is cut off from IBKR. */
  readonly cutOff: { readonly code: number; readonly sinceMs: number } | undefined
  /** Since when a probe finds the history servers dead though no notice says so. */
  readonly silentSinceMs: number | undefined
  /** When a probe last proved servers alive, whatever notices of before say. */
  readonly provenMs: Readonly<Partial<Record<Farm['kind'], number>>>
  readonly competing: { readonly untilMs: number; readonly times: number; readonly error: TidegateError } | undefined
  /** Why the last connection ended, or could not be made. */
  readonly trouble: TidegateError | undefined
  /** Connections that failed, one after the other. */
  readonly attempts: number
  readonly connectedMs: number | undefined
  /** When a connection with an account last stood. */
  readonly lastUpMs: number | undefined
  /** Since when the gateway takes connections and says nothing, or lists no account. */
  readonly muteSinceMs: number | undefined
  /** Counts connections, and 1101: a subscription made under another number is gone. */
  readonly epoch: number
}

export const FIRST_STATE: LoginState = {
  connection: 'none',
  accounts: [],
  farms: new Map(),
  cutOff: undefined,
  silentSinceMs: undefined,
  provenMs: {},
  competing: undefined,
  trouble: undefined,
  attempts: 0,
  connectedMs: undefined,
  lastUpMs: undefined,
  muteSinceMs: undefined,
  epoch: 0,
}

/** The state of a login after an event at `atMs`. Pure: what it leads to, readiness.ts says. */
export function reduce(state: LoginState, event: LoginEvent, atMs: number): LoginState {
  switch (event.type) {
    case 'handshaking':
      // A new connection hears of every farm anew.
      return { ...state, connection: 'handshaking', farms: new Map(), cutOff: undefined }
    case 'connected': {
      const listed = event.accounts.length > 0
      return {
        ...state,
        connection: 'up',
        accounts: event.accounts,
        attempts: 0,
        connectedMs: atMs,
        lastUpMs: listed ? atMs : state.lastUpMs,
        muteSinceMs: listed ? undefined : (state.muteSinceMs ?? atMs),
        silentSinceMs: undefined,
        epoch: state.epoch + 1,
      }
    }
    case 'ended':
      return ended(state, event.error, atMs)
    case 'notice':
      return noticed(state, event.code, event.text, atMs)
    case 'competing': {
      // What was open when the pause began is refused one by one: that is one cause, not many.
      if (isPaused(state, atMs)) return state
      const times = (state.competing?.times ?? 0) + 1
      const pauseMs = Math.min(COMPETING.firstMs * 2 ** (times - 1), COMPETING.mostMs)
      return { ...state, competing: { untilMs: atMs + pauseMs, times, error: event.error } }
    }
    case 'answered': {
      return { ...state, silentSinceMs: undefined, competing: isPaused(state, atMs) ? state.competing : undefined }
    }
    case 'probed': {
      const proven = { ...state, provenMs: { ...state.provenMs, [event.kind]: atMs } }
      // A definition may come from what the gateway itself remembers: no word on its connection to IBKR.
      return event.kind === 'history' ? { ...proven, silentSinceMs: undefined, cutOff: undefined } : proven
    }
    case 'silent':
      return { ...state, silentSinceMs: state.silentSinceMs ?? atMs }
  }
}

/** Whether a notice called the farm broken, and a probe since has proved the contrary. */
export function isDisproved({ provenMs }: LoginState, { kind, state, since }: Farm): boolean {
  return state === 'broken' && Date.parse(since) <= (provenMs[kind] ?? Number.NEGATIVE_INFINITY)
}

/** Whether the pause for another session lasts. No pause is longer than the longest: then the clock was set back. */
export function isPaused({ competing }: LoginState, atMs: number): boolean {
  return competing !== undefined && atMs < competing.untilMs && atMs >= competing.untilMs - COMPETING.mostMs
}

function ended(state: LoginState, error: TidegateError, atMs: number): LoginState {
  const wasUp = state.connection === 'up'
  return {
    ...state,
    connection: 'none',
    accounts: [],
    farms: new Map(),
    cutOff: undefined,
    silentSinceMs: undefined,
    connectedMs: undefined,
    trouble: error,
    attempts: state.attempts + 1,
    lastUpMs: wasUp && state.accounts.length > 0 ? atMs : state.lastUpMs,
    muteSinceMs:
      wasUp && state.accounts.length > 0 ? undefined : isMute(error) ? (state.muteSinceMs ?? atMs) : undefined,
  }
}

/** A gateway without its login lets a forwarder take connections and says nothing, or hangs up without a code of its own. */
function isMute(error: TidegateError): boolean {
  return error.kind === 'timeout' || (error.kind === 'disconnected' && error.code === undefined)
}

function noticed(state: LoginState, code: number, text: string, atMs: number): LoginState {
  if (code === 1100 || code === 2110) return { ...state, cutOff: state.cutOff ?? { code, sinceMs: atMs } }
  if (code === 1101) return { ...state, cutOff: undefined, epoch: state.epoch + 1 }
  if (code === 1102) return { ...state, cutOff: undefined }
  const farm = farmOf(code, text)
  if (!farm) return state
  const key = `${farm.kind} ${farm.name}`
  const before = state.farms.get(key)
  // Broken again, where only a probe has told that it was back in between.
  const isSame = before?.state === farm.state && !isDisproved(state, before)
  const since = isSame ? before.since : new Date(atMs).toISOString()
  const farms = new Map(state.farms).set(key, { ...farm, since })
  // IBKR itself says that its history is back.
  const silentSinceMs = code === 2106 ? undefined : state.silentSinceMs
  return { ...state, farms, silentSinceMs }
}
