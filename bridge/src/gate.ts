import type { Clock } from './clock.ts'

/** IBKR counts messages over any second, and closes the session after repeated breaches (error 100). */
export const SECOND_MS = 1000

/** Decides when one more message may leave the socket: the lowest order first, first come first served within one. */
export interface MessageGate {
  /** Waits for a place and takes it: true. False, and no place taken, where `wanted` says by then that nobody waits any more. */
  pass(order?: number, wanted?: () => boolean): Promise<boolean>
  /** How long, in milliseconds, until one more could leave after `ahead` others. */
  waitMs(ahead: number): number
  /** Messages of the last second. */
  inLastSecond(): number
}

interface Waiter {
  readonly order: number
  readonly wanted: () => boolean
  readonly settle: (passed: boolean) => void
}

/** A sliding window over sent messages: no second, wherever it begins, holds more than `limit`. */
export function createMessageGate(clock: Clock, limit: number): MessageGate {
  const sent: number[] = []
  const waiting: Waiter[] = []
  let isWaiting = false

  /** Drops what left a second ago; after a clock that was set back, what left "later" left now. */
  function forget(now: number): void {
    for (let i = sent.length - 1; i >= 0 && (sent[i] ?? 0) > now; i--) sent[i] = now
    while (sent.length > 0 && (sent[0] ?? 0) <= now - SECOND_MS) sent.shift()
  }

  function letGo(): void {
    for (let next = waiting[0]; next; next = waiting[0]) {
      const wanted = next.wanted()
      const now = clock.now()
      forget(now)
      if (wanted && sent.length >= limit) {
        wake((sent[0] ?? 0) + SECOND_MS - now)
        return
      }
      waiting.shift()
      if (wanted) sent.push(now)
      next.settle(wanted)
    }
  }

  function wake(ms: number): void {
    if (isWaiting) return
    isWaiting = true
    clock.after(Math.max(1, ms), () => {
      isWaiting = false
      letGo()
    })
  }

  return {
    pass(order = 0, wanted = () => true) {
      return new Promise((settle) => {
        const behind = waiting.findIndex((other) => other.order > order)
        waiting.splice(behind < 0 ? waiting.length : behind, 0, { order, wanted, settle })
        letGo()
      })
    },
    waitMs(ahead) {
      const now = clock.now()
      forget(now)
      // The message at this place follows the one `limit` places before it by a second or more.
      const place = sent.length + ahead - limit
      if (place < 0) return 0
      const rounds = Math.floor(place / limit)
      const before = sent[place % limit] ?? now
      return before + SECOND_MS + rounds * SECOND_MS - now
    },
    inLastSecond() {
      forget(clock.now())
      return sent.length
    },
  }
}
