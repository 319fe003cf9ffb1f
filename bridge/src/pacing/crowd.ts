import type { Ledger } from './ledger.ts'
import type { Queue, Waiter } from './queue.ts'
import { lengthMs, type Rules } from './rules.ts'

/** Beyond so many that wait, when each goes is not played through but bounded. */
export const CROWD = 64

/** When one of many goes. */
export interface Crowd<W> {
  /** Surely no sooner does this waiter of the queue go, milliseconds, if nobody leaves. */
  leastMs(waiter: W): number
  /** By then all that wait now have gone, and one like this could go too, milliseconds. */
  mostMs(waiter: W): number
}

/**
 * Those who wait, where they are too many to play it through for each of them: that takes time in the square of how many
 * they are, in which nothing else goes on. Bounds take next to none.
 */
export function crowdOf<W extends Waiter>(parts: {
  queue: Queue<W>
  ledger: Ledger
  rules: Rules
  nowMs: number
}): Crowd<W> {
  const { queue, ledger, rules, nowMs } = parts
  const { messages, contract, identical, small } = rules
  const heldMs = ledger.heldMs('messages', nowMs)
  return {
    leastMs(waiter) {
      const ahead = queue.ahead(waiter)
      const rounds = Math.floor(ahead / messages.limit)
      const messagesMs = heldMs + rounds * messages.windowMs
      const weight = waiter.charge.small
      return weight === 0 ? messagesMs : Math.max(messagesMs, ledger.smallMs(ahead + weight, nowMs))
    },
    mostMs({ charge }) {
      const used = ledger.usage(nowMs).messages
      const rounds = 1 + Math.ceil((used + queue.size + 1) / messages.limit)
      const messagesMs = heldMs + rounds * (lengthMs(messages) + messages.jitterMs)
      const twinMs = ledger.recent(nowMs).identities.get(charge.identity ?? '') ?? -Infinity
      const identicalMs = Math.max(0, twinMs + lengthMs(identical) - nowMs)
      if (charge.small === 0) return messagesMs + identicalMs
      // Of one contract there may be as many as the class lets go.
      const alikeMs = Math.ceil(Math.min(queue.small, small.limit) / contract.limit) * lengthMs(contract)
      return messagesMs + identicalMs + alikeMs + ledger.smallMs(queue.small + charge.small, nowMs)
    },
  }
}
