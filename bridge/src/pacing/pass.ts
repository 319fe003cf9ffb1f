import type { Refusal } from './ledger.ts'
import type { Lane, Obstacles, Waiter } from './queue.ts'

/** What was found in the way while letting go, at one instant, whatever may go. */
export interface Pass extends Obstacles<Waiter> {
  /** A rule refused this one: it and all that the same rule stands against stay where they are. */
  refused(waiter: Waiter, refusal: Refusal): void
  /** No request goes, only messages that are none; worth looking again after `ms`. */
  closeRequests(ms: number): void
  /** The least time after which something more may go, milliseconds; Infinity where nothing was refused. */
  readonly wakeMs: number
}

/** How often what is not ready is looked at again. */
export const LOOK_MS = 250

const REQUESTS: readonly Lane[] = ['small', 'plain']

/** A pass that asks each waiter whether it is ready; in a forecast all are taken for ready. */
export function createPass({ asksReady }: { asksReady: boolean }): Pass {
  const closed: Lane[] = []
  const stopped = new Set<string>()
  let wakeMs = Infinity
  const close = (lanes: readonly Lane[], ms: number) => {
    closed.push(...lanes)
    wakeMs = Math.min(wakeMs, ms)
  }
  return {
    closed: (lane) => closed.includes(lane),
    stops({ charge: { contract, identity }, isReady }) {
      if (asksReady && isReady?.() === false) {
        wakeMs = Math.min(wakeMs, LOOK_MS)
        return true
      }
      if (stopped.size === 0) return false
      return stopped.has(`contract ${contract}`) || stopped.has(`identical ${identity}`)
    },
    refused({ charge }, { rule, waitMs }) {
      if (rule === 'messages' || rule === 'store') return close(['message', ...REQUESTS], waitMs)
      if (rule === 'open') return close(REQUESTS, waitMs)
      if (rule === 'small') return close(['small'], waitMs)
      stopped.add(`${rule} ${rule === 'contract' ? charge.contract : charge.identity}`)
      wakeMs = Math.min(wakeMs, waitMs)
    },
    closeRequests: (ms) => close(REQUESTS, ms),
    get wakeMs() {
      return wakeMs
    },
  }
}
