import { TidegateError } from '@tidegate/core'
import type { Keeper, Live, Told } from './keeper.ts'
import { createSnapshot, type Snapshot } from './snapshot.ts'

/** Bars kept up to date stay open at IBKR, which allows 50 with those of pacing (32) and a reserve. */
const MOST_LIVE_BARS = 10

/** Every subscription of the bridge: one at the gateway, however many want the same. */
export interface Hub {
  /**
   * Joins the subscription to this, or makes it; who joins late hears first how things stand. `over` resolves when the
   * signal aborts and rejects when the subscription ends for good. The last to leave ends it at the gateway.
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
  isStanding: boolean
}

export function createHub(keeper: Keeper): Hub {
  const entries = new Map<string, Entry>()

  function begin(live: Live): Entry {
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
    const entry: Entry = { kind, listeners, abort, snapshot, over, isStanding: false }
    entries.set(live.identity, entry)
    keeper
      .keep(live, { tell, broken }, abort.signal)
      .finally(() => forget(live, entry))
      .then(resolve, reject)
    return entry
  }

  function forget({ identity }: Live, entry: Entry): void {
    if (entries.get(identity) === entry) entries.delete(identity)
  }

  return {
    join(live, hear, signal) {
      const entry = entries.get(live.identity) ?? begin(live)
      const { listeners, snapshot } = entry
      listeners.add(hear)
      if (entry.isStanding) {
        hear({ subscribed: true })
        for (const event of snapshot.events()) hear(event)
      }
      const over = new Promise<void>((resolve, reject) => {
        const leave = () => {
          listeners.delete(hear)
          if (listeners.size === 0) {
            forget(live, entry)
            entry.abort.abort()
          }
          resolve()
        }
        if (signal.aborted) return leave()
        signal.addEventListener('abort', leave, { once: true })
        entry.over.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
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
