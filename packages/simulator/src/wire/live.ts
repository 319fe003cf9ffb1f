import { nowSec } from './gateway.ts'
import type { Peer } from './peer.ts'
import { Refusal } from './refusal.ts'

/** Kinds of subscription; ids are counted for each on its own, as TWS does. */
export type LiveKind = 'bars' | 'history' | 'ticks' | 'quotes'

/** What a client is subscribed to. All of it ends with the connection. */
export interface Live {
  /** Message 59: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen. */
  dataType: number
  has(kind: LiveKind, reqId: number): boolean
  start(kind: LiveKind, reqId: number, stop: () => void): void
  /** False where there is no such subscription. */
  stop(kind: LiveKind, reqId: number): boolean
  count(kind: LiveKind): number
  stopAll(): void
}

export function createLive(): Live {
  const stops = new Map<string, () => void>()
  return {
    dataType: 1,
    has: (kind, reqId) => stops.has(`${kind} ${reqId}`),
    start: (kind, reqId, stop) => stops.set(`${kind} ${reqId}`, stop),
    stop(kind, reqId) {
      const key = `${kind} ${reqId}`
      stops.get(key)?.()
      return stops.delete(key)
    },
    count: (kind) => [...stops.keys()].filter((key) => key.startsWith(`${kind} `)).length,
    stopAll() {
      for (const stop of stops.values()) stop()
      stops.clear()
    },
  }
}

/** What lies further back when the clock jumps (a machine that slept) is not told any more: live is live. */
const MAX_BEHIND_SEC = 600

/**
 * Calls `tell` with every stretch of whole seconds `[fromSec, toSec)` that passes from now on, until the subscription
 * ends. While IBKR or the market's farm is out of reach nothing is told, nor to a client that does not read, and it is
 * never told later.
 */
export function feed(peer: Peer, kind: LiveKind, reqId: number, tell: (fromSec: number, toSec: number) => void): void {
  peer.live.start(kind, reqId, follow(peer, reqId, tell))
}

/** What `feed` does, without a subscription of its own; returns what ends it. */
export function follow(peer: Peer, reqId: number, tell: (fromSec: number, toSec: number) => void): () => void {
  const { gateway } = peer
  let toldSec = nowSec(gateway)
  return gateway.pulse.onBeat(() => {
    const toSec = nowSec(gateway)
    if (toSec <= toldSec) return
    const fromSec = Math.max(toldSec, toSec - MAX_BEHIND_SEC)
    toldSec = toSec
    const { lost, marketBroken, competing } = gateway.faults
    if (lost || marketBroken || competing || peer.isBehind()) return
    try {
      tell(fromSec, toSec)
    } catch (error) {
      gateway.log(`Live data of request ${reqId} failed in the simulator.`, error)
    }
  })
}

/** Market data lines of the usual login: quotes and live bars each take one. Source: IBKR, market data lines. */
const LINES = 100

/** Throws Refusal 101 where all lines of the login are taken, by whichever client. */
export function takeLine({ gateway }: Peer): void {
  const taken = [...gateway.peers].reduce((sum, { live }) => sum + live.count('quotes') + live.count('bars'), 0)
  if (taken >= LINES) throw new Refusal(101, 'Max number of tickers has been reached')
}

/** Begins a subscription; a Refusal thrown on the way is its answer, and a second one under its id gets error 322. */
export function subscribe(peer: Peer, kind: LiveKind, reqId: number, begin: () => void): void {
  if (peer.live.has(kind, reqId)) {
    peer.error(reqId, 322, `Error processing request.-'bK' : cause - Duplicate ticker id: ${reqId}`)
    return
  }
  try {
    begin()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    peer.error(reqId, error.code, error.message)
  }
}

/** Ends a subscription; error 300 where there is none under this id. IBKR says nothing of one that ends. */
export function unsubscribe(peer: Peer, kind: LiveKind, reqId: number): void {
  if (!peer.live.stop(kind, reqId)) peer.error(reqId, 300, `Can't find EId with tickerId:${reqId}`)
}
