import { TidegateError } from '@tidegate/core'
import type { Clock } from '../clock.ts'
import { createTurn, type SharedTurn, type Wish } from '../turn.ts'
import { type Keeper, type Live, REST_MS, type Told } from './keeper.ts'
import { createSnapshot, type Snapshot } from './snapshot.ts'

/** Bars kept up to date stay open at IBKR, which allows 50 with those of pacing (32) and a reserve. */
const MOST_LIVE_BARS = 10

/** Every subscription of the bridge: one at the gateway, however many want the same. */
export interface Hub {
  /**
   * Joins the subscription to this, or makes it; who joins late hears first how things stand. `over` resolves when the
   * signal aborts and rejects when the subscription ends for good. One that still waits to be made is as urgent as the
   * most urgent of those who want it, and as patient as the most patient; whose own patience ends before leaves alone.
   * The last to leave ends it at the gateway.
   * Throws `busy` where too many are open.
   */
  join(live: Live, hear: (event: Told) => void, signal: AbortSignal): { over: Promise<void>; snapshot: Snapshot }
  close(): void
}

interface Entry {
  readonly kind: Live['request']['kind']
  readonly listeners: Set<(event: Told) => void>
  readonly abort: AbortController
  readonly snapshot: Snapshot
  readonly over: Promise<void>
  /** Until it stands for the first time. */
  readonly turn: SharedTurn
  isStanding: boolean
}

export function createHub(keeper: Keeper, clock: Clock): Hub {
  const entries = new Map<string, Entry>()

  function begin(live: Live, wish: Wish): Entry {
    const { kind } = live.request
    const count = [...entries.values()].filter((one) => one.kind === kind).length
    if (kind === 'bars' && count >= MOST_LIVE_BARS) {
      throw new TidegateError('busy', `${count} subscriptions to bars are open, which is the most: end one first.`)
    }
    const listeners = new Set<(event: Told) => void>()
    const abort = new AbortController()
    const snapshot = createSnapshot()
    const tell = (event: Told) => {
      if (event.subscribed) entry.isStanding = true
      snapshot.add(event)
      for (const hear of [...listeners]) hear(event)
    }
    const broken = () => {
      entry.isStanding = false
    }
    const { promise: over, resolve, reject } = Promise.withResolvers<void>()
    const turn = createTurn(wish, () => {})
    const entry: Entry = { kind, listeners, abort, snapshot, over, turn, isStanding: false }
    entries.set(live.identity, entry)
    keeper
      .keep({ ...live, turn }, { tell, broken }, abort.signal)
      .finally(() => forget(live, entry))
      .then(resolve, reject)
    return entry
  }

  function forget({ identity }: Live, entry: Entry): void {
    if (entries.get(identity) === entry) entries.delete(identity)
  }

  return {
    join(live, hear, signal) {
      const { priority, waitMs } = live.job
      const wish = { priority, untilMs: clock.now() + waitMs }
      const entry = entries.get(live.identity) ?? begin(live, wish)
      const { listeners, snapshot, turn } = entry
      let stopPatience = () => {}
      const listen = (event: Told) => {
        if (event.subscribed) stopPatience()
        hear(event)
      }
      listeners.add(listen)
      if (entry.isStanding) {
        hear({ subscribed: true })
        for (const event of snapshot.events()) hear(event)
      } else turn.raise(wish)
      const over = new Promise<void>((resolve, reject) => {
        const leave = () => {
          stopPatience()
          listeners.delete(listen)
          signal.removeEventListener('abort', leave)
          if (listeners.size === 0) {
            forget(live, entry)
            entry.abort.abort()
          }
          resolve()
        }
        const giveUp = async () => {
          // Whoever is the most patient is told by the subscription itself.
          if (wish.untilMs >= turn.untilMs) return
          const { place } = turn
          const error = place ? await place.refusal(0, waitMs) : resting(waitMs)
          if (!error || entry.isStanding || !listeners.has(listen)) return
          reject(error)
          leave()
        }
        if (signal.aborted) return leave()
        signal.addEventListener('abort', leave, { once: true })
        if (!entry.isStanding) stopPatience = clock.after(waitMs, () => void giveUp().catch(reject))
        entry.over.then(resolve, reject).finally(() => {
          stopPatience()
          signal.removeEventListener('abort', leave)
        })
      })
      return { over, snapshot }
    },
    close() {
      for (const { abort } of entries.values()) abort.abort()
      entries.clear()
      keeper.close()
    },
  }
}

/** It is neither in the queue nor made: it rests between two tries. */
function resting(waitMs: number): TidegateError {
  const message = `The subscription could not be made within ${waitMs} ms.`
  return new TidegateError('busy', message, { retryAfterMs: REST_MS })
}
