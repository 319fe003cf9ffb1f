import { type Priority, TidegateError } from '@tidegate/core'
import type { Relay } from './client.ts'
import type { BridgeStatus } from './schema/index.ts'

/** A bridge among others. */
export interface NamedBridge {
  /** How it is called in messages and in the status. */
  readonly name: string
  readonly relay: Relay
  /** What it may be asked for: `NASDAQ`, `CASH:*`, `STK:NYSE`. Default: everything. */
  readonly markets?: readonly string[]
}

/** What a request takes of a bridge. */
export interface Draw {
  /** Its market's name; undefined for what needs no permission. */
  readonly market: string | undefined
  /** Its weight in the budget of small bars; 0 for what does not count there. */
  readonly small: number
  readonly priority: Priority
}

/** How long a bridge that was refused a market for want of permission is asked last for it. */
const REFUSED_MS = 3_600_000
/** How long a bridge is left alone that said that it can't now, and not for how long. */
const BUSY_MS = 1000
const PACING_MS = 15_000
/** What a bridge may have open that has not said. */
const MAX_OPEN = 32
const FULL_SMALL = 60
const MISSES = 2

/** What is known of one bridge: what it said last, and what was asked of it since. */
export interface Standing extends NamedBridge {
  /** Why it can't be asked now; undefined where it can. */
  obstacle(draw: Draw, nowMs: number): TidegateError | undefined
  /** Smaller is better: is it refused, how little is left of the small budget, how full is it, how lately was it asked. */
  rank(draw: Draw, nowMs: number): readonly number[]
  /** Notes a request that goes out now; what is returned, that it is over. */
  begin(draw: Draw, turn: number): () => void
  /** Notes that a request went well, or what came of it instead. */
  learn(draw: Draw, error: TidegateError | undefined, nowMs: number): void
  /** Notes what it says of itself, or that it says nothing; `before` is what of ours was under way when it was asked. */
  see(status: BridgeStatus | TidegateError, before?: number): void
  /** How many requests of ours are under way there. */
  readonly open: number
  /** Notes that it took too long to say: once may be our own fault, twice in a row it counts as away. */
  miss(error: TidegateError): void
  /** Nobody can be asked there now, whatever for. */
  readonly isAway: boolean
  /** It is left alone for what one request met there, and that may be over: nobody has looked since. */
  readonly isSuspect: boolean
  /** Whether its data are made up; undefined while it has not said. */
  readonly simulated: boolean | undefined
}

export function createStanding(bridge: NamedBridge): Standing {
  let open = 0
  let turnOfLast = 0
  /** Of others, and what was left, by the last look. */
  let seen = { elsewhere: 0, maxOpen: MAX_OPEN, small: FULL_SMALL }
  let smallSince = 0
  let away: TidegateError | undefined
  let isSuspect = false
  let misses = 0
  let simulated: boolean | undefined
  const busyUntil = new Map<string, number>()
  const refusedUntil = new Map<string, number>()

  return {
    ...bridge,
    get simulated() {
      return simulated
    },
    get open() {
      return open
    },
    get isAway() {
      return away !== undefined
    },
    get isSuspect() {
      return isSuspect
    },

    obstacle(draw, nowMs) {
      if (away) return away
      const leftMs = (busyUntil.get(laneOf(draw)) ?? 0) - nowMs
      if (leftMs <= 0) return undefined
      return new TidegateError('busy', `The bridge "${bridge.name}" has no room yet.`, { retryAfterMs: leftMs })
    },

    rank({ market, small }, nowMs) {
      const isRefused = market !== undefined && (refusedUntil.get(market) ?? 0) > nowMs
      const taken = small > 0 ? smallSince - seen.small : 0
      return [isRefused ? 1 : 0, taken, (open + seen.elsewhere) / seen.maxOpen, turnOfLast]
    },

    begin({ small }, turn) {
      open++
      turnOfLast = turn
      smallSince += small
      return () => {
        open--
      }
    },

    learn(draw, error, nowMs) {
      const { market } = draw
      if (!error) {
        if (market !== undefined) refusedUntil.delete(market)
        return
      }
      const { kind, retryAfterMs } = error
      if (kind === 'no-permission' && market !== undefined) refusedUntil.set(market, nowMs + REFUSED_MS)
      if (kind === 'busy') busyUntil.set(laneOf(draw), nowMs + (retryAfterMs ?? BUSY_MS))
      if (kind === 'pacing') busyUntil.set(laneOf(draw), nowMs + (retryAfterMs ?? PACING_MS))
      if (!AWAY.has(kind)) return
      away = error
      isSuspect = true
    },

    miss(error) {
      misses++
      if (misses < MISSES) return
      away = error
      isSuspect = false
    },

    see(status, before = open) {
      isSuspect = false
      misses = 0
      if (status instanceof TidegateError) {
        away = status
        return
      }
      const { gateway, pacing } = status
      away = awayOf(bridge.name, gateway)
      if (gateway.state === 'ready') simulated = gateway.simulated
      smallSince = 0
      seen = {
        elsewhere: Math.max(0, pacing.open + pacing.queued - Math.max(open, before)),
        maxOpen: Math.max(1, pacing.maxOpen),
        small: pacing.heldMs.small > 0 ? 0 : pacing.left.small,
      }
    },
  }
}

/** What a bridge says when nobody can be asked there, whatever for: it is asked again once a look finds it well. */
const AWAY: ReadonlySet<string> = new Set([
  ...['disconnected', 'login-required', 'competing-session', 'farm-down'],
  ...['unauthorized', 'forbidden'],
])

/** What is busy for one class and priority need not be so for another. */
function laneOf({ small, priority }: Draw): string {
  return `${small > 0 ? 'small' : 'other'} ${priority}`
}

function awayOf(name: string, { state, phase, reason }: BridgeStatus['gateway']): TidegateError | undefined {
  if (state === 'ready') return undefined
  const kind =
    phase === 'login-required' ? phase : phase === 'competing' ? 'competing-session' : ('disconnected' as const)
  return new TidegateError(kind, `The bridge "${name}" is not connected to a gateway: ${reason ?? `${phase}.`}`)
}
